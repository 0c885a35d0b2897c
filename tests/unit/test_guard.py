"""A state that is old, copied or not the only one is noticed before it posts."""

import shutil
from contextlib import closing
from datetime import timedelta

import pytest
import worlds
from timed import START, World, job

from smsdeclare.apply import JobMissed, apply
from smsdeclare.definitions import Times
from smsdeclare.errors import StateError
from smsdeclare.simulator.settings import Credential

A, B, C = (worlds.number(place) for place in range(3))


@pytest.fixture
def world(tmp_path):
    return lambda script="", **settings: World(tmp_path, script, **settings)


def test_a_second_state_of_one_project_is_noticed(world):
    here = world()
    here.apply(job(A))
    with pytest.raises(StateError) as caught:
        here.with_another_state().apply(job(A))
    assert ("SMS514", [A]) == (caught.value.diagnostics[0].code.id, here.received)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_an_old_copy_is_noticed_even_where_the_next_jobs_were_lost(world, lost):
    here = world(script="a" + "d" * lost + "a")
    here.apply(job(A))
    old = here.path.with_name("old.state")
    shutil.copy(here.path, old)
    here.apply(
        *(job(B, text=f"b{place}") if place == lost else job(worlds.number(9 - place)) for place in range(lost + 1))
    )
    assert [A, B] == here.received
    shutil.copy(old, here.path)
    with pytest.raises(StateError) as caught:
        here.apply(job(B, text="b"), job(C, text="c"))
    assert ("SMS514", [A, B]) == (caught.value.diagnostics[0].code.id, here.received)


def test_it_looks_once_a_run_for_each_revision(world):
    here = world()
    here.apply(job(A), job(B, text="b"), job(C, message="other"))
    assert 6 == sum("/outgoing?" in one for one in here.wire.requests)


def test_without_the_right_to_look_it_warns_once_and_goes_on(world):
    here = world(credentials=(Credential(rules=(("POST", "/sms/*/jobs"),)),))
    events = here.apply(job(A), job(B, message="other"))
    assert ["SMS622"] == [event.code.id for event in events if hasattr(event, "code")]
    assert [A, B] == here.received


def test_what_gets_too_late_while_it_looks_is_missed(world):
    """A request may travel for as long as the margin, so none is signed later than that before the end."""
    here, margin = world(), timedelta(minutes=10)
    hurried = job(A)._replace(times=Times(expires_at=START + margin + timedelta(minutes=2)))
    send = here.wire.send

    def be_slow(request, **settings):
        here.time.pass_(minutes=1)
        return send(request, **settings)

    here.wire.send = be_slow
    with closing(here.ledger()) as ledger:
        events = list(apply([hurried], ledger, here.provider, here.time, plan_digest="sha256:plan", margin=margin))
    assert ([JobMissed], []) == ([type(event) for event in events], here.received)
