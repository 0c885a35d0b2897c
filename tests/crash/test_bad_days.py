"""A disk that is full or broken, and a signal in the middle: nothing is posted that is not on record first."""

import os
import resource
import signal
import sqlite3
from collections import Counter
from contextlib import closing

import ledgers
import pytest
import worlds
from crash import test_kill

from smsdeclare.errors import StateError
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.simulator.outbox import Outbox
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings
from smsdeclare.states import State


@pytest.fixture
def here(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with Server(Outbox(journal, Settings())) as server:
        place = test_kill.Place(worlds.write(tmp_path / "project", test_kill.people(4, server.url)), journal)
        place.server = server
        yield place


def apply(here, **options):
    process = worlds.spawn("apply", "--auto-approve", "--json", "-C", here.folder, **options)
    return test_kill.finish(process)


def posts(here):
    return sum(method == "POST" for method, *_ in here.server.requests)


def test_a_full_disk_stops_before_the_post(here):
    """The state may not grow by a single page: no claim fits, so no request leaves."""
    assert (0, 4) == (apply(here)[0], posts(here))
    worlds.write(here.folder, test_kill.people(400, here.server.url))
    size = (here.folder / "smsdeclare.state").stat().st_size

    def allow_no_growth():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    code, document = apply(here, preexec_fn=allow_no_growth, env=worlds.environment(PYTHONDONTWRITEBYTECODE="1"))
    assert (1, ["SMS504"]) == (code, [error["code"] for error in document["errors"]])
    assert dict.fromkeys(here.statuses(), "accepted") == here.statuses()
    received = Counter(here.received())
    assert ({1}, len(received)) == (set(received.values()), posts(here))
    # With room again the rest goes out.
    assert 0 == apply(here)[0]
    assert dict.fromkeys(test_kill.everyone(400), 1) == Counter(here.received())


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_state_that_can_not_be_written_stops_before_the_post(here):
    assert (0, 4) == (apply(here)[0], posts(here))
    (here.folder / "smsdeclare.state").chmod(0o400)
    worlds.write(here.folder, test_kill.people(5, here.server.url))
    assert (1, 4) == (apply(here)[0], posts(here))


def test_a_damaged_state_is_named_and_nothing_is_posted(here):
    assert (0, 4) == (apply(here)[0], posts(here))
    path = here.folder / "smsdeclare.state"
    data = bytearray(path.read_bytes())
    data[4096:8192] = os.urandom(4096)
    path.write_bytes(data)
    worlds.write(here.folder, test_kill.people(5, here.server.url))
    code, document = apply(here)
    assert (1, ["SMS501"], 4) == (code, [error["code"] for error in document["errors"]], posts(here))


@pytest.mark.parametrize("garbage", [b"\0", b"\xff"])
def test_a_page_damaged_in_the_middle_is_named_and_not_passed_over(tmp_path, garbage):
    """What ended there would be sent again from there on."""
    path = tmp_path / "test.state"
    numbers = [f"+3363998{place:04d}" for place in range(1000)]
    with closing(ledgers.opened(path)) as ledger:
        ledgers.send(ledger, State.ACCEPTED, *numbers)
        (size,) = next(ledger._rows("PRAGMA page_size", {}))
    data = bytearray(path.read_bytes())
    page = data.index(numbers[500].encode()) // size * size
    data[page : page + size] = garbage * size
    path.write_bytes(data)
    with closing(SqliteLedger(path)) as ledger, pytest.raises(StateError) as caught:
        list(ledger.known("hello", 1))
    assert "SMS501" == caught.value.diagnostics[0].code.id


def test_a_send_without_its_job_is_named_and_not_passed_over(tmp_path):
    path = tmp_path / "test.state"
    with closing(ledgers.opened(path)) as ledger:
        ledgers.send(ledger, State.ACCEPTED, ledgers.A)
        ledgers.send(ledger, State.ACCEPTED, ledgers.B)
    ledgers.change(path, "DELETE FROM jobs WHERE ordinal = 1")
    with closing(SqliteLedger(path)) as ledger:
        for read in (lambda: list(ledger.known("hello", 1)), lambda: list(ledger.records())):
            with pytest.raises(StateError) as caught:
                read()
            assert "SMS501" == caught.value.diagnostics[0].code.id


def test_a_signal_waits_eight_seconds_for_an_answer_and_no_longer(tmp_path):
    journal = tmp_path / "journal.jsonl"
    with Server(Outbox(journal, Settings()), script="ah") as server:
        here = test_kill.Place(worlds.write(tmp_path / "project", test_kill.people(3, server.url)), journal)
        process = here.start()
        test_kill.wait_until(lambda: server.held.is_set() or process.poll() is not None)
        os.kill(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=test_kill.DEADLINE_SECONDS)
        assert (130, True) == (process.returncode, "the next apply finds out" in err)
        assert "unknown" == here.statuses()[worlds.number(1)]
        assert 0 == here.apply()[0]
        assert test_kill.everyone(3) == sorted(here.received())


def test_an_older_state_is_brought_up_to_date_and_loses_nothing(tmp_path):
    """Format 1, as the first version wrote it."""
    from smsdeclare.records import Binding

    path = tmp_path / "test.state"
    binding = Binding(project="p", provider="ovh", endpoint="ovh-eu", service="s")
    ledger = SqliteLedger(path)
    ledger.bind(binding)
    ledger.close()
    state = sqlite3.connect(path)
    for index in ("sends_released", "sends_held", "sends_taken_back"):
        state.execute(f"DROP INDEX {index}")
    for table, column in (("sends", "released_from"), ("sends", "sms"), ("sends", "taken_back"), ("jobs", "times")):
        state.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    state.execute("ALTER TABLE sends ADD COLUMN releases INTEGER NOT NULL DEFAULT 0")
    state.execute(
        "INSERT INTO sends (message, revision, number, state, ordinal) VALUES ('m', 1, '+33639980001', 'accepted', 1)"
    )
    state.execute(
        "INSERT INTO jobs (message, revision, ordinal, tag, provider, endpoint, service, receivers, text_digest,"
        " template_digest, options, body_digest, plan_digest, claimed_at, not_after, estimate)"
        " VALUES ('m', 1, 1, 't', 'ovh', 'ovh-eu', 's', 1, 'd', 'd', '{}', 'b', 'p', '2026-11-24T08:00:00Z', 1, 1)"
    )
    state.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
    state.commit()
    state.close()
    for _ in range(2):
        ledger = SqliteLedger(path)
        assert ["accepted"] == [one.state.value for one in ledger.records()]
        assert [] == ledger.held_revisions()
        ledger.close()
    fresh = SqliteLedger(tmp_path / "fresh.state")
    fresh.bind(binding)
    fresh.close()
    shapes = []
    for file in (path, tmp_path / "fresh.state"):
        connection = sqlite3.connect(file)
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(sends)")}
        shapes.append((names, columns, {row[1] for row in connection.execute("PRAGMA table_info(jobs)")}))
        connection.close()
    assert shapes[0] == shapes[1]
