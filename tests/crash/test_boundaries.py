"""Count the boundaries of a run, then crash at each; the simulator's journal is the witness."""

from collections import Counter
from contextlib import suppress

import pytest
import worlds
from crash import breaking
from crash.breaking import Countdown, Crash, CrashingAdapter, CrashingLedger, Unhurried

from smsdeclare.apply import JobDone, apply
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings

RECEIVERS = [worlds.number(place) for place in range(6)]


class World(breaking.World):
    """One history: a state, a provider that keeps a journal, and runs that may crash."""

    def __init__(self, folder, server, script):
        super().__init__(folder, server, script, RECEIVERS)
        self.state = folder / "test.state"
        self.state.unlink(missing_ok=True)
        #: The jobs of the first plan, for a runner that planned long ago.
        self.first = None

    def ledger(self):
        return SqliteLedger(self.state)

    def run(self, countdown, *, plan_anew):
        """One run as the command makes it; the jobs that came to an outcome."""
        ledger = self.ledger()
        adapter = CrashingAdapter(countdown)
        try:
            draft = self.draft(ledger)
            self.first = self.first or draft.jobs
            jobs = draft.jobs if plan_anew else self.first
            clock = Unhurried()
            watched = CrashingLedger(ledger, countdown)
            watched.bind(self.binding)
            events = apply(jobs, watched, self.provider(clock, adapter), clock, plan_digest=draft.plan.digest)
            return [event for event in events if isinstance(event, JobDone)]
        finally:
            ledger.close()
            adapter.close()


@pytest.fixture
def history(tmp_path, server):
    return lambda script="": World(tmp_path, server, script)


def test_every_write_and_every_request_is_a_boundary(history):
    """Were one left out, the tests below would say nothing about it."""
    countdown = Countdown()
    here = history()
    here.run(countdown, plan_anew=True)
    assert {
        "before bind": 1,
        "after bind": 1,
        "before GET": 4,
        "after GET": 4,
        **dict.fromkeys(("before claim", "in claim", "after claim", "before POST", "after POST"), 6),
        # What came of the others is a part of the next claim.
        "before record": 1,
        "after record": 1,
    } == Counter(countdown.passed)
    assert [] == list(here.wrongs())
    assert 6 == sum(method == "POST" for method, *_ in here.server.requests)


# Two faults in a row at most: a run ends after three doubts in a row.
@pytest.mark.parametrize(
    ("letter", "plan_anew"),
    [
        *(pytest.param(letter, True, id=f"{letter}, planned anew") for letter in "ald5tx9"),
        *(pytest.param(letter, False, id=f"{letter}, planned once") for letter in "alx"),
    ],
)
def test_a_crash_at_any_boundary_doubles_nobody_and_loses_nobody(history, letter, plan_anew):
    # After a 429 the job is posted anew, and each look in between is two boundaries more.
    script = "a9" if letter == "9" else f"{letter}a{letter}{letter}a{letter}"
    countdown = Countdown()
    history(script).run(countdown, plan_anew=plan_anew)
    boundaries = countdown.passed
    assert 42 <= len(boundaries)
    wrongs = []
    for place, name in enumerate(boundaries):
        here = history(script)
        with pytest.raises(Crash):
            here.run(Countdown(place), plan_anew=plan_anew)
        here.run_until_quiet(plan_anew=plan_anew)
        wrongs += [f"{place} {name}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs


@pytest.mark.parametrize("letter", "al")
def test_two_crashes_in_one_history_double_nobody_and_lose_nobody(history, letter):
    """A crash, a crash while making up for it, and then a run to the end."""
    script = letter + "a" * 3
    wrongs = []
    for first in range(0, 42, 7):
        for second in range(0, 42 - first, 5):
            here = history(script)
            with pytest.raises(Crash):
                here.run(Countdown(first), plan_anew=True)
            with suppress(Crash):
                here.run(Countdown(second), plan_anew=True)
            here.run_until_quiet(plan_anew=True)
            wrongs += [f"{first}, {second}: {wrong}" for wrong in here.wrongs()]
    assert [] == wrongs


def test_a_redirect_leads_nowhere(history, server):
    """Whoever answers 307 would get the numbers, the text and a signature."""
    here = history("r")
    with Server(Simulator(Settings())) as elsewhere:
        server._elsewhere = elsewhere.url
        here.run_until_quiet(plan_anew=True)
        assert [] == elsewhere.requests
    assert [] == list(here.wrongs())
    assert 5 == len(here.simulator.journal)
    assert 6 == sum(method == "POST" for method, *_ in server.requests)


@pytest.mark.parametrize("letter", "ld5txr04")
def test_no_answer_makes_a_run_post_a_job_twice(history, letter):
    here = history(f"a{letter}a{letter}")
    here.run_until_quiet(plan_anew=True)
    posted = Counter(body for method, _, body in here.server.requests if method == "POST")
    assert [1] * 6 == list(posted.values())
    assert [] == list(here.wrongs())
