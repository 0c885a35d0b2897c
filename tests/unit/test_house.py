"""The house rules that no tool checks."""

from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "smsdeclare"
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_is_longer_than_350_lines(path):
    assert len(path.read_text().splitlines()) <= 350


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_name_says_nothing(path):
    vague = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base", "core"}
    assert not vague & {path.stem, *(part for part in path.relative_to(PACKAGE).parts[:-1])}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_colors_come_from_one_place(path):
    """Where each means one thing, and all of them can be switched off."""
    text = path.read_text()
    assert path.name == "phrases.py" or not [
        one for one in ("\\x1b[", "\\033[", "\\u001b[", "click.style", "secho") if one in text
    ]
