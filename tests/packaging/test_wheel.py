"""What is in the packages, that they are the same whenever they are built, and that the wheel works."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def built(source, outdir):
    """The source distribution, and the wheel built from it, by the build backend of this environment."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(outdir), str(source)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1790000000"})
    return sorted(outdir.iterdir())


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Source distribution and wheel."""
    return built(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(packages):
    (path,) = (path for path in packages if path.suffix == ".whl")
    return path


def test_built_again_elsewhere_and_later_they_are_the_same_to_the_byte(packages, tmp_path):
    ignored = shutil.ignore_patterns(
        ".git", ".venv", ".*_cache", "__pycache__", "build", "dist", ".hypothesis", ".coverage*"
    )
    again = built(
        shutil.copytree(ROOT, tmp_path / "copy", ignore=ignored, copy_function=shutil.copy), tmp_path / "dist"
    )
    assert [path.name for path in packages] == [path.name for path in again]
    assert [path.read_bytes() for path in packages] == [path.read_bytes() for path in again]


def test_the_source_has_what_it_takes_to_test_it(packages):
    (path,) = (path for path in packages if path.suffix == ".gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "Makefile",
        "action.yml",
        "ci/github.py",
        "docs/README.md",
        "mkdocs.yml",
        "templates/sms.yml",
        "tests/conftest.py",
    }
    assert wanted - names == set()


def test_it_holds_every_schema_the_marker_of_types_and_the_license(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    schemas = {f"smsdeclare/schemas/{path.name}" for path in (ROOT / "schemas").iterdir()}
    beside = {path.relative_to(ROOT).as_posix() for path in (ROOT / "smsdeclare" / "templates").iterdir()}
    assert schemas | beside | {"smsdeclare/cli/words.json"} <= names
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
