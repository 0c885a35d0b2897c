"""What every ledger must do. A new one adds itself to `ledgers.place` and to `KINDS`."""

import importlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import ledgers
import pytest
from stores import sealed

import smsdeclare.ledgers
from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, PlanStale, StateError
from smsdeclare.jobs import tag
from smsdeclare.ledgers.relational import RelationalLedger
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.records import Binding, Intent, Lease, Outcome, Stopped, ref
from smsdeclare.states import State

KINDS = ("sqlite", "postgresql", "git")
BINDING = Binding(project="shop", provider="ovh", endpoint="ovh-eu", service="sms-ab12345-1")
A, B, C = "+33639980001", "+33639980002", "+33639980003"


@dataclass(frozen=True)
class Request:
    not_after: int = 1_700_000_000
    body_digest: str = "b" * 64


def prepare(claim):
    return Request()


def intent(*numbers, message="hello", revision=1, text="t" * 64, template="w" * 64):
    return Intent(
        message=message,
        revision=revision,
        numbers=tuple(sorted(numbers)),
        text_digest=text,
        template_digest=template,
        options="{}",
        plan_digest="sha256:plan",
        claimed_at="2026-12-01T08:00:00Z",
    )


def outcome(states):
    return Outcome(
        states=states, at="2026-12-01T08:00:01Z", reasons={State.REJECTED: "not taken"}, credits=1.0, ids=[7]
    )


def test_every_kind_of_ledger_is_held_to_the_contract():
    folder = Path(smsdeclare.ledgers.__path__[0])
    for path in folder.glob("*.py"):
        importlib.import_module(f"smsdeclare.ledgers.{path.stem}")
    found = {one.__module__.rsplit(".", 1)[1] for one in RelationalLedger.__subclasses__()}
    assert set(KINDS) == found


@pytest.fixture(params=[*KINDS, *(f"{kind} without numbers" for kind in KINDS)])
def reopen(request, tmp_path):
    """Opens the same ledger again and again, as one process after another would."""
    kind, *is_hashed = request.param.split(" ", 1)
    # Encrypted as well; what git itself does is the same whatever is in the file, and takes its time.
    place = sealed() if is_hashed and kind == "git" else ledgers.place(kind, request, tmp_path)
    opened = []

    def again():
        opened.append(ledgers.Read(ledgers.at(place, ledgers.HASHED)) if is_hashed else ledgers.at(place))
        return opened[-1]

    yield again
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(reopen):
    ledger = reopen()
    ledger.bind(BINDING)
    return ledger


def states(ledger, message="hello", revision=1):
    return {known.number: known.state for known in ledger.known(message, revision)}


def test_before_its_first_write_it_is_empty_and_leaves_no_trace(reopen, tmp_path):
    before = list(tmp_path.iterdir())
    ledger = reopen()
    assert (None, None, [], before) == (
        ledger.binding,
        ledger.secret,
        list(ledger.records()),
        list(tmp_path.iterdir()),
    )


def test_its_first_write_binds_it_for_good(ledger, reopen):
    assert BINDING == reopen().binding


@pytest.mark.parametrize("field", ["project", "provider", "endpoint", "service"])
def test_it_refuses_to_belong_elsewhere(ledger, reopen, field):
    with pytest.raises(StateError) as caught:
        reopen().bind(BINDING._replace(**{field: "other"}))
    assert "SMS502" == caught.value.diagnostics[0].code.id
    assert f"its {field} is" in caught.value.diagnostics[0].detail


def test_binding_twice_to_the_same_changes_nothing(ledger, reopen):
    secret = ledger.secret
    again = reopen()
    again.bind(BINDING)
    assert secret == again.secret


def test_a_claim_is_on_record_before_anything_else_happens(ledger, reopen):
    claim, request = ledger.claim(intent(A, B), prepare, epoch=ledger.epoch)
    assert (Request(), (A, B), 1) == (request, claim.numbers, claim.ordinal)
    assert {A: State.INTENDED, B: State.INTENDED} == states(reopen())


def test_the_tag_follows_from_the_ordinal_alone(ledger):
    ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    claim, _ = ledger.claim(intent(B), prepare, epoch=ledger.epoch)
    assert tag("shop", "sms-ab12345-1", "hello", 1, 2) == claim.tag
    assert 20 == len(claim.tag)


def test_what_another_run_has_claimed_is_not_ours(ledger, reopen):
    other = reopen()
    other.claim(intent(A), prepare, epoch=other.epoch)
    claim, _ = ledger.claim(intent(A, B), prepare, epoch=ledger.epoch)
    assert (B,) == claim.numbers


def test_the_request_is_built_from_what_the_claim_got(ledger, reopen):
    reopen().claim(intent(A), prepare, epoch=1)
    seen = []
    ledger.claim(intent(A, B), lambda claim: seen.append(claim.numbers) or Request(), epoch=ledger.epoch)
    # Where it is only seen at the store that another was faster, it is built once more.
    assert (B,) == seen[-1]


def test_a_claim_of_nothing_free_is_none_and_makes_no_job(ledger):
    ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    assert ledger.claim(intent(A), prepare, epoch=ledger.epoch) is None
    claim, _ = ledger.claim(intent(B), prepare, epoch=ledger.epoch)
    assert 2 == claim.ordinal


def test_a_request_that_can_not_be_built_undoes_the_claim(ledger, reopen):
    def fail(claim):
        raise RuntimeError("no signature")

    with pytest.raises(RuntimeError):
        ledger.claim(intent(A), fail, epoch=ledger.epoch)
    assert {} == states(reopen())


def test_a_claim_for_an_older_epoch_is_refused(ledger):
    with pytest.raises(PlanStale):
        ledger.claim(intent(A), prepare, epoch=ledger.epoch - 1)
    assert {} == states(ledger)


def test_an_outcome_moves_each_send_to_its_own_state(ledger, reopen):
    claim, _ = ledger.claim(intent(A, B, C), prepare, epoch=ledger.epoch)
    ledger.record(claim, outcome({A: State.ACCEPTED, B: State.REJECTED, C: State.UNKNOWN}))
    assert {A: State.ACCEPTED, B: State.REJECTED, C: State.UNKNOWN} == states(reopen())
    assert ["not taken"] == [record.reason for record in ledger.records() if record.reason]


def test_claims_take_along_what_became_of_earlier_ones(ledger, reopen):
    claim, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    became = [(claim, outcome({A: State.ACCEPTED}))]
    ((other, _),) = ledger.claim_all([(intent(A, B), prepare)], epoch=ledger.epoch, outcomes=became)
    assert ((B,), {A: State.ACCEPTED, B: State.INTENDED}) == (other.numbers, states(reopen()))


@pytest.mark.parametrize("why", ["epoch", "stop", "request"])
def test_what_claims_take_along_falls_with_them_and_is_recorded_once_more(ledger, reopen, why):
    def fail(claim):
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail=""))

    claim, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    became = [(claim, outcome({A: State.ACCEPTED}))]
    if why == "stop":
        ledger.stop(Stopped(reason="why", actor="ana", at="2026-12-01T08:00:00Z"))
    wanted = [(intent(B), prepare), (intent(C), fail if why == "request" else prepare)]
    with pytest.raises((PlanStale, Held)):
        ledger.claim_all(wanted, epoch=ledger.epoch - (why == "epoch"), outcomes=became)
    assert {A: State.INTENDED} == states(reopen())
    assert 1 == ledger.record_all(became)
    assert 0 == ledger.record_all(became)
    assert {A: State.ACCEPTED} == states(reopen())


def test_a_late_outcome_of_a_job_that_no_longer_holds_the_send_moves_nothing(ledger):
    """C8 of the review: evidence about one job must not touch another."""
    first, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    ledger.record(first, outcome({A: State.NOT_SENT}))
    ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    assert 0 == ledger.record(first, outcome({A: State.REJECTED}))
    assert {A: State.INTENDED} == states(ledger)


@pytest.mark.parametrize("final", [State.ACCEPTED, State.REJECTED, State.SCHEDULED])
def test_what_was_settled_by_another_stays_as_it_is(ledger, final):
    claim, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    ledger.record(claim, outcome({A: final}))
    assert 0 == ledger.record(claim, outcome({A: State.NOT_SENT}))
    assert {A: final} == states(ledger)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.SCHEDULED, State.REJECTED, State.UNKNOWN, State.INTENDED])
def test_only_what_is_proved_not_sent_can_be_claimed_again(ledger, state):
    claim, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    if state is not State.INTENDED:
        ledger.record(claim, outcome({A: state}))
    assert ledger.claim(intent(A), prepare, epoch=ledger.epoch) is None


def test_what_is_proved_not_sent_is_claimed_again_under_a_new_job(ledger):
    first, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    ledger.record(first, outcome({A: State.NOT_SENT}))
    second, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    assert (first.ordinal + 1, 2) == (second.ordinal, next(ledger.records()).attempts)
    assert first.tag != second.tag


def test_known_sends_come_in_the_order_of_their_numbers(ledger):
    for one in (C, A, B):
        ledger.claim(intent(one), prepare, epoch=ledger.epoch)
    assert [A, B, C] == [known.number for known in ledger.known("hello", 1)]


def test_messages_and_revisions_do_not_mix(ledger):
    ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    ledger.claim(intent(A, revision=3), prepare, epoch=ledger.epoch)
    ledger.claim(intent(A, message="other"), prepare, epoch=ledger.epoch)
    assert [1, 3] == list(ledger.revisions("hello"))
    assert 1 == len(list(ledger.records("hello", 3)))
    assert 2 == len(list(ledger.records("hello")))
    assert 3 == len(list(ledger.records()))


def test_everything_in_doubt_is_listed(ledger):
    first, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    second, _ = ledger.claim(intent(B), prepare, epoch=ledger.epoch)
    ledger.claim(intent(C), prepare, epoch=ledger.epoch)
    ledger.record(first, outcome({A: State.ACCEPTED}))
    ledger.record(second, outcome({B: State.UNKNOWN}))
    assert [(B, State.UNKNOWN), (C, State.INTENDED)] == [(one.number, one.state) for one in ledger.in_doubt()]


def test_an_id_is_told_only_where_it_is_certain_whose_it_is(ledger):
    one, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    ledger.record(one, outcome({A: State.ACCEPTED}))
    two, _ = ledger.claim(intent(B, C), prepare, epoch=ledger.epoch)
    ledger.record(two, outcome({B: State.ACCEPTED, C: State.ACCEPTED})._replace(ids=[8, 9], credits=2.0))
    assert [(7, 1.0), (None, 1.0), (None, 1.0)] == [(record.id, record.credits) for record in ledger.records()]


def test_a_ref_is_eight_characters_and_differs_between_sends(ledger):
    refs = {ref(ledger.secret, "hello", 1, one) for one in (A, B, C)}
    assert {8} == {len(one) for one in refs}
    assert 3 == len(refs)
    assert set("".join(refs)) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_the_latest_texts_of_messages_that_left_the_files_are_known(ledger):
    ledger.claim(intent(A, message="gone", template="old"), prepare, epoch=ledger.epoch)
    ledger.claim(intent(A, message="gone", revision=2, template="new"), prepare, epoch=ledger.epoch)
    ledger.claim(intent(A, message="here", template="kept"), prepare, epoch=ledger.epoch)
    assert {"new": "gone"} == ledger.left_texts({"here"})


def test_a_renamed_message_takes_its_history_along(ledger, reopen):
    claim, _ = ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)
    ledger.record(claim, outcome({A: State.ACCEPTED}))
    epoch = ledger.epoch
    ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    again = reopen()
    assert ({}, {A: State.ACCEPTED}, epoch + 1) == (states(again, "old"), states(again, "new"), again.epoch)
    assert again.epoch == ledger.epoch
    claim, _ = ledger.claim(intent(B, message="new"), prepare, epoch=ledger.epoch)
    assert 2 == claim.ordinal


def test_a_name_without_a_history_is_given_up_on_record(ledger, reopen):
    epoch = ledger.epoch
    ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    assert (epoch + 1, "new", None) == (reopen().epoch, ledger.renamed_to("old"), ledger.renamed_to("new"))
    ledger.rename("new", "old", "2026-12-01T08:00:00Z")
    assert (None, "old") == (ledger.renamed_to("old"), ledger.renamed_to("new"))


def test_a_renaming_that_another_run_has_done_is_not_done_again(ledger, reopen):
    claim, _ = ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)
    ledger.record(claim, outcome({A: State.ACCEPTED}))
    other = reopen()
    ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    other.rename("old", "new", "2026-12-01T08:00:00Z")
    assert ledger.epoch == other.epoch == reopen().epoch
    assert ledger.claim(intent(B, message="new"), prepare, epoch=ledger.epoch)
    assert {A: State.ACCEPTED, B: State.INTENDED} == states(reopen(), "new")


@pytest.mark.parametrize("written", ["x", "[]", '{"old": "a"}'])
def test_a_renaming_that_can_not_be_read_is_damage(tmp_path, written):
    with closing(SqliteLedger(tmp_path / "test.state")) as made:
        made.bind(BINDING)
    row = ("INSERT INTO events (at, kind, detail) VALUES ('x', 'rename', ?)", (written,))
    ledgers.change(tmp_path / "test.state", row)
    with closing(SqliteLedger(tmp_path / "test.state")) as found, pytest.raises(StateError) as caught:
        found.renamed_to("b")
    assert "SMS501" == caught.value.diagnostics[0].code.id


def test_no_history_is_put_over_another(ledger):
    for name in ("old", "new"):
        claim, _ = ledger.claim(intent(A, message=name), prepare, epoch=ledger.epoch)
        ledger.record(claim, outcome({A: State.ACCEPTED}))
    with pytest.raises(PlanStale):
        ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    assert {A: State.ACCEPTED} == states(ledger, "old") == states(ledger, "new")


def test_a_message_with_sends_in_doubt_keeps_its_name(ledger):
    ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)
    with pytest.raises(StateError) as caught:
        ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    assert ("SMS510", {A: State.INTENDED}) == (caught.value.diagnostics[0].code.id, states(ledger, "old"))


def test_a_name_that_is_used_again_never_gives_out_a_tag_twice(ledger):
    first, _ = ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)
    ledger.record(first, outcome({A: State.ACCEPTED}))
    ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    second, _ = ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)
    assert first.tag != second.tag


def test_what_is_missed_is_refused_like_a_claim(ledger):
    with pytest.raises(PlanStale):
        ledger.miss(intent(A), epoch=ledger.epoch - 1)
    assert {} == states(ledger)


def test_credits_of_an_open_job_count_as_planned_until_the_provider_says(ledger):
    claim, _ = ledger.claim(intent(A, B)._replace(estimate=2.0), prepare, epoch=ledger.epoch)
    open_job = ledger.credits_taken("hello", 1)
    ledger.record(claim, outcome({A: State.NOT_SENT, B: State.NOT_SENT})._replace(credits=None))
    assert (2.0, 0.0) == (open_job, ledger.credits_taken("hello", 1))


def test_credits_are_summed_by_revision_and_day(ledger):
    assert [] == ledger.spendings()
    for number, day, estimate in ((A, "2026-12-02", 2.5), (B, "2026-12-01", 1.0), (C, "2026-12-02", 4.0)):
        wanted = intent(number)._replace(estimate=estimate, claimed_at=f"{day}T23:59:59Z")
        claim, _ = ledger.claim(wanted, prepare, epoch=ledger.epoch)
        if number == B:
            ledger.record(claim, outcome({B: State.ACCEPTED})._replace(credits=3.0))
    ledger.claim(intent(A, message="again")._replace(estimate=1.0), prepare, epoch=ledger.epoch)
    assert [
        ("again", 1, "2026-12-01", 1.0),
        ("hello", 1, "2026-12-01", 3.0),
        ("hello", 1, "2026-12-02", 6.5),
    ] == ledger.spendings()


def test_a_revision_is_complete_once_it_is_said_to_be(ledger, reopen):
    before = ledger.is_complete("hello", 1)
    ledger.complete([("hello", 1), ("hello", 1)], "2026-12-01T08:00:00Z")
    assert (False, True, False) == (before, reopen().is_complete("hello", 1), ledger.is_complete("hello", 2))


def test_a_refused_claim_is_no_first_send(ledger):
    claim, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    open_job = ledger.first_sent("hello", 1)
    ledger.record(claim, outcome({A: State.NOT_SENT})._replace(credits=None))
    assert ("2026-12-01T08:00:00Z", None) == (open_job, ledger.first_sent("hello", 1))


def test_a_claim_made_before_a_rename_is_refused(ledger, reopen):
    epoch = reopen().epoch
    ledger.rename("old", "new", "2026-12-01T08:00:00Z")
    with pytest.raises(PlanStale):
        ledger.claim(intent(A), prepare, epoch=epoch)


def test_what_was_planned_before_a_rename_is_refused_however_newly_it_was_read(ledger, reopen):
    """A ledger that is kept elsewhere learns of what others stored; what was planned before does not."""
    other = reopen()
    other.rename("old", "new", "2026-12-01T08:00:00Z")
    mine = Lease(holder="x", actor="x", host="x", pid=1, ci=None, since="x", until="x", digest="x")
    assert ledger.hold(mine, lambda one: False) is None
    assert (None, (mine,)) == (ledger.stopped, ledger.leases)
    with pytest.raises(PlanStale):
        ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)


def test_what_was_planned_on_nothing_is_refused_where_there_is_a_history_by_now(reopen):
    ledger, other = reopen(), reopen()
    other.bind(BINDING)
    other.rename("old", "new", "2026-12-01T08:00:00Z")
    ledger.bind(BINDING)
    with pytest.raises(PlanStale):
        ledger.claim(intent(A, message="old"), prepare, epoch=ledger.epoch)


def test_what_no_claim_would_get_is_told_before(ledger):
    for state, one in zip((State.ACCEPTED, State.NOT_SENT, State.UNKNOWN), (A, B, C), strict=True):
        claim, _ = ledger.claim(intent(one), prepare, epoch=ledger.epoch)
        ledger.record(claim, outcome({one: state}))
    ledger.claim(intent(A, message="other"), prepare, epoch=ledger.epoch)
    assert [A, C] == sorted(ledger.taken("hello", 1, [A, B, C, "+33639980004"]))
    assert [A] == list(ledger.taken("hello", 1, [A] * 2000))[:1]
    assert [] == list(ledger.taken("hello", 2, [A, B, C]))


# — leases —


def lease(holder, digest=None):
    moment = "2026-12-01T08:00:00Z"
    return Lease(holder=holder, actor="x", host="x", pid=1, ci=None, since=moment, until=moment, digest=digest)


def never_over(lease):
    return False


def test_another_run_has_to_wait_until_the_lease_is_given_back_or_over(ledger, reopen):
    other = reopen()
    assert ledger.hold(lease("a"), never_over) is None
    assert lease("a") == other.hold(lease("b"), never_over)
    assert other.hold(lease("b"), lambda lease: True) is None
    assert (lease("b"),) == ledger.leases
    assert ((), (lease("b"),), ()) == (ledger.let_go("a", "x"), ledger.let_go("b", "x"), other.leases)


def test_runs_of_one_plan_stand_beside_one_another_where_the_ledger_is_shared(ledger, reopen):
    other, third = reopen(), reopen()
    ledger.hold(lease("a", "one plan"), never_over)
    met = other.hold(lease("b", "one plan"), never_over)
    assert met == (None if ledger.is_shared else lease("a", "one plan"))
    assert third.hold(lease("c", "another plan"), never_over) is not None
    assert third.hold(lease("c"), never_over) is not None
    if ledger.is_shared:
        ledger.let_go("a", "x")
        assert (lease("b", "one plan"),) == third.leases


def test_a_renewed_lease_is_one_lease(ledger):
    for until in ("2026-12-01T08:01:00Z", "2026-12-01T08:02:00Z"):
        ledger.hold(lease("a", "a plan")._replace(until=until), never_over)
    assert ["2026-12-01T08:02:00Z"] == [one.until for one in ledger.leases]


def test_whoever_unlocks_takes_the_leases_of_all(ledger, reopen):
    ledger.hold(lease("a", "a plan"), never_over)
    reopen().hold(lease("b", "a plan"), never_over)
    taken = ledger.let_go(None, "x")
    assert [*(["a", "b"] if ledger.is_shared else ["a"])] == [one.holder for one in taken]
    assert () == ledger.leases


@pytest.mark.parametrize("written", ["", "{}", "[1]", "nobody"])
def test_a_lease_that_can_not_be_read_holds_nobody_up(tmp_path, written):
    ledger = ledgers.opened(tmp_path / "test.state")
    ledgers.change(tmp_path / "test.state", ("INSERT INTO meta (name, value) VALUES ('lease', ?)", (written,)))
    assert ((), None) == (ledger.leases, ledger.hold(lease("a"), never_over))
    ledger.close()


def test_the_lease_of_an_older_version_counts(tmp_path):
    ledger = ledgers.opened(tmp_path / "test.state")
    written = {name: value for name, value in lease("a")._asdict().items() if name != "digest"}
    row = ("INSERT INTO meta (name, value) VALUES ('lease', ?)", (json.dumps(written),))
    ledgers.change(tmp_path / "test.state", row)
    assert lease("a") == ledger.hold(lease("b"), never_over)
    ledger.close()


# — the SQLite file —


def test_the_file_is_for_its_owner_only(tmp_path):
    ledger = SqliteLedger(tmp_path / "test.state")
    ledger.bind(BINDING)
    ledger.close()
    assert "0o600" == oct((tmp_path / "test.state").stat().st_mode & 0o777)
    assert ["test.state"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "SMS501", id="emptied"),
        pytest.param(b"{}\n" * 100, "SMS501", id="no database"),
        pytest.param(b"SQLite format 3\0" + b"\0" * 84, "SMS501", id="torn"),
    ],
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path, content, code):
    path = tmp_path / "test.state"
    path.write_bytes(content)
    with pytest.raises(StateError) as caught:
        SqliteLedger(path)
    assert (code, content) == (caught.value.diagnostics[0].code.id, path.read_bytes())


def test_another_programs_database_is_no_state(tmp_path):
    connection = sqlite3.connect(tmp_path / "test.state")
    connection.execute("CREATE TABLE meta (name TEXT, value TEXT)")
    connection.close()
    with pytest.raises(StateError, match="damaged"):
        SqliteLedger(tmp_path / "test.state")


def test_a_link_is_not_followed(tmp_path):
    real = SqliteLedger(tmp_path / "real.state")
    real.bind(BINDING)
    real.close()
    (tmp_path / "test.state").symlink_to(tmp_path / "real.state")
    with pytest.raises(StateError):
        SqliteLedger(tmp_path / "test.state")


@pytest.mark.parametrize(("name", "value"), [("format", "3"), ("features", '["hashed numbers"]')])
def test_a_newer_file_is_refused(tmp_path, name, value):
    path = tmp_path / "test.state"
    ledger = SqliteLedger(path)
    ledger.bind(BINDING)
    ledger.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
    connection.commit()
    connection.close()
    with pytest.raises(StateError) as caught:
        SqliteLedger(path)
    assert "SMS503" == caught.value.diagnostics[0].code.id


def test_every_write_raises_the_serial(tmp_path):
    path = tmp_path / "test.state"
    ledger = SqliteLedger(path)
    ledger.bind(BINDING)
    claim, _ = ledger.claim(intent(A), prepare, epoch=ledger.epoch)
    ledger.record(claim, outcome({A: State.ACCEPTED}))
    ledger.close()
    connection = sqlite3.connect(path)
    rows = dict(connection.execute("SELECT name, value FROM meta"))
    connection.close()
    assert "3" == rows["serial"]
