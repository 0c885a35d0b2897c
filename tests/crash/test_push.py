"""A push, or a pull, that is killed at any step leaves the state as it was or as it was to be, whole."""

import json
import subprocess
import sys
from pathlib import Path

import ledgers
import pytest
import worlds

from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.records import Key
from smsdeclare.states import State

#: More than fit into the memory that a transaction is given: half of it is on the disk when it is killed.
SENDS = 1_500
AT = ledgers.AT

#: Runs one command of a ledger in a process that is killed at the k-th boundary, for each k until it ends by itself.
KILLER = """
import json, os, shutil, signal, sqlite3, sys
from pathlib import Path
import ledgers
from smsdeclare.ledgers.sqlite import SqliteLedger

folder, what, stride = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
place = folder / "place"

def act(reach):
    def watch(connection):
        # Each statement; every so many steps inside of one; and what happens to files beside SQLite.
        connection.execute("PRAGMA cache_size = 5")
        connection.set_trace_callback(lambda statement: reach())
        connection.set_progress_handler(lambda: reach(), stride)
        return connection

    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **more: watch(connect(*given, **more))
    sys.addaudithook(lambda event, _: reach() if event in ("os.link", "os.remove", "open") else None)
    ledger = SqliteLedger(place / "test.state")
    if what == "pull":
        ledger.pull(place / "copy.state")
    else:
        ledger.push(folder / "new.state", ledgers.BINDING, ledgers.AT)

boundary, codes = 0, []
while not codes or codes[-1] == signal.SIGKILL:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    if what != "restore":
        shutil.copyfile(folder / "old.state", place / "test.state")
    child = os.fork()
    if child == 0:
        left = boundary

        def reach():
            global left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        act(reach)
        left = 1 << 30
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
    shutil.copytree(place, folder / "after" / str(boundary))
    boundary += 1
print(json.dumps(codes))
"""


@pytest.fixture
def past(tmp_path):
    """A state, and a copy that went on from it."""
    numbers = [worlds.number(place) for place in range(SENDS)]
    old, new = tmp_path / "old.state", tmp_path / "new.state"
    ledger = ledgers.opened(old)
    ledgers.send(ledger, State.ACCEPTED, *numbers[:1000])
    ledger.pull(new)
    ledger.close()
    ledger = SqliteLedger(new)
    ledgers.send(ledger, State.ACCEPTED, *numbers[1000:])
    ledger.resend([Key("hello", 1, numbers[0])], "lost", AT)
    ledger.close()
    return tmp_path


def killed(folder, what, stride):
    """What was left after each kill; the last one was none."""
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(folder), what, str(stride)],
        capture_output=True,
        text=True,
        check=True,
        env=worlds.environment(PYTHONPATH=str(Path(__file__).parents[1])),
    )
    codes = json.loads(done.stdout)
    assert ({9}, 0) == (set(codes[:-1]), codes[-1]), done.stderr
    return [folder / "after" / str(place) for place in range(len(codes))]


def facts(path):
    """All that is on record, but who pushed when."""
    found = ledgers.rows(path, "sends", "jobs", "completions")
    return found, int(ledgers.meta(path)["epoch"])


def reopened(path):
    """What the next run reads; it rolls back what was left half done."""
    ledger = SqliteLedger(path)
    assert 0 == len(list(ledger.in_doubt()))
    ledger.close()
    return facts(path)


def test_a_push_that_is_killed_leaves_the_old_state_or_the_new_one(past):
    old, new = facts(past / "old.state"), facts(past / "new.state")
    new = (new[0], new[1] + 1)
    before = (past / "old.state").read_bytes()
    left = killed(past, "push", 2_000)
    # Half written, with a journal beside it: were there none, this test would say nothing.
    torn = [
        place
        for place in left
        if (place / "test.state-journal").exists() and (place / "test.state").read_bytes() != before
    ]
    found = [reopened(place / "test.state") for place in left]
    assert [old] * found.count(old) + [new] * found.count(new) == found
    assert len(torn) > 20
    assert found.count(new) > 1


def test_a_restore_that_is_killed_leaves_no_state_or_all_of_it(past):
    new = facts(past / "new.state")
    left = killed(past, "restore", 2_000)
    made = [place / "test.state" for place in left if (place / "test.state").exists()]
    assert len(left) - len(made) > 20
    assert {3} == {reopened(path)[1] for path in made}
    assert all(reopened(path)[0] == new[0] for path in made)


def test_a_pull_that_is_killed_leaves_no_copy_or_all_of_it(past):
    old = facts(past / "old.state")
    left = killed(past, "pull", 500)
    made = [place / "copy.state" for place in left if (place / "copy.state").exists()]
    assert len(left) - len(made) > 5
    assert len(made) >= 1
    assert all(facts(path) == old for path in [*made, *(place / "test.state" for place in left)])
