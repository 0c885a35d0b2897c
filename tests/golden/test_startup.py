"""A command loads what it needs: each heavy library costs every start tens of milliseconds."""

import os
import subprocess
import sys
from dataclasses import is_dataclass
from importlib import import_module

import pytest
import worlds

from smsdeclare.cli.main import group

HEAVY = {"jsonschema", "minijinja", "phonenumbers", "requests", "rich", "sqlite3", "urllib3", "yaml"}
#: The console script, then what it left loaded.
SCRIPT = """
import sys
from smsdeclare.cli.main import run
code = run(sys.argv[1:])
print("LOADED", *sys.modules)
sys.exit(code)
"""


def loaded(*arguments, folder):
    """The heavy libraries that a command loads in a process of its own."""
    return HEAVY & modules(*arguments, folder=folder)


def modules(*arguments, folder):
    """All that a command loads in a process of its own, coverage not there to load some itself."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize("arguments", [["version"], ["version", "--json"], ["--version"], ["--help"]], ids=" ".join)
def test_what_says_something_of_the_tool_loads_nothing_heavy(arguments, tmp_path):
    assert set() == loaded(*arguments, folder=tmp_path)


@pytest.mark.parametrize("name", group.list_commands(None))
def test_no_help_loads_http_or_the_schema(name, tmp_path):
    assert set() == loaded(name, "--help", folder=tmp_path) & {"requests", "urllib3", "jsonschema"}


def test_without_network_nothing_of_the_network_is_loaded(tmp_path):
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    assert {"sqlite3", "yaml"} <= loaded("plan", folder=project)
    assert set() == loaded("plan", "--offline", folder=project) & {"requests", "urllib3"}
    assert set() == loaded("validate", folder=project) & {"requests", "urllib3", "sqlite3"}


@pytest.mark.parametrize("words", [["preview"], ["validate"], ["plan", "--offline"]], ids=" ".join)
def test_what_is_sound_needs_nobody_to_say_what_is_wrong(words, tmp_path):
    more = f'receivers: {{team: {{numbers: ["{worlds.number(1)}"]}}}}\n' + worlds.message(to="team")
    sound = worlds.write(tmp_path / "sound", {"smsdeclare.yaml": worlds.root(more=more)})
    assert set() == loaded(*words, folder=sound) & {"jsonschema", "requests", "urllib3", "phonenumbers", "rich"}


def test_a_plan_of_one_text_loads_nothing_that_it_has_no_use_for(tmp_path):
    message = worlds.message(more="    options: {sender: ACME}\n")
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=message)})
    found = modules("plan", "--offline", folder=project)
    assert set() == found & {
        "decimal",
        "minijinja",
        "random",
        "smsdeclare.apply",
        "smsdeclare.cli.account",
        "smsdeclare.cli.saved_plan",
        "smsdeclare.ledgers.copies",
        "smsdeclare.provider",
        "smsdeclare.settle",
        "smsdeclare.short_number",
        "smsdeclare.surcharges",
        "tempfile",
        "zoneinfo",
    }


def test_a_plan_defines_few_dataclasses(tmp_path):
    """Half a millisecond each, before anything is done; a named tuple takes a fifth of that."""
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    names = [name for name in modules("plan", "--offline", folder=project) if name.startswith("smsdeclare.")]
    found = {
        f"{name}.{one.__name__}"
        for name in names
        for one in vars(import_module(name)).values()
        if isinstance(one, type) and is_dataclass(one) and one.__module__ == name
    }
    assert len(found) <= 12, sorted(found)


def test_cycles_are_looked_for_seldom_and_not_at_the_end():
    script = (
        "import atexit, gc, sys, smsdeclare.cli\n"
        "print('click' in sys.modules, gc.get_threshold()[0])\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
        "from smsdeclare.cli.main import main\n"
        "sys.argv = ['smsdeclare', '--version']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    first, _, last = done.stdout.splitlines()
    assert ("False 200000", "True") == (first, last)


def test_a_preview_loads_what_a_preview_takes(tmp_path):
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    assert loaded("preview", folder=project) <= {"minijinja", "yaml"}


@pytest.mark.parametrize(
    "words", [["status"], ["state", "list"], ["stop", "--reason", "x"], ["resume"]], ids=lambda words: words[0]
)
def test_a_state_in_a_file_loads_nothing_of_other_places(words, tmp_path):
    project = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    modules("apply", "--auto-approve", folder=project)
    found = modules(*words, folder=project)
    assert "smsdeclare.ledgers.sqlite" in found
    assert set() == found & {
        "smsdeclare.cli.database",
        "smsdeclare.cli.repository",
        "smsdeclare.ledgers.git",
        "smsdeclare.ledgers.sealing",
    }
