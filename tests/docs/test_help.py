"""The examples at the end of every help text, typed as they stand into the project that `init` writes."""

import re
import shutil
import sqlite3

import click
import pytest
import worlds
from terminal import type_in

from smsdeclare.cli.main import group


def contexts(context=None):
    """Every command, the groups too, as it is typed."""
    context = context or click.Context(group, info_name="smsdeclare", **group.context_settings)
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            below = context.command.get_command(context, name)
            yield from contexts(click.Context(below, info_name=name, parent=context))


CONTEXTS = {context.command_path: context for context in contexts()}
#: These begin where nothing is yet.
IN_AN_EMPTY_FOLDER = {"smsdeclare", "smsdeclare init"}
#: These run until somebody ends them; tests/golden/test_sandbox.py does.
UNTIL_ENDED = {"smsdeclare sandbox"}
#: These are about what was not sent yet; all others are typed after an apply.
BEFORE_AN_APPLY = {"smsdeclare validate", "smsdeclare plan", "smsdeclare apply", "smsdeclare show"}


def examples(name):
    """The lines of a command's examples that are to be typed."""
    _, _, shown = CONTEXTS[name].get_help().partition("\n\nExamples:\n")
    return [line.strip() for line in shown.splitlines() if not line.strip().startswith("#")]


#: What the sandbox brings about only by chance or after a while.
NOT_REACHED = ("UPDATE sends SET state = 'failed' WHERE number = '+33639980002'",)
UNANSWERED = ("UPDATE sends SET state = 'unknown'", "UPDATE jobs SET not_after = not_after - 100000")


def change(state, *statements):
    connection = sqlite3.connect(state, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """An empty folder, or a copy of `init`'s project with a saved plan, or of one applied, as a command needs it."""
    planned, applied = (tmp_path_factory.mktemp(name) for name in ("planned", "applied"))
    for folder, lines in (
        (planned, ("smsdeclare init", "smsdeclare plan --out plan.json")),
        (applied, ("smsdeclare init", "smsdeclare plan --out plan.json", "smsdeclare apply plan.json")),
    ):
        for line in lines:
            code, shown = type_in(line, folder)
            assert 0 == code, shown

    def copy(name, folder):
        if name in IN_AN_EMPTY_FOLDER:
            return folder
        shutil.copytree(planned if name in BEFORE_AN_APPLY else applied, folder, dirs_exist_ok=True)
        for state in folder.glob("*.state"):
            change(state, *(UNANSWERED if name == "smsdeclare resolve" else NOT_REACHED))
        return folder

    return copy


@pytest.mark.parametrize("name", CONTEXTS)
def test_every_help_text_ends_with_examples(name):
    _, _, shown = CONTEXTS[name].get_help().partition("\n\nExamples:\n")
    assert re.fullmatch(r"(  (# [A-Z].*|smsdeclare.*|cd \w+)\n?)+", shown)
    assert [line for line in examples(name) if line.startswith(name)]
    assert [] == [line for line in shown.splitlines() if len(line) > 100]


@pytest.mark.parametrize("name", [name for name in CONTEXTS if name not in UNTIL_ENDED])
def test_every_example_works_as_it_stands(prepared, tmp_path, name):
    folder = prepared(name, tmp_path)
    for line in examples(name):
        if line.startswith("cd "):
            folder /= line.removeprefix("cd ")
            continue
        code, shown = type_in(line, folder, SMSDECLARE_NUMBERS_KEY="6b" * 32)
        assert (2 if "--detailed-exitcode" in line else 0) == code, f"{line}\n{shown}"


def test_an_example_that_does_not_work_is_noticed(prepared, tmp_path):
    prepared("smsdeclare plan", tmp_path)
    assert 1 == type_in("smsdeclare plan --no-such-option", tmp_path)[0]
    assert 0 == type_in("smsdeclare apply", tmp_path)[0]
    assert 2 == len(worlds.outbox(tmp_path))
