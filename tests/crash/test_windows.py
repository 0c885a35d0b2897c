"""Runs that claim in windows, broken off at each store and each request; the simulator's journal is the witness."""

from collections import Counter
from contextlib import closing
from datetime import timedelta
from functools import partial

import chaos
import ledgers
import pytest
from crash.breaking import Countdown, Crash
from crash.everywhere import Everywhere, Git, World
from history import History

from smsdeclare.ledgers.git_branch import Branch
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.simulator.settings import Settings
from smsdeclare.states import State

#: Of two runs that take turns: 1,900 seconds pass, and the other one goes on.
HAND_OVER = 5


@pytest.fixture
def history(tmp_path, server):
    return lambda script="", state=None: World(tmp_path, server, script, state or Git(tmp_path, AS_KEPT, None))


def test_every_store_and_every_request_is_a_boundary(history):
    """Were one left out, the tests below would say nothing about it."""
    countdown, here = Countdown(), history()
    here.run(countdown)
    passed = Counter(countdown.passed)
    # The state is made; then two windows are claimed, the second with what came of the first; then what came of that.
    assert (4, 4, 5, 5) == tuple(passed[f"{when} {what}"] for what in ("store", "POST") for when in ("before", "after"))
    assert [] == list(here.wrongs())


@pytest.mark.parametrize("letter", "ald5x")
def test_a_crash_at_any_boundary_doubles_nobody_and_loses_nobody(tmp_path, server, letter):
    tally = Everywhere(tmp_path, server, "git").crashes(letter)
    assert ([], True) == (tally.wrongs, tally.histories >= 30)


@pytest.mark.parametrize("letter", "uno")
def test_a_store_that_fails_anywhere_doubles_nobody_and_loses_nobody(history, letter):
    """Its answer is lost, it does not arrive, or another run is faster: at each store, and at two."""
    wrongs = []
    for first in range(4):
        for second in range(first, 4):
            here = history()
            here.state.shelf.other = partial(here.run, Countdown())
            stores = "".join(letter if place in (first, second) else "a" for place in range(4))
            here.run(Countdown(), stores)
            here.run_until_quiet()
            wrongs += [f"{stores}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs


def test_what_could_not_be_claimed_is_never_posted(history):
    """The first window is stored, as nobody learns; the claim counts, and the POST does not leave."""
    here = history()
    here.run(Countdown(), "au")
    assert [] == [method for method, *_ in here.server.requests if method == "POST"]
    ledger = here.ledger()
    assert {State.INTENDED: 2} == Counter(record.state for record in ledger.records())


def test_what_came_of_a_window_and_could_not_be_stored_is_in_doubt(history):
    here = history()
    assert [] == here.run(Countdown(), "aan" + "n" * 9)
    ledger = here.ledger()
    assert {State.INTENDED: 2} == Counter(record.state for record in ledger.records())
    assert 2 == len(here.simulator.journal)


def test_a_run_that_is_held_up_in_a_window_signs_nothing_that_another_has_settled_since(tmp_path):
    """At each boundary from its claim on, for longer than its limit and `settle.after`; then it goes on."""
    place = chaos.Place(
        settings=Settings(origin=chaos.ORIGIN), after=timedelta(minutes=20), personal=True, keeping="git"
    )
    wrongs, ended = [], set()
    for boundary in range(20, 44):
        with closing(History(tmp_path, place)) as here:
            ended.add(here.race(chaos.CALM, chaos.CALM, (*(0,) * boundary, HAND_OVER)))
            wrongs += [f"{boundary}: {wrong}" for wrong in (*here.wrongs(), *here.end())]
    assert [] == wrongs
    # Were it never held up, or the other one kept away, this would say nothing.
    assert {"ended well; ended well"} < ended


class CrossedBranch(Branch):
    """A real branch with a boundary before and after each push."""

    cross = staticmethod(lambda _: None)

    def _push(self, commit, after):
        self.cross("before push")
        ended = super()._push(commit, after)
        self.cross("after push")
        return ended


class CrossedRepository(ledgers.Repository):
    def watched(self, countdown, _):
        ledger = self.ledger(kind=CrossedBranch)
        ledger._branch.cross = countdown.cross
        return ledger


def test_a_crash_around_any_push_to_a_real_repository_doubles_nobody_and_loses_nobody(history, tmp_path):
    places = [tmp_path / name for name in ("whole", *map(str, range(12)))]
    countdown = Countdown()
    places[0].mkdir()
    history(state=CrossedRepository(places[0])).run(countdown)
    pushes = [place for place, name in enumerate(countdown.passed) if name.endswith("push")]
    # One is the probe: it has to be refused.
    assert 10 == len(pushes)
    wrongs = []
    for folder, place in zip(places[1:], pushes, strict=False):
        folder.mkdir()
        here = history("ala", state=CrossedRepository(folder))
        with pytest.raises(Crash):
            here.run(Countdown(place))
        here.run_until_quiet()
        wrongs += [f"{place}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs
