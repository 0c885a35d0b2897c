"""What became of the sends of a run, counted as it comes."""

import pytest
import timed

from smsdeclare.cli.counting import Count
from smsdeclare.events import JobDone
from smsdeclare.records import Claim, Key, Outcome
from smsdeclare.states import State

A, B, C = (f"+3363998000{place}" for place in range(3))
AT = "2026-12-01T08:00:00Z"


def done(states, credits_taken=None):
    claim = Claim(message="hello", revision=1, ordinal=1, tag="t", numbers=tuple(states))
    return JobDone(job=timed.job(*states), claim=claim, outcome=Outcome(states=states, at=AT, credits=credits_taken))


def counted(*events, taken_back=()):
    count = Count()
    for event in events:
        count.add(event, taken_back, lambda number: (f"#{number}", number))
    return count


def test_what_took_the_place_of_another_is_not_fresh():
    taken_back = {Key("hello", 1, f"#{A}"), Key("hello", 1, f"#{C}")}
    first, second = done({A: State.SCHEDULED, B: State.ACCEPTED}), done({C: State.UNKNOWN})
    count = counted(first, second, taken_back=taken_back)
    assert {Key("hello", 1, f"#{A}"): State.SCHEDULED} == count.replaced
    assert {State.ACCEPTED: 1, State.UNKNOWN: 1} == count.fresh
    assert 1 == count.states[State.SCHEDULED]


@pytest.mark.parametrize("taken_back", [(), {Key("hello", 1, f"#{A}")}])
def test_who_was_rejected_is_named_by_what_is_on_record(taken_back):
    count = counted(done({A: State.ACCEPTED, B: State.REJECTED}), taken_back=taken_back)
    assert {Key("hello", 1, f"#{B}")} == count.rejected
    assert len(taken_back) == len(count.replaced)


def test_credits_are_compared_where_the_provider_said_how_many():
    events = [done({A: State.ACCEPTED}, 2.0), done({B: State.UNKNOWN})]
    count = counted(*events)
    assert (2.0, events[0].job.credits) == (count.credits, count.planned)


def test_what_is_lost_in_an_addition_does_not_add_up():
    events = [done({A: State.ACCEPTED}, 0.1)] * 10
    assert (1.0, 10 * events[0].job.credits) == (counted(*events).credits, counted(*events).planned)


def test_of_many_jobs_the_first_few_are_held():
    events = [done({A: State.ACCEPTED}) for _ in range(20)]
    count = counted(*events)
    assert (20, 20, events[:3]) == (count.jobs, count.states[State.ACCEPTED], count.first)
