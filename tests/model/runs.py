"""Runs of the product as processes that can be stopped between any two calls, and gone on with as often as wanted.

A run is told by what it has been answered so far: the product's own function is called again from its beginning, each
of its calls to the ledger, the provider, or the clock gets the answer it got before, and the first one beyond these is
what it waits for now. So no line of it is written anew, and a place in it is a number.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from books import BEGAN, OLD, TICK

from smsdeclare.clock import timestamp
from smsdeclare.errors import SmsdeclareError
from smsdeclare.events import Trouble
from smsdeclare.provider import InDoubt, Prepared
from smsdeclare.records import Posted

#: A second run may begin here; nothing of an earlier one is left.
OFF = 0
#: Phase and call: the time is read in one step with the call for which it is read.
LAZY = {("post", "provider.now")}
#: Where in these phases times that were read before still count; in the others they do throughout.
COUNTING = {
    "settle": {"provider.time", "provider.held", "sleep"}
    | {f"ledger.{name}" for name in ("posted_released", "trusts_absence", "control")},
    "post": {"ledger.claim_all", "provider.submit"},
}
#: Phase and call: from here on times count from this reading.
READING = {("settle", "provider.time"), ("post", "provider.now")}


class _Waits(BaseException):
    """The run has got so far."""

    def __init__(self, call):
        self.call = call


@dataclass(frozen=True)
class Call:
    """What a run waits for."""

    name: str
    given: tuple = ()
    more: dict = field(default_factory=dict)
    #: What of it is no plain value, and follows from the place in the run.
    live: Any = None


@dataclass
class Place:
    """How far a run has got."""

    number: int
    phase: tuple
    answers: tuple
    #: None at the end of the phase.
    call: Call | None
    #: Where it goes on at the end of a phase; None where the run ends.
    then: tuple | None = None
    #: Number of the call's text, so that equal calls of different runs are one.
    key: int = -1
    #: Whether it goes on at once, together with the step before.
    is_hasty: bool = False
    #: Whether it is one step with the next.
    is_lazy: bool = False
    #: Whether it reads the time anew, so that times read before count from then.
    reads_time: bool = False
    #: Whether time that passes here may matter to it later; else none is counted.
    counts_time: bool = False


class Ports:
    """The ledger, the provider, and the clock, as a run sees them."""

    def __init__(self, answers, epoch):
        self._answers = answers
        self._given = 0
        self.slept = 0
        self.epoch = epoch
        self.signed_at = None
        self.ledger, self.provider, self.clock = Ledger(self), Provider(self), Clock(self)

    def call(self, name, *given, live=None, **more):
        if self._given == len(self._answers):
            raise _Waits(Call(name, given, more, live))
        answer = self._answers[self._given]
        self._given += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


class Ledger:
    """The calls of `smsdeclare.ledger.Ledger`; what they do is done by the real one."""

    def __init__(self, ports):
        self._ports = ports

    has_hashes = False

    def names(self, number):
        """A world of few numbers has nothing to hide."""
        return (number,)

    @property
    def epoch(self):
        """As of the moment at which the run opened it."""
        return self._ports.epoch

    @property
    def trusts_absence(self):
        return self._ports.call("ledger.trusts_absence")

    def claim_all(self, wanted, *, epoch, outcomes=()):
        def prepare_at(prepare, signed_at, claim):
            self._ports.signed_at = signed_at
            return prepare(claim)

        live = [partial(prepare_at, prepare) for _, prepare in wanted]
        intents = tuple(intent for intent, _ in wanted)
        return self._ports.call("ledger.claim_all", intents, live=live, epoch=epoch, outcomes=tuple(outcomes))

    def __getattr__(self, name):
        return lambda *given, **more: self._ports.call(f"ledger.{name}", *given, **more)


class Provider:
    """The calls of `smsdeclare.provider.Provider`."""

    def __init__(self, ports):
        self._ports = ports

    def connect(self):
        """The line is open; that it can't be opened is one of the ways in which a POST is not made."""

    def open_until(self):
        """Always open, so that an answer and the next claim are one step."""
        return float("inf")

    def prepare(self, job, tag, numbers):
        now, until = self._ports.signed_at
        return Prepared(
            url=f"{job.message}@{job.revision}",
            body=" ".join((tag, *numbers)).encode(),
            headers=(),
            not_after=int(max(now, until(job)).timestamp()),
            signed_at=0.0,
            body_digest="d",
        )

    def sign_again(self, prepared):
        """What no product code may do; a planted bug does."""
        return replace(prepared, not_after=int(self._ports.call("provider.now").timestamp()))

    def submit(self, prepared):
        answer = self._ports.call("provider.submit", prepared)
        if answer is None:
            raise InDoubt(reason="lost")
        return answer

    def __getattr__(self, name):
        return lambda *given, **more: self._ports.call(f"provider.{name}", *given, **more)


class Clock:
    """The calls of `smsdeclare.clock.Clock`; one that stands still while its run is paused, as on a laptop asleep."""

    def __init__(self, ports):
        self._ports = ports

    def monotonic(self):
        return self._ports.slept * TICK.total_seconds()

    def sleep(self, _seconds):
        self._ports.call("sleep")
        self._ports.slept += 1


class Runs:
    """All places that runs can get to, by number."""

    def __init__(self, code, rules, is_hasty, limit):
        self.code, self.rules, self.is_hasty, self.limit = code, rules, is_hasty, limit
        self.places = [Place(OFF, ("off",), (), None)]
        self._starts = {}
        self._after = {}
        self._framed = {}
        self._calls = {}

    def start(self, phase):
        """The beginning of a phase."""
        key = repr(phase)
        found = self._starts.get(key)
        if found is None:
            found = self._starts[key] = self._made(phase, ())
        return found

    def answered(self, place, answer, number):
        """Where a run gets to with this answer, whose number it is."""
        found = self._after.get((place.number, number))
        if found is None:
            found = self._after[place.number, number] = self._made(place.phase, (*place.answers, answer))
        return found

    def framed_anew(self, place, elapsed):
        """The same place, where times read before count from now; what was read of the clock alone is forgotten.

        Nothing in the two phases in which this is done looks at such a reading once its call is answered.
        """
        if not elapsed:
            return place
        found = self._framed.get((place.number, elapsed))
        if found is None:
            answers = tuple(_earlier(one, elapsed, self.limit) for one in place.answers)
            if answers == place.answers:
                found = place
            else:
                key = repr((place.phase, answers))
                found = self._starts.get(key) or self._starts.setdefault(key, self._made(place.phase, answers))
            self._framed[place.number, elapsed] = found
        return found

    def _made(self, phase, answers):
        name, epoch, *rest = phase
        ports = Ports(answers, epoch)
        call = then = None
        try:
            then = getattr(self, f"_{name}")(ports, *rest)
        except _Waits as waits:
            call = waits.call
        except SmsdeclareError:
            then = None
        place = Place(len(self.places), phase, answers, call, then)
        if call is not None:
            text = repr((call.name, call.given, call.more))
            place.key = self._calls.setdefault(text, len(self._calls))
            place.is_hasty = self.is_hasty(name, call)
            place.is_lazy = (name, call.name) in LAZY
            place.reads_time = (name, call.name) in READING
            place.counts_time = bool(answers) and (name not in COUNTING or call.name in COUNTING[name])
        self.places.append(place)
        return place

    # — what `smsdeclare apply` does, phase by phase; a phase leaves nothing to the next but what it returns —

    def _settle(self, ports, wish):
        events = self.code.settle.settle(ports.ledger, ports.provider, ports.clock, self.rules)
        return ("finish", ports.epoch, wish) if _is_well(events) else None

    def _finish(self, ports, wish):
        events = self.code.cancel.finish(ports.ledger, ports.provider, ports.clock, self.rules)
        return ("plan", ports.epoch, wish, None) if _is_well(events) else None

    def _plan(self, ports, wish, approved):
        """`planning.work_out`, at one moment; `approved` is the digest under which this run takes back."""
        draft = ports.call("plan", wish, approved)
        if draft is None:
            return None
        if draft.renames:
            return ("rename", ports.epoch, wish, draft.renames, draft.digest)
        if draft.take_backs and approved is None:
            return ("take_back", ports.epoch, wish, draft.take_backs, draft.digest)
        return ("post", ports.epoch, draft.jobs, draft.digest) if draft.jobs else None

    def _rename(self, ports, wish, renames, digest):
        epoch = ports.epoch
        for old, new in renames:
            epoch = ports.ledger.rename(old, new, "then")
        return ("plan", epoch, wish, digest)

    def _take_back(self, ports, wish, jobs, digest):
        events = self.code.cancel.take_back(jobs, ports.ledger, ports.provider, ports.clock, self.rules, by=digest)
        return ("plan", ports.epoch, wish, digest) if _is_well(events) else None

    def _post(self, ports, jobs, digest):
        events = self.code.apply.apply(jobs, ports.ledger, ports.provider, ports.clock, plan_digest=digest)
        for _ in events:
            pass

    # — what people do —

    def _stop_all(self, ports):
        """`smsdeclare stop --cancel`: the stop itself was one step; what the provider holds is taken back."""
        held = ports.ledger.posted_held()
        events = self.code.cancel.take_back(held, ports.ledger, ports.provider, ports.clock, self.rules, by="stop")
        for _ in events:
            pass


def _earlier(answer, elapsed, limit):
    """An answer whose times count from a moment so many ticks later, up to the limit of all ages."""
    if isinstance(answer, tuple) and not hasattr(answer, "_fields"):
        return tuple(_earlier(one, elapsed, limit) for one in answer)
    if not isinstance(answer, Posted):
        return answer
    at = {}
    for name in ("claimed_at", "send_at", "answered_at"):
        written = getattr(answer, name)
        if written is not None:
            at[name] = timestamp(_before(datetime.fromisoformat(written), elapsed, limit))
    end = _before(datetime.fromtimestamp(answer.not_after, UTC), elapsed, limit)
    return answer._replace(not_after=int(end.timestamp()), **at)


def _before(moment, elapsed, limit):
    age = round((BEGAN - moment) / TICK)
    return moment if age == OLD else BEGAN - min(age + elapsed, limit) * TICK


def _is_well(events):
    """Whether the run goes on: nothing of what came was an error."""
    trouble = [one for one in events if isinstance(one, Trouble) and one.code.severity == "error"]
    return not trouble
