"""The hooks for pre-commit: which files wake them, and that their commands work in a project."""

import re
from pathlib import Path

import pytest
import worlds

from smsdeclare import document

HOOKS = document.parse((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_bytes(), file="hooks").data


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_wakes_for_the_files_of_a_project_and_works_there(command, tmp_path, hook):
    names = ("smsdeclare.yaml", "shop/smsdeclare.staging.yaml", "a/b/news.sms.yaml", "news.sms.yml")
    assert [name for name in names if not re.search(hook["files"], name)] == []
    assert not re.search(hook["files"], "compose.yaml")
    assert not hook["pass_filenames"]
    worlds.write(tmp_path / "shop", {"smsdeclare.yaml": worlds.root() + worlds.message()})
    program, *arguments = hook["entry"].split()
    assert ("smsdeclare", 0) == (program, command(*arguments, "-C", tmp_path / "shop").code)
