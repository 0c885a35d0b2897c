"""Several jobs in flight, in an order that is drawn: crash anywhere, and the provider's journal says who has what."""

from collections import Counter
from contextlib import closing
from random import Random

import pytest
import timed
import worlds
from chaos import Crash
from keeping import WatchedLedger
from lanes import DrawnLanes

from smsdeclare.apply import apply
from smsdeclare.events import Trouble
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.states import IN_DOUBT, State

LANES = 4
NUMBERS = [worlds.number(place) for place in range(14)]


class Wire(timed.Faulty):
    """The simulator behind a boundary at each side of a request; a POST is held against the state as it is on disk."""

    def __init__(self, world, script, cross):
        super().__init__(world.simulator, world.time, script)
        self._path = world.path
        self._cross = cross

    def send(self, request, **settings):
        self._cross(f"before {request.method}")
        if request.method == "POST":
            with closing(SqliteLedger(self._path)) as ledger:
                posted = {number for job in ledger.posted_in_doubt() for number in job.states}
            # What is on record before the first byte, or a crash now would send it twice.
            assert all(number in posted for number in NUMBERS if number.encode() in request.body)
        try:
            return super().send(request, **settings)
        finally:
            self._cross(f"after {request.method}")


class World(timed.World):
    def __init__(self, folder):
        super().__init__(folder, signature_window=600.0)
        self.jobs = [timed.job(number, text=f"Hello {place}") for place, number in enumerate(NUMBERS)]

    def run(self, seed, script="", crash=None):
        """One run with several lanes; the names of the boundaries that it passed, and its events."""
        passed = []

        def cross(name):
            if crash == len(passed):
                raise Crash(name)
            passed.append(name)

        lanes = DrawnLanes(LANES, Random(seed))
        provider = OvhProvider(
            url="https://eu.api.ovh.com/1.0",
            credentials=self.keys,
            service=timed.SERVICE,
            clock=self.time,
            adapter=Wire(self, script, cross),
        )
        with closing(WatchedLedger(self.path, cross)) as ledger:
            events = list(apply(self.jobs, ledger, provider, self.time, plan_digest="sha256:plan", lanes=lanes))
        assert lanes.most <= LANES
        return passed, events

    def ledger(self):
        # Not synced, as these crashes end a process and not the machine.
        return WatchedLedger(self.path, lambda name: None)

    def in_doubt(self):
        return [number for number, state in self.states.items() if state in IN_DOUBT]

    def end_well(self):
        """Settle, wait, and run to the end, as somebody does who was left with doubts."""
        for _ in range(6):
            self.settle()
            self.run(0)
            if not self.in_doubt():
                return
            self.time.pass_(minutes=45)


@pytest.mark.parametrize("script", ["", "aaaal", "aaaaaad", "aaaaa9aa9", "aaaldaaal"])
def test_a_crash_anywhere_leaves_no_more_in_doubt_than_there_are_lanes_and_doubles_nobody(tmp_path, script):
    seed = 1
    (tmp_path / "whole").mkdir()
    boundaries, _ = World(tmp_path / "whole").run(seed, script)
    for crash in range(0, len(boundaries), 2):
        folder = tmp_path / str(crash)
        folder.mkdir()
        here = World(folder)
        with pytest.raises(Crash):
            here.run(seed, script, crash)
        lost = script.count("l") + script.count("d")
        assert len(here.in_doubt()) <= LANES + lost, boundaries[crash]
        here.end_well()
        assert dict.fromkeys(NUMBERS, 1) == Counter(here.received), boundaries[crash]
        assert dict.fromkeys(NUMBERS, State.ACCEPTED) == here.states, boundaries[crash]


@pytest.mark.parametrize("seed", range(20))
def test_in_whatever_order_answers_come_everybody_gets_one_sms(tmp_path, seed):
    here = World(tmp_path)
    here.run(seed)
    assert sorted(NUMBERS) == here.received
    assert dict.fromkeys(NUMBERS, State.ACCEPTED) == here.states


@pytest.mark.parametrize("seed", range(20))
def test_a_provider_that_fails_from_the_start_is_asked_three_times(tmp_path, seed):
    here = World(tmp_path)
    _, events = here.run(seed, "l" * 20)
    assert (3, 3) == (len(here.received), len(here.in_doubt()))
    assert ["SMS608"] == [event.code.id for event in events if isinstance(event, Trouble)]


@pytest.mark.parametrize("seed", range(20))
def test_a_provider_that_fails_in_the_middle_has_no_more_than_what_was_in_flight(tmp_path, seed):
    here = World(tmp_path)
    _, events = here.run(seed, "a" * 7 + "l" * 20)
    # Clean answers that come late may part the three in a row.
    assert len(here.in_doubt()) <= LANES + 2
    assert ["SMS608"] == [event.code.id for event in events if isinstance(event, Trouble)]
    assert len(here.received) == len(here.states)
