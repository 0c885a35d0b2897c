"""What is in the wheel, and that it works from there."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as `pip` would, with the build backend of this environment."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_every_schema_the_marker_of_types_and_the_license(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    schemas = {f"smsdeclare/schemas/{path.name}" for path in (ROOT / "schemas").iterdir()}
    assert schemas <= names
    assert "smsdeclare/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_holds_every_module_and_no_test(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "smsdeclare").rglob("*.py")}
    assert modules <= names
    assert not [name for name in names if name.startswith(("tests", "examples"))]


def test_installed_it_runs_without_the_checkout(wheel, tmp_path):
    """The wheel's own code over this environment's libraries, in a folder that has nothing of the checkout."""
    place = tmp_path / "venv"
    venv.create(place, symlinks=True)
    (packages,) = place.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "libraries.pth").write_text("\n".join(libraries))
    python = place / "bin" / "python"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def run(*arguments):
        return subprocess.run(
            [python, "-P", "-m", "smsdeclare", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    where = subprocess.run(
        [python, "-P", "-c", "import smsdeclare; print(smsdeclare.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(packages) in where.stdout
    assert run("init", "shop").returncode == 0
    applied = run("apply", "-C", "shop", "--auto-approve")
    assert (applied.returncode, "2 sent" in applied.stdout) == (0, True), applied.stderr
