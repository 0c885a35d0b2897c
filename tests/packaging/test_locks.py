"""What is locked is all that pyproject.toml asks for, by hash, and from no place in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: Each lock with what it has to hold.
LOCKS = {
    "ci/requirements.lock": [*PROJECT["dependencies"], *EXTRAS["postgresql"], *EXTRAS["encryption"]],
    "ci/build.lock": (ROOT / "ci" / "build.in").read_text("utf-8").split(),
    "ci/release.lock": (ROOT / "ci" / "release.in").read_text("utf-8").split(),
    "requirements-dev.lock": [*PROJECT["dependencies"], *EXTRAS["docs"], *EXTRAS["dev"]],
}
MEND = "after a change of the dependencies: pip install uv && make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_asked_for(name):
    text = (ROOT / name).read_text("utf-8")
    locked = dict(re.findall(r"^([a-zA-Z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))
    wanted = [Requirement(line) for line in LOCKS[name] if not line.startswith("smsdeclare[")]
    missing = [
        str(one)
        for one in wanted
        if canonicalize_name(one.name) not in locked or locked[canonicalize_name(one.name)] not in one.specifier
    ]
    assert missing == [], MEND


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_address(name):
    text = (ROOT / name).read_text("utf-8")
    for entry in re.split(r"\n(?=[a-z0-9._-]+==)", text)[1:]:
        assert "--hash=sha256:" in entry, entry.partition("\n")[0]
    assert "://" not in text
    assert "--index" not in text
