"""Delivery receipts: the receipt decides, the detail says why."""

from datetime import timedelta

import pytest
import worlds
from ledgers import HASHED
from timed import START, World, job

from smsdeclare.ledgers.naming import AS_KEPT

A, B, C = (worlds.number(place) for place in range(3))


@pytest.fixture(params=[AS_KEPT, HASHED], ids=["with numbers", "without"])
def world(tmp_path, request):
    return lambda script="", **settings: World(tmp_path, script, numbers=request.param, **settings)


def records(here):
    from contextlib import closing

    with closing(here.ledger()) as ledger:
        return {one.number: one for one in ledger.records()}


def test_what_was_delivered_and_what_failed_is_on_record_with_its_reason(world):
    here = world(failures={B: 24, C: 53})
    here.apply(job(A, B, C))
    here.time.pass_(minutes=1)
    (event,) = here.refresh()
    assert 3 == event.sends
    found = records(here)
    assert {A: "delivered", B: "failed", C: "failed"} == here.states
    assert "2026-12-01T08:00:05Z" == found[A].delivered_at
    assert ("the phone was off or out of reach (ptt 24)", True) == (found[B].reason, "STOP" in found[C].reason)


def test_what_is_not_final_is_read_again(world):
    here = world(delivery_seconds=100.0, ptt_before_receipt=3)
    here.apply(job(A))
    assert [] == here.refresh()
    assert {A: "accepted"} == here.states
    here.time.pass_(seconds=101)
    assert [1] == [event.sends for event in here.refresh()]
    assert {A: "delivered"} == here.states
    before = len(here.wire.requests)
    assert [] == here.refresh()
    assert before + 1 == len(here.wire.requests), "what is final is not asked for"


def test_a_reason_without_a_word_is_told_by_its_number(world):
    here = world(failures={A: 4711})
    here.apply(job(A))
    here.time.pass_(minutes=1)
    here.refresh()
    assert "no reason is known (ptt 4711)" == records(here)[A].reason


def test_what_was_held_is_out_after_its_time(world):
    here = world(delivery_seconds=None)
    here.apply(job(A, send_at=START + timedelta(hours=1)))
    assert [] == here.refresh()
    assert {A: "scheduled"} == here.states
    here.time.pass_(hours=1)
    here.refresh()
    assert {A: "accepted"} == here.states


def test_it_goes_on_where_it_was_broken_off(world):
    here = world()
    here.apply(job(A), job(B, text="b"), job(C, text="c"))
    here.time.pass_(minutes=1)
    from contextlib import closing

    from smsdeclare.refresh import refresh

    with closing(here._ledger()) as ledger:
        next(refresh(ledger, here.provider))
    assert ["accepted", "accepted", "delivered"] == sorted(here.states.values())
    assert 2 == len(here.refresh())


def test_what_is_older_than_the_provider_keeps_is_not_asked_for(world):
    here = world()
    here.apply(job(A))
    here.time.pass_(days=181)
    assert [] == here.refresh()
    assert {A: "accepted"} == here.states
