"""Whole applies on simulated time, broken off at every boundary; the simulator's journal is the witness.

A part of each campaign; `python benchmarks/crashes.py` runs all of them.
"""

import os
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from crash import campaigns
from crash.history import RULES, History, Scene
from crash.network import Boundaries
from ledgers import HASHED

from smsdeclare.states import State

#: Where writes cost nothing; what survives a loss of power is another test.
MEMORY = Path("/dev/shm")


@pytest.fixture(autouse=True)
def _few_variables(monkeypatch):
    """The HTTP library reads all of the environment for each request."""
    for name in set(os.environ) - {"PATH", "HOME", "PYTEST_CURRENT_TEST"}:
        if not name.startswith("COV"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def small(folder):
    return Scene(folder / "small", people=2)


@pytest.fixture(scope="module")
def whole(folder):
    return Scene(folder / "whole", people=24)


@pytest.fixture
def begun(small, folder):
    """After the first run and the edit: SMS wait at the provider, two sends are unknown, one of them was taken."""

    def make(seed=0, scene=small, **world):
        history = History(scene, folder / "begun.state", seed, **world)
        history.begin()
        return history

    return make


def test_every_write_and_every_request_of_a_whole_apply_is_a_boundary(begun, whole):
    """Were one left out, the tests below would say nothing about it."""
    here, boundaries = begun(scene=whole), Boundaries()
    before = here.network.posts
    assert 3 == here.apply(boundaries)
    assert 30 == here.network.posts - before
    found = Counter(boundaries.passed)
    counts = {
        "bind": 1, "_hold": 2, "claim_all": 30, "record_all": 6, "settle": 2, "take_back": 5, "end_take_back": 5,
        "complete": 1, "let_go": 1, "POST": 30, "DELETE": 10, "GET": found["before GET"],
    }  # fmt: skip
    expected = {f"{when} {name}": count for name, count in counts.items() for when in ("before", "in", "after")}
    assert {name: count for name, count in expected.items() if name not in ("in bind", "in GET")} == found
    assert [] == list(here.wrongs(here.run_until_quiet()))


def test_a_kill_doubles_nobody_where_the_state_holds_no_number(folder):
    tally = campaigns.kills(Scene(folder / "hashed", people=2, numbers=HASHED), folder, every=6)
    assert [] == tally.wrongs
    assert tally.histories == tally.crashes >= 10


def test_a_kill_at_any_boundary_of_a_whole_apply_doubles_nobody_and_loses_nobody(whole, folder):
    tally = campaigns.kills(whole, folder)
    assert [] == tally.wrongs
    assert 130 <= tally.histories == tally.crashes
    # Of two kills, one follows upon what absence freed once before: the second time a person has to say.
    assert 1 >= tally.unknown


def test_what_expires_between_two_runs_is_recorded_as_missed(begun):
    here = begun()
    left, boundaries = here.fork("left"), Boundaries()
    left.time.pass_(hours=4)
    assert 3 == left.apply(boundaries)
    assert {"before miss", "in miss", "after miss"} < set(boundaries.passed)
    assert {State.MISSED} == {state for (message, *_), state in left.states.items() if message == "limited"}
    assert [] == list(left.wrongs(left.run_until_quiet()))


@pytest.mark.parametrize("post", campaigns.ANSWERS[1:])
def test_no_answer_to_a_post_and_no_kill_beside_it_doubles_or_loses_anybody(small, folder, post):
    tally = campaigns.kills(small, folder, post=post, every=22)
    assert [] == tally.wrongs
    assert tally.histories


@pytest.mark.parametrize("world", campaigns.WORLDS)
def test_whatever_the_lists_are_like_nobody_is_doubled_or_lost(small, folder, world):
    tally = campaigns.kills(small, folder, world=world, every=14)
    assert [] == tally.wrongs
    assert tally.histories


@pytest.mark.parametrize("delete", campaigns.DELETES[1:])
def test_whatever_becomes_of_a_delete_nobody_is_doubled_or_lost(small, folder, delete):
    tally = campaigns.kills(small, folder, world="stale 60", delete=delete, every=12)
    assert [] == tally.wrongs
    assert tally.histories


def test_what_goes_out_while_it_is_taken_back_is_not_sent_anew(small, folder):
    """It has left one list and stands in the other only minutes later."""
    tally = campaigns.kills(small, folder, world="lag 300", every=4, delays=(campaigns.GOING_OUT,))
    assert [] == tally.wrongs
    assert 10 <= tally.histories


@pytest.mark.parametrize("get", campaigns.GETS[1:])
def test_a_look_that_fails_changes_nothing(small, folder, get):
    tally = campaigns.kills(small, folder, get=get, every=16)
    assert [] == tally.wrongs
    assert tally.histories


def test_a_kill_while_making_up_for_a_kill_doubles_nobody_and_loses_nobody(small, folder):
    tally = campaigns.kills_twice(small, folder, every=23, second_every=23)
    assert [] == tally.wrongs
    assert 6 <= tally.histories


@pytest.mark.parametrize("post", ["", "laaw"])
def test_another_run_while_one_is_held_up_doubles_nobody_and_loses_nobody(small, folder, post):
    """Asleep, at a standstill, or without its lease: safety rests on the claims alone."""
    tally = campaigns.overtakes(small, folder, every=16, post=post)
    assert [] == tally.wrongs
    assert 8 <= tally.histories


@pytest.mark.parametrize("at", ["after claim_all", "after POST"])
def test_another_run_between_claim_and_outcome_doubles_nobody_and_loses_nobody(small, folder, at):
    """There a lock that ran out, or a signature made anew, would send twice."""
    tally = campaigns.overtakes(small, folder, at=at)
    assert [] == tally.wrongs
    assert 6 <= tally.histories


@pytest.mark.parametrize("post", ["", "laaw"])
def test_a_signal_lets_what_is_in_flight_come_on_record(small, folder, post):
    tally = campaigns.stops(small, folder, every=16, post=post)
    assert [] == tally.wrongs
    assert 10 <= tally.histories


def test_an_approved_plan_is_carried_out_once_however_often_it_is_broken_off(begun):
    """The digest stays good for what is left, whatever a kill left behind and the clock says."""
    here = begun()
    here.settle()
    probe = here.fork("probe")
    probe.apply()
    for place in range(3, 180, 20):
        start = here.fork(f"at{place}")

        def run(boundaries, start=start):
            start.apply(boundaries, approved=probe.digest)

        left, is_broken = campaigns.kill(start, place, run)
        left.time.pass_(hours=place % 3)
        left.unlock()
        assert is_broken
        assert [] == list(left.wrongs(left.run_until_quiet(approved=probe.digest))), place


@pytest.mark.parametrize("seed", range(30))
def test_chance_doubles_nobody_and_loses_nobody(small, folder, seed):
    assert [] == campaigns.chance(small, folder, seed).wrongs


HURRIED = replace(RULES, after=timedelta(minutes=5))


def late_posts(begun, rules, **world):
    """Two requests are under way when other runs come, after five minutes and when absence counts."""
    for seed in range(12):
        here = begun(seed, rules=rules, **world)
        here.network.script("POST", "aaww")
        here.apply()
        for wait in sorted({HURRIED.after, rules.after}):
            here.time.pass_(seconds=wait.total_seconds())
            here.apply()
        here.time.pass_(minutes=10)
        here.network.arrive()
        yield here


def test_where_absence_counts_before_a_request_can_no_longer_arrive_it_sends_twice(begun):
    """Were these histories harmless, those above would prove nothing."""
    doubled = [here for here in late_posts(begun, HURRIED) if list(here.doubled())]
    assert 3 <= len(doubled)
    for here in doubled:
        here.run_until_quiet()
        assert not here.trusts_absence


@pytest.mark.parametrize("world", ["strict", "clock ahead", "clock behind"])
def test_where_it_counts_only_after_that_it_never_does(begun, world):
    """By the provider's clock, whatever the machine's own says."""
    assert not any(list(here.doubled()) for here in late_posts(begun, RULES, **campaigns.WORLDS[world]))


def test_a_kill_beside_the_alarm_leaves_the_alarm(begun):
    here = next(here for here in late_posts(begun, HURRIED) if list(here.doubled()))
    found = campaigns.forks(here, here.settle, in_writes=True)
    assert {"before late", "in late"} < {name.partition(" ")[2] for name in found}
    for left in found.values():
        left.settle()
        assert not left.trusts_absence
