"""Runs that claim in windows, broken off at each store and each request; the simulator's journal is the witness."""

from collections import Counter
from contextlib import suppress
from functools import partial

import ledgers
import pytest
import worlds
from crash.test_boundaries import KEYS, Countdown, Crash, CrashingAdapter, Unhurried
from stores import Shelf

from smsdeclare import ahead, planning
from smsdeclare.clock import SystemClock
from smsdeclare.define import define
from smsdeclare.errors import SmsdeclareError
from smsdeclare.events import JobDone
from smsdeclare.ledgers.git_branch import Branch
from smsdeclare.project import read
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.records import Binding
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings
from smsdeclare.states import IN_DOUBT, State

RECEIVERS = [worlds.number(place) for place in range(5)]
MOST_RUNS = 6


class World:
    """One history: a store, a provider that keeps a journal, and runs that may crash."""

    def __init__(self, folder, server, script, store):
        self.server = server
        self.simulator = Simulator(Settings())
        server._simulator = self.simulator
        server._faults.script = list(script)
        server.requests.clear()
        self.binding = Binding(project="test", provider="ovh", endpoint=server.url, service=worlds.SERVICE)
        self.store = store
        self.definitions = define(read(folder))
        self.expanded = planning.expand(self.definitions)

    def run(self, countdown, stores=""):
        """One run as the command makes it: two jobs in the first window, and three in the next."""
        ledger = self.store.ledger(cross=countdown.cross, script=stores)
        adapter = CrashingAdapter(countdown)
        try:
            now = SystemClock().now()
            draft = planning.work_out(self.definitions, self.expanded, ledger, self.binding, now=now)
            clock = Unhurried()
            provider = OvhProvider(
                url=self.server.url, credentials=KEYS, service=worlds.SERVICE, clock=clock, adapter=adapter
            )
            ledger.bind(self.binding)
            events = ahead.apply(draft.jobs, ledger, provider, clock, plan_digest=draft.plan.digest, first=2)
            told = []
            with suppress(SmsdeclareError):
                told.extend(event for event in events if isinstance(event, JobDone))
            return told
        finally:
            ledger.close()
            adapter.close()

    def run_until_quiet(self):
        for _ in range(MOST_RUNS):
            if not self.run(Countdown()):
                return
        raise AssertionError(f"not quiet after {MOST_RUNS} runs")

    def wrongs(self):
        """Whoever has two SMS, is lost, or is on record as what did not happen."""
        received = Counter(sms["receiver"] for sms in self.simulator.journal)
        ledger = self.store.ledger()
        states = {record.number: record.state for record in ledger.records()}
        ledger.close()
        for number in RECEIVERS:
            count, state = received[number], states.get(number)
            fits = (state is State.ACCEPTED and count == 1) or (state in IN_DOUBT and count <= 1)
            if not fits:
                yield f"{number}: {count} SMS, on record as {state}"


@pytest.fixture(scope="module")
def server():
    with Server(Simulator(Settings())) as running:
        yield running


@pytest.fixture
def history(tmp_path, server):
    rows = "".join(f'      - {{number: "{number}", name: N{place}}}\n' for place, number in enumerate(RECEIVERS))
    receivers = f"receivers:\n  people:\n    numbers:\n{rows}"
    text = worlds.loopback(server.url, receivers + worlds.message("Hello {{ name }}", "people"))
    worlds.write(tmp_path, {"smsdeclare.yaml": text})
    return lambda script="", store=None: World(tmp_path, server, script, store or Shelf())


def test_every_store_and_every_request_is_a_boundary(history):
    """Were one left out, the tests below would say nothing about it."""
    countdown, here = Countdown(), history()
    here.run(countdown)
    passed = Counter(countdown.passed)
    # The state is made; then two windows are claimed, the second with what came of the first; then what came of that.
    assert (4, 4, 5, 5) == tuple(passed[f"{when} {what}"] for what in ("store", "POST") for when in ("before", "after"))
    assert [] == list(here.wrongs())


# Two faults in a row at most: a run ends after three doubts in a row.
@pytest.mark.parametrize("letter", "ald5x")
def test_a_crash_at_any_boundary_doubles_nobody_and_loses_nobody(history, letter):
    script = f"a{letter}a{letter}{letter}"
    countdown = Countdown()
    history(script).run(countdown)
    wrongs = []
    for place, name in enumerate(countdown.passed):
        here = history(script)
        with pytest.raises(Crash):
            here.run(Countdown(place))
        here.run_until_quiet()
        wrongs += [f"{place} {name}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs


@pytest.mark.parametrize("letter", "uno")
def test_a_store_that_fails_anywhere_doubles_nobody_and_loses_nobody(history, letter):
    """Its answer is lost, it does not arrive, or another run is faster: at each store, and at two."""
    wrongs = []
    for first in range(4):
        for second in range(first, 4):
            here = history()
            here.store.other = partial(here.run, Countdown())
            stores = "".join(letter if place in (first, second) else "a" for place in range(4))
            with suppress(SmsdeclareError):
                here.run(Countdown(), stores)
            here.run_until_quiet()
            wrongs += [f"{stores}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs


def test_what_could_not_be_claimed_is_never_posted(history):
    """The first window is stored, as nobody learns; the claim counts, and the POST does not leave."""
    here = history()
    here.run(Countdown(), "au")
    assert [] == [method for method, *_ in here.server.requests if method == "POST"]
    ledger = here.store.ledger()
    assert {State.INTENDED: 2} == Counter(record.state for record in ledger.records())


def test_what_came_of_a_window_and_could_not_be_stored_is_in_doubt(history):
    here = history()
    assert [] == here.run(Countdown(), "aan" + "n" * 9)
    ledger = here.store.ledger()
    assert {State.INTENDED: 2} == Counter(record.state for record in ledger.records())
    assert 2 == len(here.simulator.journal)


class CrossedBranch(Branch):
    """A real branch with a boundary before and after each push."""

    cross = staticmethod(lambda _: None)

    def _push(self, commit, after):
        self.cross("before push")
        ended = super()._push(commit, after)
        self.cross("after push")
        return ended


class CrossedRepository(ledgers.Repository):
    def ledger(self, cross=lambda _: None, script=""):
        ledger = super().ledger(kind=CrossedBranch)
        ledger._branch.cross = cross
        return ledger


def test_a_crash_around_any_push_to_a_real_repository_doubles_nobody_and_loses_nobody(history, tmp_path):
    places = [tmp_path / name for name in ("whole", *map(str, range(12)))]
    countdown = Countdown()
    places[0].mkdir()
    history(store=CrossedRepository(places[0])).run(countdown)
    pushes = [place for place, name in enumerate(countdown.passed) if name.endswith("push")]
    # One is the probe: it has to be refused.
    assert 10 == len(pushes)
    wrongs = []
    for folder, place in zip(places[1:], pushes, strict=False):
        folder.mkdir()
        here = history("ala", store=CrossedRepository(folder))
        with pytest.raises(Crash):
            here.run(Countdown(place))
        here.run_until_quiet()
        wrongs += [f"{place}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs
