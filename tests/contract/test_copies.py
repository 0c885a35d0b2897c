"""What a copy of the ledger holds, and when it may take the ledger's place."""

import os
import resource
import shutil
import sqlite3
from contextlib import closing

import ledgers
import pytest
from ledgers import AT, BINDING, A, B, C, at, change, claim, opened, rows, send, states

from smsdeclare.errors import InputError, PlanStale, StateError
from smsdeclare.ledgers import sqlite_file
from smsdeclare.records import Key, Lease, Stopped
from smsdeclare.states import BARRED, FREE, IN_DOUBT, State, later

#: Runs a test on every kind of ledger.
everywhere = pytest.mark.parametrize("state", ["sqlite", "postgresql", "git"], indirect=True)
#: What depends on rows alone, and not on how they are stored, is not tried over again with many processes.
databases = pytest.mark.parametrize("state", ["sqlite", "postgresql"], indirect=True)
LEASE = Lease(holder="x", actor="x", host="x", pid=1, ci=None, since=AT, until=AT)
STOP = Stopped(reason="wrong price", actor="ana", at=AT)
KEY = Key("hello", 1, A)


def code(caught):
    return caught.value.diagnostics[0].code.id


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def pull(path, target):
    ledger = at(path)
    try:
        return ledger.pull(target)
    finally:
        ledger.close()


def push(copy, path, wanted=BINDING):
    ledger = at(path)
    try:
        return ledger.push(copy, wanted, AT)
    finally:
        ledger.close()


@pytest.fixture
def state(tmp_path, request):
    """A state with one accepted send; a SQLite file unless a test is for every kind of ledger."""
    path = ledgers.place(getattr(request, "param", "sqlite"), request, tmp_path)
    ledger = opened(path)
    send(ledger, State.ACCEPTED, A)
    ledger.close()
    return path


@pytest.fixture
def copy(state, tmp_path):
    """A copy of it, which may go on."""
    path = tmp_path / "copy.state"
    pull(state, path)
    return path


def goes_on(path, *numbers, state=State.ACCEPTED, **more):
    ledger = at(path)
    send(ledger, state, *(numbers or (C,)), **more)
    ledger.close()


def refused(copy, path, wanted=BINDING):
    """The code with which a push is refused; state and copy are as they were, and nothing is left lying about."""
    kept = [one for one in (copy, path) if one.is_file()]
    before = [one.read_bytes() for one in kept], names(path.parent)
    with pytest.raises((StateError, InputError)) as caught:
        push(copy, path, wanted)
    assert before == ([one.read_bytes() for one in kept], names(path.parent))
    assert A not in caught.value.diagnostics[0].message
    return code(caught)


# — pull —


@everywhere
def test_a_copy_has_all_that_is_on_record(state, tmp_path):
    contents = pull(state, tmp_path / "copy.state")
    assert rows(state) == rows(tmp_path / "copy.state")
    assert (1, 0, 3, AT) == (contents.sends, contents.in_doubt, contents.serial, contents.latest)
    assert BINDING == contents.binding


def test_a_copy_is_for_its_owner_only_and_nothing_else_is_left(copy, state, tmp_path):
    assert "0o600" == oct(copy.stat().st_mode & 0o777)
    assert ["copy.state", "test.state"] == names(tmp_path)


@everywhere
def test_what_is_not_committed_is_not_in_the_copy(state, tmp_path):
    running = at(state)
    seen = []

    def prepare(claim):
        pull(state, tmp_path / "copy.state")
        seen.append(states(tmp_path / "copy.state"))
        return ledgers.Request()

    running.claim(ledgers.intent(B), prepare, epoch=1)
    running.close()
    assert [{KEY: State.ACCEPTED}] == seen
    assert State.INTENDED is states(state)[Key("hello", 1, B)]


@everywhere
def test_copying_changes_nothing(state, tmp_path):
    before = state.read_bytes()
    pull(state, tmp_path / "copy.state")
    assert before == state.read_bytes()


@pytest.mark.parametrize("name", ["other.txt", "test.state", "link"])
def test_a_copy_replaces_nothing(state, tmp_path, name):
    (tmp_path / "other.txt").write_text("dear")
    (tmp_path / "link").symlink_to("nowhere")
    before = state.read_bytes()
    with pytest.raises(InputError) as caught:
        pull(state, tmp_path / name)
    assert ("SMS020", before, "dear") == (code(caught), state.read_bytes(), (tmp_path / "other.txt").read_text())
    assert ["link", "other.txt", "test.state"] == names(tmp_path)


def test_a_damaged_state_is_named_before_its_copy_gets_a_name(state, tmp_path):
    data = bytearray(state.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    state.write_bytes(data)
    with pytest.raises(StateError) as caught:
        pull(state, tmp_path / "copy.state")
    assert ("SMS501", ["test.state"]) == (code(caught), names(tmp_path))


def test_an_index_that_misses_a_row_is_found(state, tmp_path):
    goes_on(state, B, state=State.UNKNOWN)
    connection = sqlite3.connect(state, isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, '''unknown''', '''else''') WHERE type = 'index'")
    connection.close()
    with pytest.raises(StateError) as caught:
        pull(state, tmp_path / "copy.state")
    assert ("SMS501", ["test.state"]) == (code(caught), names(tmp_path))


def test_where_there_is_no_state_there_is_no_copy(tmp_path):
    with pytest.raises(StateError) as caught:
        pull(tmp_path / "test.state", tmp_path / "copy.state")
    assert ("SMS509", []) == (code(caught), names(tmp_path))


def test_a_copy_that_can_not_be_written_is_an_error_of_its_own(state, tmp_path):
    with pytest.raises(InputError) as caught:
        pull(state, tmp_path / "nowhere" / "copy.state")
    assert "SMS021" == code(caught)


def test_a_full_disk_leaves_no_half_of_a_copy(state, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ledger = at(state)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(InputError) as caught:
            ledger.pull(tmp_path / "copy.state")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        ledger.close()
    assert ("SMS021", ["test.state"]) == (code(caught), names(tmp_path))


def test_an_old_journal_would_be_rolled_back_into_a_new_file(state, tmp_path):
    (tmp_path / "copy.state-journal").write_bytes(b"x")
    with pytest.raises(StateError, match=r"copy\.state-journal was left behind"):
        pull(state, tmp_path / "copy.state")


# — push: nothing is there yet —


@everywhere
def test_a_copy_becomes_the_state_where_there_is_none(copy, tmp_path):
    place = tmp_path / "else" / "new.state"
    place.parent.mkdir()
    pushed = push(copy, place)
    assert (None, True, 1) == (pushed.before, pushed.is_changed, pushed.copy.sends)
    assert rows(copy, "sends", "jobs", "completions") == rows(place, "sends", "jobs", "completions")
    assert ("0o600", ["new.state"]) == (oct(place.stat().st_mode & 0o777), names(place.parent))


@everywhere
def test_restoring_raises_the_epoch_and_keeps_all_else(copy, tmp_path):
    push(copy, tmp_path / "new.state")
    assert {**ledgers.meta(copy), "epoch": "2"} == ledgers.meta(tmp_path / "new.state")


def test_who_is_on_record_in_the_backup_is_not_sent_to_again(copy, tmp_path):
    ledger = at(tmp_path / "new.state")
    ledger.push(copy, BINDING, AT)
    assert claim(ledger, A) is None
    assert (B,) == claim(ledger, A, B).numbers
    ledger.close()


@pytest.mark.parametrize("doubt", [State.INTENDED, State.UNKNOWN])
def test_a_backup_keeps_its_doubts(state, tmp_path, doubt):
    """To refuse it would leave no state at all, which sends everything again."""
    ledger = at(state)
    claim(ledger, B) if doubt is State.INTENDED else send(ledger, doubt, B)
    ledger.close()
    pull(state, tmp_path / "copy.state")
    pushed = push(tmp_path / "copy.state", tmp_path / "new.state")
    assert (1, doubt) == (pushed.copy.in_doubt, states(tmp_path / "new.state")[Key("hello", 1, B)])
    ledger = at(tmp_path / "new.state")
    assert claim(ledger, A, B) is None
    ledger.close()


def test_a_journal_of_a_state_that_is_gone_stops_a_restore(copy, tmp_path):
    """SQLite would roll it back into the restored file."""
    (tmp_path / "new.state-journal").write_bytes(b"x")
    assert "SMS501" == refused(copy, tmp_path / "new.state")


def test_a_journal_of_a_state_that_is_gone_stops_a_first_write(tmp_path):
    (tmp_path / "test.state-journal").write_bytes(b"x")
    with pytest.raises(StateError, match="was left behind"):
        opened(tmp_path / "test.state")


def test_a_state_that_comes_into_being_meanwhile_is_not_replaced(copy, tmp_path):
    ledger = at(tmp_path / "new.state")
    opened(tmp_path / "new.state").close()
    before = (tmp_path / "new.state").read_bytes()
    with pytest.raises(StateError) as caught:
        ledger.push(copy, BINDING, AT)
    ledger.close()
    assert ("SMS508", before) == (code(caught), (tmp_path / "new.state").read_bytes())


def test_a_service_that_the_files_do_not_name_is_that_of_the_copy(copy, tmp_path):
    push(copy, tmp_path / "new.state", BINDING._replace(service=""))
    assert BINDING == opened(tmp_path / "new.state").binding


# — push: the copy went on —


@everywhere
def test_a_copy_that_went_on_takes_the_place(state, copy):
    goes_on(copy)
    pushed = push(copy, state)
    assert (1, 2, True) == (pushed.before.sends, pushed.copy.sends, pushed.is_changed)
    assert rows(copy, "sends", "jobs", "completions") == rows(state, "sends", "jobs", "completions")
    assert ledgers.meta(copy)["serial"] == ledgers.meta(state)["serial"]


@everywhere
def test_a_run_that_planned_before_gets_no_claim(state, copy):
    running = at(state)
    goes_on(copy)
    push(copy, state)
    with pytest.raises(PlanStale) as caught:
        claim(running, B)
    assert "SMS508" == code(caught)
    running.close()
    # What it would have claimed is free for the next run.
    goes_on(state, B)


@pytest.mark.parametrize(("here", "there"), [(1, 1), (5, 1), (1, 5)])
def test_the_epoch_is_higher_than_both(state, copy, here, there):
    goes_on(copy)
    for path, epoch in ((state, here), (copy, there)):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,))
        connection.close()
    push(copy, state)
    assert str(max(here, there) + 1) == ledgers.meta(state)["epoch"]


@everywhere
def test_the_ledger_itself_goes_on_with_the_new_epoch(state, copy):
    goes_on(copy)
    ledger = at(state)
    ledger.push(copy, BINDING, AT)
    assert (2, (B,)) == (ledger.epoch, claim(ledger, B).numbers)
    ledger.close()


@everywhere
def test_the_same_copy_again_changes_nothing(state, copy):
    goes_on(copy)
    push(copy, state)
    before = state.read_bytes()
    assert (False, before) == (push(copy, state).is_changed, state.read_bytes())


def test_the_state_is_no_copy_of_itself(state, tmp_path):
    os.link(state, tmp_path / "copy.state")
    assert "SMS901" == refused(tmp_path / "copy.state", state)


@everywhere
def test_a_standby_takes_one_copy_after_another(state, copy, tmp_path):
    for place, number in enumerate((B, C)):
        goes_on(copy, number)
        pull(copy, tmp_path / f"{place}.state")
        assert push(tmp_path / f"{place}.state", state).is_changed
    assert 3 == len(states(state))


@everywhere
def test_there_and_back_again(state, copy, tmp_path):
    """A state moves to another machine, goes on there, and comes home."""
    push(copy, tmp_path / "there.state")
    goes_on(tmp_path / "there.state", B)
    pull(tmp_path / "there.state", tmp_path / "back.state")
    assert push(tmp_path / "back.state", state).is_changed
    assert {A, B} == {number for _, _, number in states(state)}


def test_a_copy_may_be_named_by_a_link(state, copy, tmp_path):
    goes_on(copy)
    (tmp_path / "latest.state").symlink_to("copy.state")
    assert push(tmp_path / "latest.state", state).is_changed


def test_the_copy_is_left_as_it_is(state, copy, tmp_path):
    goes_on(copy)
    before = copy.read_bytes()
    push(copy, state)
    assert (before, ["copy.state", "test.state"]) == (copy.read_bytes(), names(tmp_path))


@everywhere
def test_names_that_changed_in_the_copy_are_followed(state, copy):
    ledger = at(copy)
    ledger.complete([("hello", 1)], AT)
    ledger.rename("hello", "interim", AT)
    ledger.rename("interim", "welcome", AT)
    send(ledger, State.ACCEPTED, B, message="welcome")
    # The name is used for another message.
    send(ledger, State.ACCEPTED, A)
    ledger.close()
    assert push(copy, state).is_changed
    assert {("welcome", A), ("welcome", B), ("hello", A)} == {(message, to) for message, _, to in states(state)}


def test_a_renaming_both_have_is_not_done_twice(state, tmp_path):
    ledger = at(state)
    ledger.rename("hello", "welcome", AT)
    send(ledger, State.ACCEPTED, B)
    ledger.pull(tmp_path / "copy.state")
    ledger.close()
    goes_on(tmp_path / "copy.state")
    assert push(tmp_path / "copy.state", state).is_changed


@databases
@pytest.mark.parametrize("where", ["here", "there", "both"])
def test_a_stop_outlives_a_push(state, copy, where):
    for path in {"here": [state], "there": [copy], "both": [state, copy]}[where]:
        ledger = at(path)
        ledger.stop(STOP)
        ledger.close()
    goes_on_by_hand(copy, 3)
    push(copy, state)
    with closing(at(state)) as ledger:
        assert STOP == ledger.stopped


@everywhere
def test_that_absence_proves_nothing_outlives_a_push(state, copy):
    change(state, "INSERT INTO meta (name, value) VALUES ('absence', 'ask')")
    goes_on_by_hand(copy, 2)
    push(copy, state)
    with closing(at(state)) as ledger:
        assert not ledger.trusts_absence


@databases
@pytest.mark.parametrize("here", [None, "ana"])
def test_who_is_at_work_is_who_is_at_work_here(state, copy, here):
    """A copy that is made during a run holds the lease of that run."""
    for path, holder in ((state, here), (copy, "bo")):
        if holder:
            ledger = at(path)
            ledger.hold(LEASE._replace(holder=holder), lambda other: False)
            ledger.close()
    goes_on(copy)
    push(copy, state)
    with closing(at(state)) as ledger:
        assert ([here] if here else []) == [one.holder for one in ledger.leases]


def goes_on_by_hand(path, writes=1):
    for write in range(writes):
        change(path, ("INSERT INTO completions (message, revision, at) VALUES ('other', ?, ?)", (write + 1, AT)))


@everywhere
def test_the_log_of_both_is_kept_and_says_that_a_copy_was_pushed(state, copy):
    for path, reason in ((state, "at home"), (copy, "abroad")):
        ledger = at(path)
        ledger.stop(STOP._replace(reason=reason))
        ledger.close()
    goes_on_by_hand(copy, 3)
    push(copy, state)
    push(copy, state)
    kinds = [dict(row)["kind"] for row in rows(state, "events")["events"]]
    told = [dict(row)["detail"] for row in rows(state, "events")["events"]]
    assert ["push", "stop", "stop"] == sorted(kinds)
    assert (1, 1) == (sum("at home" in one for one in told), sum("abroad" in one for one in told))
    assert '{"from": 4, "to": 7}' in told


# — push: what would be forgotten —


@everywhere
def test_a_copy_without_a_common_history_is_refused(state, tmp_path):
    opened(tmp_path / "copy.state").close()
    for number in (A, B, C):
        goes_on(tmp_path / "copy.state", number)
    assert "SMS520" == refused(tmp_path / "copy.state", state)


@everywhere
def test_an_older_copy_is_refused(state, copy):
    goes_on(state, B)
    assert "SMS521" == refused(copy, state)


@everywhere
def test_a_copy_of_the_same_age_that_differs_is_refused(state, copy):
    goes_on(state, B)
    goes_on(copy, C)
    assert "SMS522" == refused(copy, state)


def test_a_copy_of_the_same_age_that_has_more_is_refused(state, copy):
    """Both wrote twice, each its own."""
    ledger = at(state)
    ledger.stop(STOP)
    ledger.resume(AT)
    ledger.close()
    goes_on(copy)
    assert ledgers.meta(state)["serial"] == ledgers.meta(copy)["serial"]
    assert "SMS522" == refused(copy, state)


@databases
@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda ledger: send(ledger, State.ACCEPTED, B), id="a send"),
        pytest.param(lambda ledger: send(ledger, State.ACCEPTED, C), id="a send of which the copy has another"),
        pytest.param(lambda ledger: send(ledger, State.NOT_SENT, B), id="a job whose send was not sent"),
        pytest.param(lambda ledger: send(ledger, State.ACCEPTED, A, revision=2), id="a revision"),
        pytest.param(lambda ledger: ledger.miss(ledgers.intent(B), epoch=1), id="a missed send"),
        pytest.param(lambda ledger: ledger.complete([("hello", 1)], AT), id="a completed revision"),
        pytest.param(lambda ledger: ledger.rename("hello", "welcome", AT), id="a renaming"),
        pytest.param(lambda ledger: ledger.rename("nobody", "somebody", AT), id="a renaming of nothing"),
        pytest.param(lambda ledger: ledger.resend([KEY], "lost", AT), id="a resend"),
    ],
)
def test_a_copy_that_lacks_what_happened_here_is_refused(state, copy, meanwhile):
    ledger = at(state)
    meanwhile(ledger)
    ledger.close()
    for revision in range(3, 9):
        goes_on(copy, C, revision=revision)
    goes_on(copy, C, at="2026-12-02T08:00:00Z")
    assert "SMS522" == refused(copy, state)


@everywhere
def test_a_name_given_to_another_message_in_the_copy_is_a_fork(state, copy):
    goes_on(state, A, message="welcome")
    ledger = at(copy)
    ledger.rename("hello", "welcome", AT)
    ledger.complete([("welcome", 1)], AT)
    ledger.complete([("welcome", 2)], AT)
    ledger.close()
    assert "SMS522" == refused(copy, state)


@pytest.mark.parametrize(
    "column",
    ["tag", "service", "body_digest", "text_digest", "plan_digest", "claimed_at", "not_after", "receivers", "send_at"],
)
def test_what_was_written_before_a_post_never_changes(state, copy, column):
    change(copy, f"UPDATE jobs SET {column} = '9'")
    assert "SMS522" == refused(copy, state)


def test_an_answer_that_came_later_is_no_contradiction(state, copy):
    change(copy, "UPDATE jobs SET answered_at = '2026-12-02T08:00:00Z', credits = 2.0, ids = '[9]', query_id = 'x'")
    assert push(copy, state).is_changed


def add_job(path, ordinal):
    """One more job like the first."""
    (job,) = (dict(row) for row in rows(path, "jobs")["jobs"] if ("ordinal", 1) in row)
    values = {**job, "ordinal": ordinal, "tag": f"tag {ordinal}"}
    places = ", ".join(f":{name}" for name in values)
    change(path, (f"INSERT INTO jobs ({', '.join(values)}) VALUES ({places})", values))


SETTLED = sorted(set(State) - IN_DOUBT)
#: Where a send may stand later without a claim and without a resend; written out, so that the code has a witness.
WITHOUT_CLAIM = {
    State.NOT_SENT: {State.ACCEPTED, State.DELIVERED, State.FAILED},
    State.ACCEPTED: {State.DELIVERED, State.FAILED},
    State.SCHEDULED: {State.ACCEPTED, State.DELIVERED, State.FAILED, State.CANCELLED},
}


@pytest.mark.parametrize("before", SETTLED)
@pytest.mark.parametrize("after", SETTLED)
def test_a_send_moves_on_by_legal_moves_only(state, copy, before, after):
    change(state, f"UPDATE sends SET state = '{before}'")
    goes_on_by_hand(copy, 2)
    change(copy, f"UPDATE sends SET state = '{after}'")
    if after in {before} | WITHOUT_CLAIM.get(before, set()):
        assert push(copy, state).is_changed
        assert {KEY: after} == states(state)
    else:
        assert "SMS522" == refused(copy, state)


@pytest.mark.parametrize("before", SETTLED)
@pytest.mark.parametrize("resends", [0, 1])
def test_only_what_was_free_or_freed_can_have_been_claimed_again(state, copy, before, resends):
    change(state, f"UPDATE sends SET state = '{before}'")
    goes_on(copy)
    add_job(copy, 9)
    change(copy, f"UPDATE sends SET attempts = 2, resends = {resends}, ordinal = 9 WHERE number = '{A}'")
    if resends or before in FREE | {State.SCHEDULED}:
        assert push(copy, state).is_changed
    else:
        assert "SMS522" == refused(copy, state)


@pytest.mark.parametrize("column", ["attempts", "resends", "ordinal"])
def test_what_is_counted_never_falls(state, copy, column):
    for path in (state, copy):
        add_job(path, 2)
        change(path, "UPDATE sends SET state = 'notSent', attempts = 3, resends = 2, ordinal = 2")
    change(copy, f"UPDATE sends SET {column} = {column} - 1")
    assert "SMS522" == refused(copy, state)


@pytest.mark.parametrize("after", sorted(set(State) - IN_DOUBT))
@pytest.mark.parametrize(("claims", "resends"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_what_a_stop_took_back_is_free_only_after_a_resend(state, copy, after, claims, resends):
    for path in (state, copy):
        add_job(path, 9)
        change(path, "UPDATE sends SET state = 'cancelled', taken_back = 'stop'")
    taken_back = "NULL" if resends else "'a plan'"
    change(
        copy,
        f"UPDATE sends SET state = '{after}', taken_back = {taken_back}, attempts = 1 + {claims}, resends = {resends}, "
        f"ordinal = 1 + {claims * 8}",
    )
    lawful = {
        (0, 1): {State.NOT_SENT, State.ACCEPTED, State.DELIVERED, State.FAILED},
        (1, 1): set(State),
    }
    if after in lawful.get((claims, resends), ()):
        assert push(copy, state).is_changed
    else:
        assert "SMS522" == refused(copy, state)


def test_what_a_plan_took_back_may_have_been_claimed_again(state, copy):
    for path in (state, copy):
        add_job(path, 9)
        change(path, "UPDATE sends SET state = 'cancelled', taken_back = 'a plan'")
    change(copy, "UPDATE sends SET state = 'accepted', attempts = 2, ordinal = 9")
    assert push(copy, state).is_changed


@pytest.mark.parametrize("here", [None, 1, 2])
@pytest.mark.parametrize("there", [None, 1, 2])
@pytest.mark.parametrize("is_distrusted", [True, False])
def test_that_absence_freed_a_send_once_is_forgotten_only_where_it_counts_no_more(
    state, copy, here, there, is_distrusted
):
    for path in (state, copy):
        add_job(path, 2)
        change(path, "UPDATE sends SET state = 'notSent', ordinal = 2, attempts = 2")
    for path, job in ((state, here), (copy, there)):
        change(path, ("UPDATE sends SET released_from = ?", (job,)))
    goes_on_by_hand(copy)
    if is_distrusted:
        change(copy, "INSERT INTO meta (name, value) VALUES ('absence', 'ask')")
    if is_distrusted or (there or 0) >= (here or 0):
        assert push(copy, state).is_changed
    else:
        assert "SMS522" == refused(copy, state)


# — push: what is in doubt —


@databases
@pytest.mark.parametrize("doubt", sorted(IN_DOUBT))
@pytest.mark.parametrize("where", ["here", "there", "both"])
def test_nothing_is_replaced_while_a_send_is_in_doubt(state, copy, doubt, where):
    if where != "there":
        change(state, f"UPDATE sends SET state = '{doubt}'")
    if where != "here":
        change(copy, f"UPDATE sends SET state = '{doubt}'")
    goes_on_by_hand(copy, 2)
    assert "SMS523" == refused(copy, state)


@everywhere
def test_a_run_at_work_is_waited_for(state, copy):
    goes_on(copy)
    running = at(state)
    claimed = claim(running, B)
    goes_on(copy, A, revision=2)
    assert "SMS523" == refused(copy, state)
    running.record(claimed, ledgers.Outcome(states={B: State.ACCEPTED}, at=AT))
    running.close()
    # What it sent is not in the copy.
    goes_on(copy, A, revision=3)
    assert "SMS522" == refused(copy, state)


# — push: what is no copy of this state —


@pytest.mark.parametrize("field", ["project", "provider", "endpoint", "service"])
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_copy_that_belongs_elsewhere_is_refused(state, copy, field, is_kept):
    goes_on(copy)
    place = state if is_kept else state.with_name("new.state")
    assert "SMS502" == refused(copy, place, BINDING._replace(**{field: "other"}))


def test_a_state_that_belongs_elsewhere_is_not_replaced(state, copy):
    goes_on(copy)
    change(state, "UPDATE meta SET value = 'other' WHERE name = 'service'")
    assert "SMS502" == refused(copy, state)


def emptied(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("{}\n" * 500)


def cut(path):
    os.truncate(path, 9000)


def overwritten(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def foreign(path):
    path.unlink()
    change_freely(path, "CREATE TABLE meta (name TEXT, value TEXT)")


def change_freely(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def by(*statements):
    return lambda path: change_freely(path, *statements)


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        pytest.param(emptied, "SMS501", id="emptied"),
        pytest.param(text, "SMS501", id="text"),
        pytest.param(cut, "SMS501", id="cut"),
        pytest.param(overwritten, "SMS501", id="overwritten"),
        pytest.param(foreign, "SMS501", id="another program's"),
        pytest.param(by("UPDATE meta SET value = '9' WHERE name = 'format'"), "SMS503", id="newer"),
        pytest.param(by("UPDATE meta SET value = '[\"x\"]' WHERE name = 'features'"), "SMS503", id="newer features"),
        pytest.param(by("UPDATE meta SET value = '5' WHERE name = 'features'"), "SMS501", id="odd features"),
        pytest.param(by("UPDATE meta SET value = 'x' WHERE name = 'serial'"), "SMS501", id="odd serial"),
        pytest.param(by("DELETE FROM meta WHERE name = 'lineage'"), "SMS501", id="no lineage"),
        pytest.param(by("DELETE FROM meta"), "SMS501", id="no meta"),
        pytest.param(by("DELETE FROM jobs"), "SMS501", id="no jobs"),
        pytest.param(by("UPDATE sends SET state = 'sent'"), "SMS501", id="odd state"),
        pytest.param(by("DROP TABLE completions"), "SMS501", id="a table less"),
        pytest.param(by("CREATE TABLE more (x)"), "SMS501", id="a table more"),
        pytest.param(by("ALTER TABLE sends ADD COLUMN more"), "SMS501", id="a column more"),
        pytest.param(by("ALTER TABLE sends DROP COLUMN resends"), "SMS501", id="a column less"),
        pytest.param(
            by("ALTER TABLE sends RENAME TO x", "CREATE VIEW sends AS SELECT * FROM x"), "SMS501", id="a view"
        ),
        pytest.param(lambda path: path.with_name("copy.state-journal").write_bytes(b"x"), "SMS501", id="a journal"),
        pytest.param(lambda path: path.with_name("copy.state-wal").write_bytes(b"x"), "SMS501", id="a log ahead"),
        pytest.param(by("PRAGMA journal_mode = WAL"), "SMS501", id="writing ahead"),
        pytest.param(os.unlink, "SMS001", id="gone"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), "SMS001", id="a folder"),
        pytest.param(lambda path: (path.unlink(), os.mkfifo(path)), "SMS001", id="a pipe"),
    ],
)
def test_a_copy_that_is_none_is_named(state, copy, spoil, expected, is_kept):
    goes_on(copy)
    spoil(copy)
    assert expected == refused(copy, state if is_kept else state.with_name("new.state"))


def test_a_damaged_copy_is_not_taken_for_a_damaged_state(state, copy):
    overwritten(copy)
    with pytest.raises(StateError) as caught:
        push(copy, state)
    (found,) = caught.value.diagnostics
    assert "copy.state" in found.detail
    assert sqlite_file.BAD_COPY == found.suggestion


def test_a_damaged_state_is_named_and_not_replaced(state, copy):
    goes_on(copy)
    change_freely(state, "DELETE FROM jobs")
    before = state.read_bytes()
    with pytest.raises(StateError, match=r"test\.state: 1 sends lack their job") as caught:
        push(copy, state)
    assert ("SMS501", "", before) == (code(caught), caught.value.diagnostics[0].suggestion, state.read_bytes())


@pytest.mark.parametrize("detail", ["{", "[]", '{"old": "hello"}', "5"])
def test_a_renaming_that_can_not_be_read_is_damage(state, copy, detail):
    change(copy, ("INSERT INTO events (at, kind, detail) VALUES ('x', 'rename', ?)", (detail,)))
    assert "SMS501" == refused(copy, state)


# — push: what an older version wrote —

#: What brings a file of today back to the first format.
FIRST_FORMAT = (
    *(f"DROP INDEX {name}" for name in ("sends_released", "sends_held", "sends_taken_back")),
    *(f"ALTER TABLE sends DROP COLUMN {name}" for name in ("released_from", "sms", "taken_back")),
    "ALTER TABLE sends ADD COLUMN releases INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs DROP COLUMN times",
    "UPDATE meta SET value = '1' WHERE name = 'format'",
)


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_copy_of_an_older_format_is_read_as_what_it_would_be_today(state, copy, is_kept):
    goes_on(copy)
    change_freely(copy, *FIRST_FORMAT)
    before = copy.read_bytes(), names(copy.parent)
    place = state if is_kept else state.with_name("new.state")
    assert push(copy, place).is_changed
    assert {A, C} == {number for _, _, number in states(place)}
    assert before == (copy.read_bytes(), [name for name in names(copy.parent) if name != "new.state"])


def test_a_state_of_an_older_format_is_that_of_its_copy(state, tmp_path):
    change_freely(state, *FIRST_FORMAT)
    shutil.copyfile(state, tmp_path / "copy.state")
    assert not push(tmp_path / "copy.state", state).is_changed


@pytest.mark.parametrize("spoil", [overwritten, by("DELETE FROM meta WHERE name = 'secret'"), by("DROP TABLE sends")])
def test_a_damaged_copy_of_an_older_format_is_blamed_itself(state, copy, spoil):
    change_freely(copy, *FIRST_FORMAT)
    spoil(copy)
    with pytest.raises(StateError) as caught:
        push(copy, state)
    assert ("SMS501", sqlite_file.BAD_COPY) == (code(caught), caught.value.diagnostics[0].suggestion)
    assert ["copy.state", "test.state"] == names(state.parent)


# — the legal moves —


def test_later_is_now_where_nothing_happens():
    for place in (*State, BARRED):
        assert place in later(place, 0, 0)
        assert State.INTENDED not in later(place, 0, 0) - {place}


@pytest.mark.parametrize("state", [*State, BARRED])
def test_three_claims_and_resends_lead_as_far_as_any_number(state):
    for claims in range(3, 7):
        for resends in range(3, 7):
            assert later(state, 3, 3) == later(state, claims, resends)
            for few in range(3):
                assert later(state, few, 3) == later(state, few, resends)
                assert later(state, 3, few) == later(state, claims, few)


def test_backup_by_hand_is_refused_only_where_it_may_lack_something(state, tmp_path):
    """A file that was copied while nothing wrote is as good as one that was pulled."""
    shutil.copyfile(state, tmp_path / "copy.state")
    goes_on(tmp_path / "copy.state")
    assert push(tmp_path / "copy.state", state).is_changed
