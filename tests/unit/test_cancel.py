"""Taking back what the provider holds: recorded, asked for, and seen gone from both lists."""

from contextlib import closing
from datetime import timedelta

import pytest
import requests
import worlds
from ledgers import HASHED
from timed import START, World, job, rules

from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.simulator.settings import ALL_RULES, Credential

A, B = worlds.number(0), worlds.number(1)
DUE = START + timedelta(hours=5)


@pytest.fixture(params=[AS_KEPT, HASHED], ids=["with numbers", "without"])
def world(tmp_path, request):
    return lambda script="", **settings: World(tmp_path, script, numbers=request.param, **settings)


@pytest.fixture
def held(world):
    def make(**settings):
        here = world(**settings)
        here.apply(job(A, B, send_at=DUE))
        assert {A: "scheduled", B: "scheduled"} == here.states
        return here

    return make


def test_what_is_taken_back_is_gone_and_on_record(held):
    here = held()
    (event,) = here.take_back()
    assert ({A, B}, 0, 0) == (event.cancelled, event.slipped, event.left)
    assert ({A: "cancelled", B: "cancelled"}, []) == (here.states, here.received)


def test_it_is_on_record_before_the_provider_is_asked(held):
    here = held()
    states = []
    send = here.wire.send

    def look(request, **settings):
        if request.method == "DELETE":
            states.append(set(here.states.values()))
        return send(request, **settings)

    here.wire.send = look
    here.take_back()
    assert [{"cancelling"}] * 2 == states


def test_both_lists_are_read_two_minutes_apart(held):
    here = held()
    before = here.time.elapsed
    here.take_back()
    assert 120.0 == here.time.elapsed - before
    kinds = [one.split("?")[0].rpartition("/")[2] for one in here.wire.requests]
    assert kinds.index("outgoing", kinds.index("jobs", 6)) > len(kinds) - 1 - kinds[::-1].index("jobs")


@pytest.mark.parametrize("arrives", [True, False])
def test_a_delete_without_an_answer_proves_nothing(held, arrives):
    here = held()
    here.time.pass_(minutes=10)
    send = here.wire.send

    def lose(request, **settings):
        if request.method != "DELETE":
            return send(request, **settings)
        if arrives:
            send(request, **settings)
        raise requests.ConnectionError

    here.wire.send = lose
    here.take_back()
    here.wire.send = send
    assert {"cancelled" if arrives else "cancelling"} == set(here.states.values())
    here.finish()
    assert ({"cancelled"}, []) == (set(here.states.values()), here.received)


@pytest.fixture
def being_taken_back(held):
    """On record as being taken back, by a run that got no further; and still waiting at the provider."""

    def make(**settings):
        here = held(**settings)
        with closing(here.ledger()) as ledger:
            (mine,) = ledger.posted_held()
            ledger.take_back(mine, "sha256:plan")
        return here, mine

    return make


@pytest.mark.parametrize(("minutes", "state"), [(6, "cancelling"), (8, "cancelled")])
def test_what_was_posted_just_now_may_be_missing_because_it_is_not_listed_yet(being_taken_back, minutes, state):
    here, mine = being_taken_back()
    for number in mine.ids:
        here.provider.take_back(number)
    here.time.pass_(minutes=minutes)
    here.finish()
    assert {state} == set(here.states.values())


@pytest.mark.parametrize(("seconds", "state"), [(8, "cancelling"), (11, "cancelled")])
def test_where_absence_counts_within_seconds_so_soon_is_everything_listed(being_taken_back, seconds, state):
    here, mine = being_taken_back()
    for number in mine.ids:
        here.provider.take_back(number)
    here.time.pass_(seconds=seconds)
    here.finish(rules(after=timedelta(seconds=10), moving=timedelta()))
    assert {state} == set(here.states.values())


def test_what_was_posted_just_now_is_gone_where_the_provider_says_that_it_dropped_it(held):
    here = held()
    here.take_back()
    assert {"cancelled"} == set(here.states.values())


@pytest.mark.parametrize(("seconds", "state"), [(61, "cancelled"), (59, "cancelling")])
def test_seconds_before_its_time_nobody_knows_whether_it_has_come(being_taken_back, seconds, state):
    here, mine = being_taken_back()
    for number in mine.ids:
        here.provider.take_back(number)
    here.time.elapsed = (DUE - START).total_seconds() - seconds
    here.finish()
    assert {state} == set(here.states.values())


def test_a_week_after_its_time_nothing_follows_from_what_is_not_listed(being_taken_back):
    """The provider forgets; what it sent then would be taken for what it never sent."""
    here, _ = being_taken_back(retention_days=3.0)
    here.time.pass_(days=8)
    here.apply(job(B, message="other"))
    here.time.pass_(minutes=10)
    here.finish()
    assert "cancelling" == here.states[A]


def test_what_the_provider_does_not_list_yet_is_not_taken_for_gone(held):
    """Else it would be on record as taken back, and both it and its replacement would go out."""
    here = held(jobs_lag=280.0)
    here.take_back()
    assert ({A: "cancelling", B: "cancelling"}, [A, B]) == (here.states, here.received)
    here.time.pass_(minutes=7)
    here.finish()
    assert ({A: "cancelled", B: "cancelled"}, []) == (here.states, here.received)


def test_what_was_posted_long_after_its_claim_is_not_taken_for_gone_before_it_is_listed(world):
    """A machine that sleeps between claim and POST: the request is taken as long as its signature is."""
    here = world(jobs_lag=280.0, signature_window=600.0)
    send = here.wire.send

    def sleep_first(request, **settings):
        if request.method == "POST":
            here.time.pass_(minutes=8)
        return send(request, **settings)

    here.wire.send = sleep_first
    here.apply(job(A, send_at=DUE))
    assert {A: "scheduled"} == here.states
    here.take_back()
    assert ({A: "cancelling"}, [A]) == (here.states, here.received)
    here.time.pass_(minutes=7)
    here.finish()
    assert ({A: "cancelled"}, []) == (here.states, here.received)


def test_what_goes_out_a_little_early_is_not_taken_for_taken_back(world):
    """The provider's time is known in whole seconds, and so an SMS may go out up to one before its time."""
    here = world(clock_ahead=420.5, list_lag=280.0)
    here.time.elapsed = 0.6
    here.provider.connect()
    here.time.elapsed = 1.0
    due = here.provider.now() + timedelta(hours=5)
    here.apply(job(A, send_at=due))
    (sms,) = here.simulator.journal
    assert 0.5 == due.timestamp() - sms["dueAt"]
    with closing(here.ledger()) as ledger:
        (mine,) = ledger.posted_held()
        ledger.take_back(mine, "sha256:plan")
    here.time.elapsed += timedelta(hours=5).total_seconds() + 0.1
    here.finish()
    assert ({A: "cancelling"}, [A]) == (here.states, here.received)


def test_advertising_goes_out_when_the_night_is_over_and_is_not_missed_before_it_would_be_listed(world):
    night = {"holds_advertising": True, "marketing_hours": (8, 20), "list_lag": 280.0}
    here = world(**night)
    here.apply(job(B, message="other"))
    here.apply(job(A, send_at=START + timedelta(hours=13), noStopClause=False, sender="SMSDECLARE"))
    with closing(here.ledger()) as ledger:
        (mine,) = ledger.posted_held()
        ledger.take_back(mine, "sha256:plan")
    # 8:00:10 on the next morning in Paris: no run came before, and it has just left the list of what is held.
    here.time.pass_(hours=23, seconds=10)
    here.finish()
    assert ("cancelling", [A, B]) == (here.states[A], here.received)
    here.time.pass_(minutes=5)
    here.finish()
    assert "accepted" == here.states[A]


def test_ten_minutes_before_its_time_nothing_is_begun(held):
    here = held()
    here.time.pass_(hours=4, minutes=51)
    assert [] == here.take_back()
    assert {A: "scheduled", B: "scheduled"} == here.states
    assert not [one for one in here.wire.requests if one.startswith("DELETE")]


def test_what_went_out_meanwhile_is_accepted_and_never_replaced(held):
    here = held()
    here.time.pass_(hours=4)
    send = here.wire.send

    def be_late(request, **settings):
        if request.method == "DELETE":
            here.time.pass_(hours=2)
        return send(request, **settings)

    here.wire.send = be_late
    (event,) = here.take_back()
    assert (set(), 2) == (event.cancelled, event.slipped)
    assert ({A: "accepted", B: "accepted"}, [A, B]) == (here.states, here.received)


def test_what_went_out_meanwhile_and_is_not_listed_yet_stays_open(held):
    here = held(list_lag=280.0)
    here.time.pass_(hours=4)
    send = here.wire.send

    def be_late(request, **settings):
        if request.method == "DELETE":
            here.time.elapsed = timedelta(hours=5, seconds=1).total_seconds()
        return send(request, **settings)

    here.wire.send = be_late
    here.take_back()
    assert {A: "cancelling", B: "cancelling"} == here.states
    here.time.pass_(minutes=5)
    here.finish()
    assert {A: "accepted", B: "accepted"} == here.states


def test_gone_after_its_time_is_no_proof_where_absence_is_none(held):
    """Somebody else took it back, and it is seen only after its time."""
    here = held()
    with closing(here.ledger()) as ledger:
        (mine,) = ledger.posted_held()
        ledger.take_back(mine, "sha256:plan")
    for number in mine.ids:
        here.provider.take_back(number)
    here.time.pass_(hours=6)
    here.finish(rules(trusts_absence=False))
    assert {"cancelling"} == set(here.states.values())
    here.finish()
    assert {"cancelling"} == set(here.states.values()), "without a control absence proves nothing"
    here.apply(job(B, message="other"))
    here.time.pass_(minutes=10)
    here.finish()
    assert {A: "cancelled", B: "accepted"} == here.states


def test_what_is_held_under_another_id_is_left_alone(held):
    """Whether the ids of a report are those of the list is not documented."""
    here = held(jobs_id_shift=7)
    events = here.take_back()
    assert ["SMS623"] == [event.code.id for event in events]
    assert ({A: "scheduled", B: "scheduled"}, [A, B]) == (here.states, here.received)


def test_credentials_that_may_not_take_back_say_so(held):
    may = tuple(rule for rule in ALL_RULES if rule[0] != "DELETE")
    here = held(credentials=(Credential(rules=may),))
    (trouble,) = here.take_back()
    assert "SMS611" == trouble.code.id
    assert [A, B] == here.received


def test_a_run_that_is_broken_off_is_finished_by_the_next(held):
    here = held()
    with closing(here.ledger()) as ledger:
        (mine,) = ledger.posted_held()
        assert {A, B} == ledger.take_back(mine, "sha256:plan")
    here.finish()
    assert ({"cancelled"}, []) == (set(here.states.values()), here.received)


def test_what_a_stop_took_back_is_no_longer_free(held):
    here = held()
    here.take_back(by="stop")
    here.apply(job(A, B, send_at=DUE))
    assert ({"cancelled"}, []) == (set(here.states.values()), here.received)


def test_what_a_plan_took_back_may_be_posted_anew(held):
    here = held()
    here.take_back()
    here.apply(job(A, B, text="Anew", send_at=DUE))
    assert ({"scheduled"}, [A, B]) == (set(here.states.values()), here.received)
