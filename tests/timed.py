"""A small world in which time passes only on purpose: the tool and the simulator share one clock, and no socket."""

import io
from contextlib import closing
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import requests
from ledgers import Read

from smsdeclare import cancel, refresh, settle
from smsdeclare.apply import apply
from smsdeclare.columns import Text
from smsdeclare.definitions import Times
from smsdeclare.jobs import Job
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.providers.transport import wire
from smsdeclare.rates import bill
from smsdeclare.records import Binding
from smsdeclare.settle import Rules
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Settings
from smsdeclare.simulator.transport import Transport

SERVICE = "sms-ab12345-1"
BINDING = Binding(project="test", provider="ovh", endpoint="ovh-eu", service=SERVICE)
START = datetime(2026, 12, 1, 8, tzinfo=UTC)
RULES = Rules(after=timedelta(minutes=30), trusts_absence=True)


class Time:
    """A clock that stands still unless somebody waits."""

    def __init__(self):
        self.elapsed = 0.0

    def now(self):
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self):
        return self.elapsed

    def sleep(self, seconds):
        self.elapsed += seconds

    def pass_(self, **amount):
        self.elapsed += timedelta(**amount).total_seconds()


class Faulty(Transport):
    """The simulator with a letter for each POST.

    a: answered; l: handled and then lost; d: lost before it was handled; 9: answered 429 and not handled; p: answered
    429 and handled all the same.
    """

    def __init__(self, simulator, time, script=""):
        super().__init__(simulator, clock=lambda: time.now().timestamp(), on_first_byte=self._begin)
        self.script = list(script)
        self.requests = []

    @staticmethod
    def _begin():
        wire.has_begun = True

    def send(self, request, **settings):
        self.requests.append(f"{request.method} {request.path_url}")
        letter = self.script.pop(0) if request.method == "POST" and self.script else "a"
        if letter == "d":
            self._begin()
            raise requests.ConnectionError
        if letter == "9":
            self._begin()
            return _too_fast()
        answer = super().send(request, **settings)
        if letter == "p":
            return _too_fast()
        if letter == "l":
            raise requests.ConnectionError
        return answer


def _too_fast():
    answer = requests.Response()
    answer.status_code = 429
    answer.headers["X-Ovh-QueryID"] = "EU.ext-1"
    answer.raw = io.BytesIO(b'{"message": "Too many requests"}')
    return answer


class World:
    """A state, a provider, and one clock for both."""

    def __init__(self, folder, script="", *, holds_advertising=False, numbers=AS_KEPT, **settings):
        self.time = Time()
        self.numbers = numbers
        self.simulator = Simulator(Settings(origin="https://eu.api.ovh.com", **settings))
        self.wire = self.make_wire(script)
        self.path = folder / "test.state"
        (known,) = self.simulator.settings.credentials
        self.keys = ApplicationKeys(
            application_key=known.application_key,
            application_secret=known.application_secret,
            consumer_key=known.consumer_key,
        )
        self.provider = OvhProvider(
            url="https://eu.api.ovh.com/1.0",
            credentials=self.keys,
            service=SERVICE,
            clock=self.time,
            adapter=self.wire,
            holds_advertising=holds_advertising,
        )
        self._bind()

    def make_wire(self, script):
        return Faulty(self.simulator, self.time, script)

    def _bind(self):
        with closing(self._ledger()) as ledger:
            ledger.bind(BINDING)

    def with_another_state(self):
        """The same provider and time, seen from a state that knows nothing."""
        other = copy(self)
        other.path = self.path.with_name("other.state")
        other._bind()
        return other

    def ledger(self):
        """To whom knows the numbers."""
        return Read(self._ledger())

    def _ledger(self):
        return SqliteLedger(self.path, self.numbers)

    def apply(self, *jobs, lanes=None):
        with closing(self._ledger()) as ledger:
            return Read(ledger).read(
                list(apply(jobs, ledger, self.provider, self.time, plan_digest="sha256:plan", lanes=lanes))
            )

    def settle(self, rules=RULES):
        with closing(self._ledger()) as ledger:
            return Read(ledger).read(list(settle.settle(ledger, self.provider, self.time, rules)))

    def take_back(self, rules=RULES, by="sha256:plan"):
        with closing(self._ledger()) as ledger:
            held = ledger.posted_held()
            return Read(ledger).read(list(cancel.take_back(held, ledger, self.provider, self.time, rules, by=by)))

    def finish(self, rules=RULES):
        with closing(self._ledger()) as ledger:
            return Read(ledger).read(list(cancel.finish(ledger, self.provider, self.time, rules)))

    def refresh(self):
        with closing(self._ledger()) as ledger:
            return Read(ledger).read(list(refresh.refresh(ledger, self.provider)))

    @property
    def states(self):
        with closing(self.ledger()) as ledger:
            return {record.number: record.state.value for record in ledger.records()}

    @property
    def received(self):
        """Who has an SMS that was not taken back; twice for two."""
        return sorted(line["receiver"] for line in self.simulator.history.alive())


def job(*numbers, text="Hello", send_at=None, message="hello", **options):
    options = {"noStopClause": True, **options}
    return Job(
        message=message,
        revision=1,
        text=Text(text, text.encode().hex().ljust(64, "0")[:64], bill(text, options)),
        template_digest="t" * 64,
        options=options,
        times=Times(send_at=send_at),
        credits=float(len(numbers)),
        numbers=numbers,
    )


def rules(**changes):
    return replace(RULES, **changes)
