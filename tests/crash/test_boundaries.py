"""Count the boundaries of a run, then crash at each; the simulator's journal is the witness."""

from collections import Counter
from contextlib import suppress

import pytest
import worlds
from requests.adapters import BaseAdapter

from smsdeclare import planning
from smsdeclare.apply import JobDone, apply
from smsdeclare.clock import SystemClock
from smsdeclare.define import define
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.project import read
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.providers.transport import DirectAdapter
from smsdeclare.records import Binding
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings
from smsdeclare.states import IN_DOUBT, State

RECEIVERS = [worlds.number(place) for place in range(6)]
KEYS = ApplicationKeys(
    application_key=worlds.KEYS["OVH_APPLICATION_KEY"],
    application_secret=worlds.KEYS["OVH_APPLICATION_SECRET"],
    consumer_key=worlds.KEYS["OVH_CONSUMER_KEY"],
)
#: After so many runs it must be quiet.
MOST_RUNS = 6


class Crash(BaseException):
    """The machine stops here: no handler for errors may see it."""


class Unhurried(SystemClock):
    """Nobody waits in these histories."""

    def __init__(self):
        self._slept = 0.0

    def monotonic(self):
        return super().monotonic() + self._slept

    def sleep(self, seconds):
        self._slept += seconds


class Countdown:
    """Lets so many boundaries pass, then crashes; counts them where it never does."""

    def __init__(self, left=None):
        self.left = left
        self.passed = []

    def cross(self, name):
        if self.left == len(self.passed):
            raise Crash(name)
        self.passed.append(name)


class CrashingLedger:
    """A real ledger with a boundary before, in and after each of its writes."""

    def __init__(self, ledger, countdown):
        self._ledger = ledger
        self._countdown = countdown

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    def bind(self, binding):
        self._countdown.cross("before bind")
        self._ledger.bind(binding)
        self._countdown.cross("after bind")

    def claim_all(self, wanted, *, epoch):
        def crossing(prepare):
            def prepare_and_cross(claim):
                request = prepare(claim)
                self._countdown.cross("in claim")
                return request

            return prepare_and_cross

        self._countdown.cross("before claim")
        crossed = [(intent, crossing(prepare)) for intent, prepare in wanted]
        claimed = self._ledger.claim_all(crossed, epoch=epoch)
        self._countdown.cross("after claim")
        return claimed

    def record_all(self, outcomes):
        self._countdown.cross("before record")
        moved = self._ledger.record_all(outcomes)
        self._countdown.cross("after record")
        return moved


class CrashingAdapter(BaseAdapter):
    """The real way to the network with a boundary before and after each request."""

    def __init__(self, countdown):
        super().__init__()
        self._direct = DirectAdapter()
        self._countdown = countdown

    def send(self, request, **settings):
        self._countdown.cross(f"before {request.method}")
        try:
            response = self._direct.send(request, **settings)
        except Exception:
            self._countdown.cross(f"after {request.method}")
            raise
        try:
            self._countdown.cross(f"after {request.method}")
        except Crash:
            response.close()
            raise
        return response

    def close(self):
        self._direct.close()


class World:
    """One history: a state, a provider that keeps a journal, and runs that may crash."""

    def __init__(self, folder, server, script):
        self.folder = folder
        self.server = server
        self.simulator = Simulator(Settings())
        server._simulator = self.simulator
        server._faults.script = list(script)
        server.requests.clear()
        self.binding = Binding(project="test", provider="ovh", endpoint=server.url, service=worlds.SERVICE)
        self.state = folder / "test.state"
        self.state.unlink(missing_ok=True)
        self.definitions = define(read(folder))
        self.expanded = planning.expand(self.definitions)
        #: The jobs of the first plan, for a runner that planned long ago.
        self.first = None

    def run(self, countdown, *, plan_anew):
        """One run as the command makes it; the jobs that came to an outcome."""
        ledger = SqliteLedger(self.state)
        adapter = CrashingAdapter(countdown)
        try:
            draft = planning.work_out(self.definitions, self.expanded, ledger, self.binding, now=SystemClock().now())
            self.first = self.first or draft.jobs
            jobs = draft.jobs if plan_anew else self.first
            clock = Unhurried()
            provider = OvhProvider(
                url=self.server.url, credentials=KEYS, service=worlds.SERVICE, clock=clock, adapter=adapter
            )
            watched = CrashingLedger(ledger, countdown)
            watched.bind(self.binding)
            events = apply(jobs, watched, provider, clock, plan_digest=draft.plan.digest)
            return [event for event in events if isinstance(event, JobDone)]
        finally:
            ledger.close()
            adapter.close()

    def run_until_quiet(self, *, plan_anew):
        for _ in range(MOST_RUNS):
            if not self.run(Countdown(), plan_anew=plan_anew):
                return
        raise AssertionError(f"not quiet after {MOST_RUNS} runs")

    def wrongs(self):
        """Whoever has two SMS, is lost, or is on record as what did not happen."""
        received = Counter(sms["receiver"] for sms in self.simulator.journal)
        ledger = SqliteLedger(self.state)
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
        **dict.fromkeys(
            (
                "before claim", "in claim", "after claim", "before POST", "after POST", "before record", "after record"
            ),
            6,
        ),
    } == Counter(countdown.passed)  # fmt: skip
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
    assert 46 <= len(boundaries)
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
    for first in range(0, 46, 7):
        for second in range(0, 46 - first, 5):
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
