"""Who is erased is on record nowhere, and is never sent the same again; on every kind of ledger."""

from datetime import timedelta

import ledgers
import pytest
import worlds
from contract.test_ledgers import KINDS
from ledgers import AT, HASHED, A, B, C, Numbers
from timed import RULES, START, World, job

from smsdeclare.cancel import finish
from smsdeclare.errors import InputError, PlanStale, StateError
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.records import Key, Outcome, Stopped
from smsdeclare.states import State

#: Numbers in clear, and the key of what is erased.
KEYED = Numbers(key=HASHED.key)
DIGITS = [one[start:] for one in (A, B, C) for start in (1, 3)]


@pytest.fixture(params=KINDS)
def any_place(request, tmp_path):
    return ledgers.place(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """A store of whole files does what SQLite does, and takes its time."""
    return ledgers.place(request.param, request, tmp_path)


@pytest.fixture
def ledger(place):
    opened = ledgers.opened(place, KEYED)
    yield opened
    opened.close()


def key(number, message="hello"):
    return Key(message, 1, number)


def found(ledger, message="hello"):
    """What a plan sees of A, B and C."""
    by_name = {one.number: one.state for one in ledger.known(message, 1)}
    return {number: by_name[name] for number in (A, B, C) for name in ledger.names(number) if name in by_name}


def tells(place, number):
    written = place.read_bytes()
    return any(one.encode() in written for one in (number[1:], number[3:]))


def test_nothing_tells_who_it_was_and_nobody_gets_it_again(any_place):
    place, ledger = any_place, ledgers.opened(any_place, KEYED)
    ledgers.send(ledger, State.ACCEPTED, A, B)
    ledgers.send(ledger, State.ACCEPTED, A, message="other")
    epoch = ledger.epoch
    assert 1 == ledger.erase([key(A)], AT, "forget")
    assert (epoch + 1, {A: State.ACCEPTED, B: State.ACCEPTED}) == (ledger.epoch, found(ledger))
    assert ledgers.claim(ledger, A) is None
    assert (C,) == ledgers.claim(ledger, A, B, C).numbers
    # Of the other message it is still there, since nobody asked for that.
    assert {A: State.ACCEPTED} == found(ledger, "other")
    assert 1 == ledger.erase([key(A, "other")], AT, "forget")
    assert not tells(place, A)
    assert tells(place, B)
    assert [A, B] == sorted(ledger.taken("hello", 1, [A, B, "+33639980009"]))
    assert ledger.is_on_record(key(A))
    assert not ledger.is_on_record(key("+33639980009"))
    ledger.close()


def test_two_states_can_not_be_joined_by_their_hashes(tmp_path):
    """Although their numbers and the key in the environment are the same."""
    names = []
    for name in ("one", "other"):
        ledger = ledgers.opened(tmp_path / f"{name}.state", HASHED)
        names += ledger.names(A)
        ledger.close()
    assert 2 == len(set(names))


@pytest.mark.parametrize("state", [State.UNKNOWN, State.INTENDED, State.SCHEDULED, State.CANCELLING])
def test_what_is_open_is_named_and_then_nothing_is_erased(ledger, place, state):
    ledgers.send(ledger, State.ACCEPTED, A)
    claim = ledgers.claim(ledger, B)
    if state is not State.INTENDED:
        first = State.SCHEDULED if state is State.CANCELLING else state
        ledger.record(claim, Outcome(states={B: first}, at=AT))
    if state is State.CANCELLING:
        (held,) = ledger.posted_held()
        ledger.take_back(held, "stop")
    before = ledgers.rows(place)
    with pytest.raises(StateError) as caught:
        ledger.erase([key(A), key(B)], AT, "forget")
    (diagnostic,) = caught.value.diagnostics
    word = "unknown" if state is State.INTENDED else state.value
    assert ("SMS545", True) == (diagnostic.code.id, diagnostic.detail.endswith(f" is {word}"))
    assert before == ledgers.rows(place)
    if state is not State.SCHEDULED:
        with pytest.raises(StateError):
            ledger.hash_numbers(AT)
        assert before == ledgers.rows(place)


def test_what_was_never_sent_never_is(ledger):
    ledgers.send(ledger, State.NOT_SENT, A)
    ledger.erase([key(A)], AT, "forget")
    assert ({A: State.MISSED}, None) == (found(ledger), ledgers.claim(ledger, A))


def test_a_run_that_planned_before_claims_nothing(ledger):
    ledgers.send(ledger, State.ACCEPTED, A)
    epoch = ledger.epoch
    ledger.erase([key(A)], AT, "forget")
    with pytest.raises(PlanStale):
        ledgers.claim(ledger, B, epoch=epoch)


def test_nobody_frees_what_was_erased_and_no_receipt_brings_it_back(ledger):
    ledgers.send(ledger, State.ACCEPTED, A)
    ledger.erase([key(A)], AT, "forget")
    (record,) = ledger.records()
    assert (None, "erased", None) == (record.receiver, record.reason, record.id)
    with pytest.raises(StateError, match="can't be freed"):
        ledger.resend([Key("hello", 1, record.number)], "again", AT)
    assert [] == ledger.posted_taken()
    assert 0 == ledger.erase([Key("hello", 1, record.number)], AT, "forget")


def test_the_ids_that_would_lead_to_the_receivers_go_with_the_last_of_them(ledger, place):
    claim = ledgers.claim(ledger, A, B)
    ledger.record(claim, Outcome(states=dict.fromkeys((A, B), State.ACCEPTED), at=AT, ids=[7, 8], query_id="q"))
    for number, ids in ((A, "[7, 8]"), (B, "[]")):
        ledger.erase([key(number)], AT, "forget")
        (row,) = ledgers.rows(place, "jobs")["jobs"]
        assert ids == dict(row)["ids"]
    assert dict(row)["query_id"] is None


def test_events_forget_as_well(ledger, place):
    ledgers.send(ledger, State.ACCEPTED, A, B)
    ledger.resend([key(A), key(B)], f"{A} and {B} asked", AT)
    ledgers.send(ledger, State.ACCEPTED, A, B)
    ledger.erase([key(A)], AT, "forget")
    assert not tells(place, A)
    assert "resend" in {dict(row)["kind"] for row in ledgers.rows(place, "events")["events"]}


def test_sends_that_were_over_before_a_moment(ledger):
    ledgers.send(ledger, State.ACCEPTED, A, at="2026-09-01T08:00:00Z")
    ledgers.send(ledger, State.UNKNOWN, B, at="2026-09-01T09:00:00Z")
    ledgers.send(ledger, State.NOT_SENT, "+33639980009", at="2026-09-01T09:00:00Z")
    ledgers.send(ledger, State.ACCEPTED, C, at="2026-12-01T09:00:00Z")
    assert [key(A), key(B)] == ledger.over("2026-10-01T00:00:00Z")
    ledger.erase([key(A)], AT, "prune")
    assert [key(B)] == ledger.over("2026-10-01T00:00:00Z")


def test_hashing_all_numbers_forgets_nobody(any_place):
    place, ledger = any_place, ledgers.opened(any_place, KEYED)
    ledgers.send(ledger, State.ACCEPTED, A)
    ledgers.send(ledger, State.SCHEDULED, B)
    ledger.resend([key(A)], f"asked for by {A}", AT)
    ledger.erase([key(A)], AT, "forget")
    ledger.stop(Stopped(reason=f"{C} called", actor="x", at=AT))
    epoch = ledger.epoch
    assert 1 == ledger.hash_numbers(AT)
    assert (True, epoch + 1) == (ledger.are_hashed, ledger.epoch)
    assert not any(tells(place, one) for one in (A, B, C))
    ledger.resume(AT)
    hashed = ledgers.at(place, HASHED)
    assert {A: State.MISSED, B: State.SCHEDULED} == found(hashed)
    assert (C,) == ledgers.claim(hashed, A, B, C).numbers
    hashed.close()
    with pytest.raises(StateError, match="another way"):
        ledgers.at(place, Numbers(are_hashed=False))
    with pytest.raises(StateError, match="already"):
        ledger.hash_numbers(AT)
    ledger.close()


@pytest.mark.parametrize(("numbers", "error"), [(AS_KEPT, InputError), (Numbers(key=b"x" * 32), StateError)])
def test_where_something_was_erased_another_key_makes_nobody_look_new(ledger, place, numbers, error):
    ledgers.send(ledger, State.ACCEPTED, A, B)
    ledger.erase([key(A)], AT, "forget")
    other = ledgers.at(place, numbers)
    for write in (
        lambda: ledgers.claim(other, A),
        lambda: other.erase([key(B)], AT, "forget"),
        lambda: other.hash_numbers(AT),
    ):
        with pytest.raises(error):
            write()
    other.close()


def test_without_a_key_nothing_is_erased(place):
    ledger = ledgers.opened(place)
    ledgers.send(ledger, State.ACCEPTED, A)
    before = ledgers.rows(place)
    for erase in (lambda: ledger.erase([key(A)], AT, "forget"), lambda: ledger.hash_numbers(AT)):
        with pytest.raises(InputError, match="not set"):
            erase()
    assert before == ledgers.rows(place)
    ledger.close()


def test_a_job_whose_receiver_was_erased_still_proves_that_lists_can_be_trusted(tmp_path):
    """What is unknown is given back as where nobody was erased."""
    here = World(tmp_path, "ad", numbers=KEYED)
    first, second = worlds.number(1), worlds.number(2)
    here.apply(job(first), job(second, text="b"))
    ledger = here._ledger()
    assert 1 == ledger.erase([key(first)], AT, "forget")
    ledger.close()
    here.time.pass_(minutes=30)
    assert [(0, 1)] == [(event.taken, event.freed) for event in here.settle()]
    here.time.pass_(hours=3)
    here.apply(job(first), job(second, text="b"))
    assert [first, second] == here.received
    # Refresh reads receipts of who is still on record.
    here.refresh()
    assert not tells(here.path, first)


def test_when_and_as_which_sms_somebody_had_it_goes_with_the_number(tmp_path):
    here = World(tmp_path, numbers=KEYED)
    here.apply(job(A))
    here.time.pass_(minutes=1)
    here.refresh()
    ledger = here._ledger()
    (before,) = ledger.records()
    ledger.erase([key(A)], AT, "forget")
    (after,) = ledger.records()
    ledger.close()
    assert None not in (before.id, before.delivered_at)
    assert (State.DELIVERED, None, None) == (after.state, after.id, after.delivered_at)


def test_who_opened_it_before_numbers_were_hashed_takes_nothing_for_gone(tmp_path):
    """Hashes meet numbers in the provider's lists: what does not match must not look as if it were not there."""
    here = World(tmp_path, numbers=KEYED)
    here.apply(job(A, send_at=START + timedelta(hours=5)))
    before = here._ledger()
    ledger = here._ledger()
    ledger.hash_numbers(AT)
    (held,) = ledger.posted_held()
    ledger.take_back(held, "stop")
    ledger.close()
    epoch = before.epoch
    (event,) = finish(before, here.provider, here.time, RULES)
    assert (1, []) == (len(event.cancelled), here.received)
    # What it planned with is as old as it was.
    assert epoch == before.epoch
    before.close()


def test_who_opened_it_before_numbers_were_hashed_takes_nothing_back(ledger, place):
    """Such a plan looks as if the files asked for none of what is held."""
    ledgers.send(ledger, State.SCHEDULED, A)
    before = ledgers.at(place, KEYED)
    ledger.hash_numbers(AT)
    (held,) = before.posted_held()
    with pytest.raises(PlanStale):
        before.take_back(held, "sha256:plan")
    before.close()
    assert {A: State.SCHEDULED} == found(ledger)
