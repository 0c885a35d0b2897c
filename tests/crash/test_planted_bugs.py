"""The bugs of `benchmarks/planted_bugs.py` fit today's code, and a few of them are planted; the command plants all."""

import subprocess
import sys
from pathlib import Path

import planted_bugs
import pytest

ROOT = Path(__file__).parents[2]
BUGS = {bug.name: bug for bug in planted_bugs.BUGS}


@pytest.mark.parametrize("name", BUGS)
def test_it_can_be_planted_in_the_code_as_it_is(name):
    for file, text in planted_bugs.text_with(BUGS[name]).items():
        assert text != (ROOT / file).read_text()
        compile(text, file, "exec")


def test_its_gates_are_tests_that_exist():
    """Each with its case: one that is not there would notice nothing."""
    assert all(bug.gates for bug in BUGS.values())
    gates = sorted({gate for bug in BUGS.values() for gate in bug.gates})
    words = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider", *gates]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_there_are_as_many_as_there_were():
    assert 36 == len(BUGS)


def test_a_text_that_is_not_there_is_no_bug_that_nobody_noticed():
    gone = planted_bugs.Bug("gone", "", (planted_bugs.Change("smsdeclare/apply.py", "no such text", ""),), ())
    with pytest.raises(ValueError, match="0 times, not once"):
        planted_bugs.text_with(gone)


@pytest.mark.parametrize("name", ["any 4xx is definite", "absence counts at once"])
def test_it_turns_its_first_gate_red(name):
    (red, others) = planted_bugs.verdict(BUGS[name]._replace(gates=BUGS[name].gates[:1]))
    assert (1, []) == (len(red), others)


def test_without_a_bug_the_same_gates_are_green():
    assert [] == planted_bugs.broken(None, [BUGS["any 4xx is definite"].gates[0]])
