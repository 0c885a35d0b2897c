"""What a look at the provider proves, and what it does not."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import worlds
from ledgers import HASHED
from timed import START, World, job, rules

from smsdeclare.clock import timestamp
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.settle import NO_CONTROL, could_be, named
from smsdeclare.simulator.settings import Credential
from smsdeclare.states import State

A, B, C, D = (worlds.number(place) for place in range(4))


@pytest.fixture(params=[AS_KEPT, HASHED], ids=["with numbers", "without"])
def world(tmp_path, request):
    return lambda script="", **settings: World(tmp_path, script, numbers=request.param, **settings)


def reasons(events):
    return {why for event in events for why in getattr(event, "left", {}).values()}


def test_nothing_in_doubt_asks_nobody(world):
    here = world()
    here.apply(job(A))
    before = len(here.wire.requests)
    assert [] == here.settle()
    assert before == len(here.wire.requests)


def test_whose_sms_is_listed_was_sent_however_soon(world):
    here = world("l")
    here.apply(job(A, B))
    (event,) = here.settle()
    assert (2, 0, {}) == (event.taken, event.freed, event.left)
    assert {A: "accepted", B: "accepted"} == here.states
    with closing(here.ledger()) as ledger:
        assert [2, 2.0] == [sum(1 for one in ledger.records() if one.id), ledger.credits_taken("hello", 1)]


@pytest.fixture
def absent(world):
    """A was sent, B's request never arrived."""
    here = world("ad")
    here.apply(job(A), job(B, text="b"))
    assert {A: "accepted", B: "unknown"} == here.states
    return here


def test_absence_counts_when_the_request_can_not_arrive_any_more_and_not_before(absent):
    absent.time.pass_(minutes=29)
    assert {f"too early to tell before {timestamp(START + timedelta(minutes=30))}"} == reasons(absent.settle())
    assert "unknown" == absent.states[B]
    absent.time.pass_(minutes=1)
    assert [(0, 1)] == [(event.taken, event.freed) for event in absent.settle()]
    assert "notSent" == absent.states[B]
    absent.apply(job(A), job(B, text="b"))
    assert [A, B] == absent.received


def test_the_list_of_what_is_held_is_read_first_and_the_other_two_minutes_later(absent):
    absent.time.pass_(minutes=30)
    before, since = len(absent.wire.requests), absent.time.elapsed
    absent.settle()
    kinds = [request.split("?")[0].rpartition("/")[2] for request in absent.wire.requests[before:]]
    assert ["time", "jobs", "outgoing"] == kinds[:3]
    assert 120.0 == absent.time.elapsed - since


def test_absence_counts_once_for_each_send(absent):
    absent.time.pass_(minutes=30)
    absent.settle()
    absent.wire.script = ["d"]
    absent.apply(job(B, text="b"))
    absent.time.pass_(minutes=31)
    assert {"absence has counted once already"} == reasons(absent.settle())
    assert "unknown" == absent.states[B]


def test_after_a_week_absence_proves_nothing(absent):
    absent.time.pass_(days=7)
    (why,) = reasons(absent.settle())
    assert ("unknown", True) == (absent.states[B], why.startswith("too long ago to tell"))


def test_where_a_person_is_to_be_asked_absence_proves_nothing(absent):
    absent.time.pass_(minutes=31)
    (why,) = reasons(absent.settle(rules(trusts_absence=False)))
    assert "a person has to say" in why
    assert "unknown" == absent.states[B]


def test_without_a_job_that_was_surely_sent_absence_proves_nothing(world):
    here = world("d")
    here.apply(job(A))
    here.time.pass_(minutes=31)
    assert {"no job of ours that was surely sent is there to compare with"} == reasons(here.settle())
    assert {A: "unknown"} == here.states


def test_what_a_look_found_is_there_to_compare_with_at_the_next(world):
    here = world("ld")
    here.apply(job(A), job(B, text="b"))
    here.time.pass_(minutes=30)
    assert {NO_CONTROL} == reasons(here.settle())
    assert {A: "accepted", B: "unknown"} == here.states
    here.settle()
    assert {A: "accepted", B: "notSent"} == here.states


def test_what_was_held_is_there_to_compare_with_once_it_has_gone_out(world):
    here = world("ad")
    here.apply(job(A, send_at=START + timedelta(hours=1)), job(B, text="b"))
    for wait, state in ((40, "unknown"), (22, "unknown"), (2, "notSent")):
        here.time.pass_(minutes=wait)
        here.settle()
        assert {A: "scheduled", B: state} == here.states


def test_what_was_reported_is_rather_compared_with_than_what_was_found_and_that_than_what_was_held(world):
    here = world("laa", failures={A: 5})
    jobs = [job(A), job(B, text="b", send_at=START + timedelta(hours=1)), job(C, text="c")]
    here.apply(*jobs[:2])
    here.settle()
    here.time.pass_(hours=2)
    with closing(here.ledger()) as ledger:
        assert {A: State.ACCEPTED} == ledger.control(timestamp(here.time.now())).states
    here.apply(jobs[2])
    here.time.pass_(hours=1)
    here.wire.script = ["l"]
    here.apply(job(D, text="d"))
    here.settle()
    assert "accepted" == here.states[D]
    with closing(here.ledger()) as ledger:
        assert {C: State.ACCEPTED} == ledger.control(timestamp(here.time.now())).states


@pytest.mark.parametrize(
    "settings", [{"list_lag": 1e6}, {"outgoing_cap": 0}, {"retention_days": 0.001}], ids=["stale", "capped", "purged"]
)
def test_a_list_that_lacks_what_was_surely_sent_proves_nothing(world, settings):
    here = world("ad", **settings)
    here.apply(job(A), job(B, text="b"))
    here.time.pass_(minutes=31)
    assert {"the provider does not list what it surely sent"} == reasons(here.settle())
    assert "unknown" == here.states[B]


def test_what_is_held_for_the_receiver_by_a_job_of_ours_is_not_it(world):
    here = world("ad")
    here.apply(job(A), job(B, text="b"))
    here.apply(job(B, message="other", send_at=START + timedelta(hours=5)))
    here.time.pass_(minutes=31)
    here.settle()
    with closing(here.ledger()) as ledger:
        assert ["notSent"] == [one.state.value for one in ledger.records("hello") if one.number == B]


@pytest.mark.parametrize(("receiver", "could"), [(B, True), (C, False), ("anonymous", True), ("#12", True)])
def test_what_is_held_for_nobody_who_can_be_read_could_be_anybodys(world, receiver, could):
    here = world("a")
    here.apply(job(B, send_at=START + timedelta(hours=5)))
    with closing(here._ledger()) as ledger:
        (mine,) = ledger.posted_held()
        (one,) = here.provider.held()
        listed = named([replace(one, receiver=receiver)], ledger)
        assert could == any(could_be(each, mine, next(iter(mine.states)), frozenset()) for each in listed)


def test_what_nobody_explains_blocks_whatever_its_text(world):
    here = world("ad")
    here.apply(job(A), job(B, text="b"))
    elsewhere = job(B, message="panel", text="From the panel", send_at=START + timedelta(hours=5))
    here.with_another_state().apply(elsewhere)
    here.time.pass_(minutes=31)
    assert {"the provider holds an SMS for this receiver that may be it"} == reasons(here.settle())
    assert "unknown" == here.states[B]


def test_advertising_that_may_be_held_for_the_night_is_not_absent_before_the_morning(world):
    here = world("ad", holds_advertising=True)
    here.time.pass_(hours=12)  # 21:00 in Paris
    here.apply(job(A), job(B, text="b", noStopClause=False))
    here.time.pass_(hours=11)  # 8:00
    here.settle()
    assert "unknown" == here.states[B]
    here.time.pass_(minutes=31)
    here.settle()
    assert "notSent" == here.states[B]


@pytest.mark.parametrize("spelling", ["+", "00"])
def test_numbers_are_compared_in_one_spelling(world, spelling):
    here = world("ld", listed_numbers=spelling)
    here.apply(job(A), job(B, text="b"))
    here.settle()
    assert {A: "accepted", B: "unknown"} == here.states


def test_a_filter_that_does_not_filter_changes_nothing(world):
    here = world("ald", ignored_filters=frozenset({"tag", "creationDatetime.from"}))
    here.apply(job(A), job(B, text="b"), job(C, text="c"))
    here.settle()
    assert {A: "accepted", B: "accepted", C: "unknown"} == here.states
    here.time.pass_(minutes=31)
    here.settle()
    assert {A: "accepted", B: "accepted", C: "notSent"} == here.states


def test_another_sms_to_the_same_receiver_is_not_it_where_the_server_does_not_filter(world):
    here = world("aad", ignored_filters=frozenset({"tag"}))
    here.apply(job(A, message="other"), job(B), job(A, text="a"))
    (event,) = here.settle()
    assert (0, [A]) == (event.taken, list(event.left))
    assert [A, B] == here.received


def test_credentials_that_may_not_look_settle_nothing_and_say_so(world):
    rules_ = tuple((method, path) for method, path in (("GET", "/sms/*/jobs"), ("POST", "/sms/*/jobs")))
    here = world("l", credentials=(Credential(rules=rules_),))
    assert "SMS622" in [event.code.id for event in here.apply(job(A)) if hasattr(event, "code")]
    assert ["SMS622"] == [event.code.id for event in here.settle()]
    assert {A: "unknown"} == here.states


def test_an_sms_that_turns_up_late_is_an_alarm_and_ends_all_trust(world):
    """The request was on its way all the time, which breaks the assumption under which absence counts."""
    here = world("ad")
    here.apply(job(A), job(B, text="b"))
    here.time.pass_(minutes=31)
    here.settle()
    assert "notSent" == here.states[B]
    with closing(here.ledger()) as ledger:
        (released,) = ledger.posted_released()
    late = here.simulator.history
    (sample,) = here.simulator.journal
    late.append({**sample, "id": sample["id"] + 1, "receiver": B, "tag": released.tag, "jobNumber": 2})
    (trouble,) = here.settle()
    assert ("SMS513", "accepted") == (trouble.code.id, here.states[B])
    # It is told once.
    assert [] == here.settle()
    here.wire.script = ["d"]
    here.apply(job(C, text="c"))
    here.time.pass_(minutes=31)
    assert {"a person has to say what became of it: absence was wrong once at this provider"} == reasons(here.settle())


def test_a_long_list_is_read_in_pages_but_believed_by_its_ids(world):
    here = world("l")
    numbers = [worlds.number(place) for place in range(40)]
    here.apply(job(*numbers))
    before = len(here.wire.requests)
    here.settle()
    assert {"accepted"} == set(here.states.values())
    assert 2 == sum("/outgoing" in one for one in here.wire.requests[before:])


def test_without_pages_each_sms_is_asked_for(world):
    here = world("l", object_lists=False)
    numbers = [worlds.number(place) for place in range(12)]
    here.apply(job(*numbers))
    here.settle()
    assert {"accepted"} == set(here.states.values())
