"""Histories that are broken off at a write or a request, and what must be true of them then."""

from collections import Counter

import worlds
from requests.adapters import BaseAdapter

from smsdeclare import planning
from smsdeclare.clock import SystemClock
from smsdeclare.define import define
from smsdeclare.project import read
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.providers.transport import DirectAdapter
from smsdeclare.records import Binding
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Settings
from smsdeclare.states import IN_DOUBT, State

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


class CrashingLedger:
    """A real ledger with a boundary before and after each of its writes, and in each claim."""

    def __init__(self, ledger, countdown):
        self._ledger = ledger
        self._countdown = countdown

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    def bind(self, binding):
        self._countdown.cross("before bind")
        self._ledger.bind(binding)
        self._countdown.cross("after bind")

    def claim_all(self, wanted, **more):
        def crossing(prepare):
            def prepare_and_cross(claim):
                request = prepare(claim)
                self._countdown.cross("in claim")
                return request

            return prepare_and_cross

        self._countdown.cross("before claim")
        crossed = [(intent, crossing(prepare)) for intent, prepare in wanted]
        claimed = self._ledger.claim_all(crossed, **more)
        self._countdown.cross("after claim")
        return claimed

    def record_all(self, outcomes):
        self._countdown.cross("before record")
        moved = self._ledger.record_all(outcomes)
        self._countdown.cross("after record")
        return moved


class World:
    """One history of a campaign to these receivers, each with a text of their own; how it runs, a subclass says."""

    def __init__(self, folder, server, script, receivers):
        self.server = server
        self.simulator = Simulator(Settings())
        server._simulator = self.simulator
        server._faults.script = list(script)
        server.requests.clear()
        self.binding = Binding(project="test", provider="ovh", endpoint=server.url, service=worlds.SERVICE)
        self.receivers = receivers
        rows = "".join(f'      - {{number: "{number}", name: N{place}}}\n' for place, number in enumerate(receivers))
        message = worlds.message("Hello {{ name }}", "people")
        text = worlds.loopback(server.url, f"receivers:\n  people:\n    numbers:\n{rows}{message}")
        self.definitions = define(read(worlds.write(folder, {"smsdeclare.yaml": text})))
        self.expanded = planning.expand(self.definitions)

    def draft(self, ledger):
        return planning.work_out(self.definitions, self.expanded, ledger, self.binding, now=SystemClock().now())

    def provider(self, clock, adapter):
        return OvhProvider(url=self.server.url, credentials=KEYS, service=worlds.SERVICE, clock=clock, adapter=adapter)

    def run_until_quiet(self, **how):
        for _ in range(MOST_RUNS):
            if not self.run(Countdown(), **how):
                return
        raise AssertionError(f"not quiet after {MOST_RUNS} runs")

    def wrongs(self):
        """Whoever has two SMS, is lost, or is on record as what did not happen."""
        received = Counter(sms["receiver"] for sms in self.simulator.journal)
        ledger = self.ledger()
        states = {record.number: record.state for record in ledger.records()}
        on_record = {number: states.get(ledger.names(number)[0]) for number in self.receivers}
        ledger.close()
        for number, state in on_record.items():
            count = received[number]
            fits = (state is State.ACCEPTED and count == 1) or (state in IN_DOUBT and count <= 1)
            if not fits:
                yield f"{number}: {count} SMS, on record as {state}"
