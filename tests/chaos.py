"""One history: a project is edited, planned, applied, crashed, settled, while the network and the clocks misbehave.

The tool is the real one from the YAML file to the bytes of each request, and the state is a real file; only the clock
and the wire are ours. The journal of the simulator says what is true: who has which SMS. The texts name message,
revision and wording, so that no rule of the tool is needed to read it.

The world stays within what the tool assumes of OVHcloud: a signature is taken for ten minutes at most, an SMS is made
within one, listed within five, and stands in neither list for two at most.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import requests
import worlds
from lanes import DrawnLanes
from timed import BINDING

from smsdeclare import codes, planning
from smsdeclare.account import Facts
from smsdeclare.cli.opening import Opened
from smsdeclare.cli.run import Run
from smsdeclare.cli.session import Session
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, PlanStale, SmsdeclareError, StateError
from smsdeclare.format import Style
from smsdeclare.ledgers.upkeep import stopped_by
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.providers.ovh import OvhProvider
from smsdeclare.providers.transport import wire
from smsdeclare.simulator.faults import answer_to
from smsdeclare.simulator.messages import Response, to_bytes
from smsdeclare.simulator.settings import Service, Settings
from smsdeclare.simulator.transport import Transport

NUMBERS = [worlds.number(place) for place in range(5)]
#: Refused by the provider, whoever sends to it.
REFUSED = NUMBERS[-1]
ORIGIN = "https://eu.api.ovh.com"
KEYS = ApplicationKeys(
    application_key=worlds.KEYS["OVH_APPLICATION_KEY"],
    application_secret=worlds.KEYS["OVH_APPLICATION_SECRET"],
    consumer_key=worlds.KEYS["OVH_CONSUMER_KEY"],
)
#: What a request and its answer take. Seconds.
LATENCY = 0.1
#: After so long a client gives up. Seconds.
TIMEOUT = 60.0
#: Letter → what happens to a request, beside the simulator's own letters.
FAULTS = {
    "u": "no connection",
    "L": "handled, no answer within a minute",
    "D": "not handled, no answer within a minute",
    "y": "no answer; handled half a minute after the client gave up",
    "z": "no answer; handled when the signature is almost too old",
    "w": "no answer; arrives when the signature is too old",
    "p": "handled; the report leaves out a receiver",
    "b": "handled; the report has a receiver in both lists",
    "s": "handled; the report names a stranger",
    "q": "handled; something on the way answers 403 with JSON and no query id",
    "f": "answered 403 with JSON and a query id, nothing is handled: the credentials were taken away",
}


#: What a run comes to that nothing broke off.
WELL = "ended well"


class Crash(BaseException):
    """The process ends here: no handler for errors may see it."""


@dataclass(frozen=True, kw_only=True)
class Ordeal:
    """What one run has to stand. Places count its boundaries: before and after each request and each write."""

    #: A letter for each POST, and for each other request.
    posts: str = ""
    reads: str = ""
    crash: int | None = None
    #: The disk is full for this one write.
    full: int | None = None
    #: Somebody presses Ctrl-C.
    signal: int | None = None
    #: The machine sleeps: where, and for how many seconds.
    nap: tuple[int, float] | None = None


CALM = Ordeal()


@dataclass(frozen=True, kw_only=True)
class Place:
    """What one history's world is like."""

    settings: Settings
    after: timedelta
    trusts_absence: bool = True
    receivers_per_job: int = 500
    #: Whether each receiver has a text of its own.
    personal: bool = False
    #: Whether texts carry the STOP clause, so that the provider holds them at night.
    advertising: bool = False
    #: How many POSTs may be in flight at once.
    lanes: int = 1
    #: How the state is kept, and what goes wrong with that; None: nothing.
    keeping: str = "file"
    seed: int | None = None


def place(random):
    """A world by chance, within what the tool assumes."""
    advertising = random.random() < 0.1
    chosen = {
        "clock_ahead": random.choice((0.0, 0.0, -3000.0, 420.5)),
        "signature_window": random.choice((180.0, 600.0)),
        "error_shape": random.choice(("errorCode", "class")),
        "echo": random.choice(("+", "00", "as sent")),
        "ids_in_order": random.random() < 0.5,
        "report_tag": random.random() < 0.8,
        "processing_seconds": random.choice((0.0, 0.0, 7.0, 60.0)),
        "list_lag": random.choice((0.0, 10.0, 140.0, 300.0)),
        "jobs_lag": random.choice((0.0, 0.0, 0.0, 10.0, 300.0)),
        "lists_gap": random.choice((0.0, -30.0, 30.0, 115.0)),
        "outgoing_id_shift": random.choice((0, 0, 7)),
        "jobs_id_shift": random.choice((0, 0, 0, 7)),
        "outgoing_order": random.choice(("oldest first", "newest first")),
        "ignored_filters": frozenset(random.choice(((), (), (), (), ("tag",), ("creationDatetime.from",)))),
        "listed_numbers": random.choice(("+", "00")),
        "object_lists": random.random() < 0.5,
        "delivery_seconds": random.choice((5.0, 5.0, 5.0, None)),
        "retry_after": random.choice(("", "7", "100000")),
    }
    if advertising:
        chosen |= {"marketing_hours": (8, 20), "marketing_days": random.choice(((0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5)))}
    return Place(
        settings=Settings(
            origin=ORIGIN,
            services=(Service(blacklist=(REFUSED,), credits=100_000.0),),
            failures={NUMBERS[1]: 5},
            **chosen,
        ),
        after=timedelta(minutes=random.choice((20, 30))),
        trusts_absence=random.random() < 0.95,
        receivers_per_job=random.choice((1, 2, 500)),
        personal=random.random() < 0.5,
        advertising=advertising,
        lanes=random.choice((1, 3)),
    )


class Watch:
    """The tool's clock: it goes as fast as the true one, and may be wrong."""

    def __init__(self, time):
        self.time = time
        self.ahead = timedelta()

    def now(self):
        return self.time.now() + self.ahead

    def monotonic(self):
        return self.time.monotonic()

    def sleep(self, seconds):
        self.time.sleep(seconds)


class Wire(Transport):
    """The way of one run to the provider, and what goes wrong on it."""

    def __init__(self, history, ordeal, cross):
        super().__init__(self, clock=history.true_time, on_first_byte=self._begin)
        self._history = history
        self._posts, self._reads = list(ordeal.posts), list(ordeal.reads)
        self._cross = cross
        self._letter = "a"

    def send(self, request, **settings):
        self._cross(f"before {request.method}")
        script = self._posts if request.method == "POST" else self._reads
        self._letter = script.pop(0) if script else "a"
        self._history.faults[self._letter] += 1
        try:
            return super().send(request, **settings)
        finally:
            self._cross(f"after {request.method}")

    def _begin(self):
        self._history.time.sleep(LATENCY)
        if self._letter == "u":
            raise requests.ConnectTimeout
        wire.has_begun = True

    def handle(self, method, path, headers, body, now):
        history, letter = self._history, self._letter
        del now

        def arrive():
            history.deliver_late()
            history.posts += method == "POST"
            return history.simulator.handle(method, path, headers, body, history.true_time())

        match letter:
            case "L" | "D":
                if letter == "L":
                    arrive()
                history.time.sleep(TIMEOUT)
                raise requests.ReadTimeout
            case "y" | "z" | "w":
                window = history.place.settings.signature_window
                delay = {"y": TIMEOUT + 30, "z": window - 2, "w": window + 5}[letter]
                history.late.append((history.true_time() + delay, method, path, headers, body))
                history.time.sleep(TIMEOUT)
                raise requests.ReadTimeout
            case "p" | "b" | "s":
                return _garble(arrive(), letter)
            case "q":
                arrive()
                return Response(status=403, headers={}, body=to_bytes({"message": "Forbidden"}))
            case "f":
                content = {"class": "Client::Forbidden", "message": "This credential is not valid"}
                return Response(status=403, headers={"X-Ovh-QueryID": "SIM.fault.403"}, body=to_bytes(content))
        elsewhere, pace = "https://elsewhere.invalid", history.place.settings.retry_after
        response = answer_to(letter, arrive, elsewhere=elsewhere, retry_after=pace)
        if response is None:
            raise requests.ConnectionError
        if letter == "t":
            return Response(status=200, headers=response.headers, body=response.body[: len(response.body) // 2])
        return response


def _garble(response, letter):
    """A report that does not say what became of each receiver."""
    report = json.loads(response.body)
    if response.status != 200 or not isinstance(report, dict) or not report.get("validReceivers"):
        return response
    valid = report["validReceivers"]
    if letter == "p":
        valid.pop()
    elif letter == "b":
        report["invalidReceivers"].append(valid[0])
    else:
        valid.append(worlds.number(4711))
    return Response(status=200, headers=response.headers, body=to_bytes(report))


class ManyLanes(Run):
    """A run with several POSTs in flight, or one; their answers come in an order that is drawn."""

    lanes: DrawnLanes

    def _post(self, draft, digest, margin, stop, lanes):
        return super()._post(draft, digest, margin, stop, self.lanes)


class Lease:
    """Nobody holds a lease here: safety never rests on it."""

    #: No run knows of another.
    fellows = ()

    def hold(self, digest):
        pass

    def renew(self):
        pass


class Process:
    """One run of a command, from its start to its end or its crash."""

    def __init__(self, history, ordeal, turn=lambda name: None):
        self.history = history
        self.ordeal = ordeal
        self._turn = turn
        self._passed = 0
        self._is_dead = False

    def cross(self, name):
        """One boundary: what the ordeal has in store for it."""
        if self._is_dead:
            # What is left to be done on the way out is never done.
            raise Crash(name)
        here, ordeal = self._passed, self.ordeal
        self._passed += 1
        if ordeal.crash == here:
            self._is_dead = True
            self.history.events["crash"] += 1
            raise Crash(name)
        if ordeal.full == here and name == "before a write":
            self.history.events["disk full"] += 1
            raise StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail="no space left"))
        if ordeal.nap and ordeal.nap[0] == here:
            self.history.events["nap"] += 1
            self.history.time.sleep(ordeal.nap[1])
        # Inside a transaction nobody else could write, and nobody else is let in.
        if name != "in a write":
            self._turn(name)

    def stop(self):
        return self.ordeal.signal is not None and self._passed > self.ordeal.signal

    def run(self, body):
        """Do what the command does; crashes and failures end it as they end the command."""
        history = self.history
        provider = OvhProvider(
            url=f"{ORIGIN}/1.0",
            credentials=KEYS,
            service=worlds.SERVICE,
            clock=history.watch,
            adapter=Wire(history, self.ordeal, self.cross),
            holds_advertising=history.place.advertising,
        )
        opened = Opened(provider=provider, binding=BINDING, clock=history.watch, outbox=None, rules=history.rules)
        try:
            with closing(history.state.watched(self.cross)) as ledger:
                run = ManyLanes(session=_SESSION, opened=opened, ledger=ledger, holder=Lease())
                run.lanes = DrawnLanes(history.place.lanes, Random(history.posts))
                body(self, run)
                if run.failure is not None:
                    raise run.failure
        except Crash as crash:
            return f"crashed {crash}"
        except SmsdeclareError as error:
            code = error.diagnostics[0].code.id if error.diagnostics else type(error).__name__
            history.events[code] += 1
            return f"ended: {error}"
        return WELL

    # — the commands, in the order of smsdeclare/cli —

    def apply(self, run, approved=None, wait=timedelta(), targets=()):
        ledger = run.ledger
        if ledger.stopped:
            raise Held(stopped_by(ledger.stopped))
        run.settle(self.stop)
        draft = self.work_out(run, approved, targets)
        if run.interrupted:
            return
        if approved is not None and draft.plan.digest != approved:
            raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail="approved was another"))
        again = lambda digest: self.work_out(run, digest, targets)  # noqa: E731 - as the command has it
        run.carry_out(draft, self.history.margin, again, self.stop)
        for _ in run.until_known(wait, self.stop):
            run.carry_out(again(draft.plan.digest), self.history.margin, again, self.stop)

    def work_out(self, run, approved=None, targets=()):
        definitions, expanded = self.history.files()
        return planning.work_out(
            definitions,
            expanded,
            run.ledger,
            BINDING,
            # As the command has it, before `now`: what is asked first teaches the provider's time.
            account=Facts(credits_left=run.opened.provider.credits_left()),
            now=run.opened.provider.now(),
            approved=approved,
            margin=self.history.margin,
            targets=targets,
        )

    def settle(self, run):
        run.settle(self.stop)

    def refresh(self, run):
        run.settle(self.stop)
        run.refresh(self.stop)


_SESSION = Session(
    folder=Path(), root_file=None, style=Style(show_numbers=False, color=False), quiet=True, verbose=False
)
