"""Carry out a plan, as a generator of events: claim, post once, record.

No byte of a POST leaves before its claim is durable, and a send in doubt is never posted again. Only waiting for the
network happens on lanes, which may be threads; whatever reads or writes the ledger happens in the caller's thread.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.clock import pause, timestamp
from smsdeclare.conclusions import Conclusions
from smsdeclare.errors import SmsdeclareError
from smsdeclare.events import JobDone, JobMissed, Trouble
from smsdeclare.guard import Guard
from smsdeclare.intents import intent
from smsdeclare.lanes import OneLane
from smsdeclare.outcomes import Answer, looked_for, outcome, trouble
from smsdeclare.provider import Prepared, Provider, Refused, Unreached
from smsdeclare.states import State
from smsdeclare.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from smsdeclare.clock import Clock
    from smsdeclare.jobs import Job
    from smsdeclare.lanes import Lanes
    from smsdeclare.ledger import Claims
    from smsdeclare.records import Claim, Intent, Outcome

#: A signature older than this is not posted: the claim is given back. Seconds; far below the provider's window.
FRESH_SECONDS = 20.0
#: So often a job is claimed anew after the provider asked for a slower pace.
PATIENCE = 5
#: Longer than this a run does not wait, whatever the provider asks for. Seconds.
LONGEST_PAUSE_SECONDS = 120.0


def apply(
    jobs: Iterable[Job],
    ledger: Claims,
    provider: Provider,
    clock: Clock,
    *,
    plan_digest: str,
    margin: timedelta = timedelta(),
    stop: Callable[[], bool] = lambda: False,
    lanes: Lanes | None = None,
    proven: int = 1,
) -> Iterator[JobDone | JobMissed | Trouble]:
    """Post the jobs, at most one on each lane at a time; each event is yielded after it is on record.

    `stop` is asked before each claim; `margin`: how long a request may travel; `proven`: see Window. Raises StateError,
    PlanStale, Held, ProviderError or PolicyRefused once nothing is in flight any more; what is on record stays right.
    """
    lanes = lanes or OneLane()
    return _Posting(
        jobs=iter(jobs),
        ledger=ledger,
        provider=provider,
        clock=clock,
        plan_digest=plan_digest,
        margin=margin,
        stop=stop,
        lanes=lanes,
        epoch=ledger.epoch,
        guard=Guard(ledger, provider),
        conclusions=Conclusions(window=Window(lanes.count, proven)),
        idle=list(reversed(range(lanes.count))),
    ).events()


class _Turn(NamedTuple):
    """A job that is to be posted."""

    job: Job
    #: How often the provider asked for a slower pace instead of taking it.
    hurried: int = 0


class _Flight(NamedTuple):
    """A job whose claim is on record, and which is posted, or about to be."""

    turn: _Turn
    claim: Claim
    may_be_held: bool


class _Landed(NamedTuple):
    """What came back for it."""

    answer: Answer | Exception
    #: How long it took.
    seconds: float = 0.0
    #: Until when the next request may go over the same line as it is. On the monotonic clock.
    open_until: float = float("-inf")


class _Answered(NamedTuple):
    """A job whose answer is known, and not on record."""

    flight: _Flight
    outcome: Outcome
    #: What else is to be told of it.
    troubles: tuple[Trouble, ...]


@dataclass(slots=True, kw_only=True)
class _Posting:
    """One run: which job is on which lane, and whether more may follow."""

    jobs: Iterator[Job]
    ledger: Claims
    provider: Provider
    clock: Clock
    plan_digest: str
    margin: timedelta
    stop: Callable[[], bool]
    lanes: Lanes
    epoch: int
    guard: Guard
    conclusions: Conclusions
    #: The lane that was used last comes last, and is taken first: its connection is open.
    idle: list[int]
    #: Lane → until when its line may be used as it is.
    open_until: dict[int, float] = field(default_factory=dict)
    #: Jobs whose turn is next; the others are not read yet.
    next: deque[_Turn] = field(default_factory=deque)
    #: Lane → the job for which it is being opened, and the one that is in flight on it.
    opening: dict[int, _Turn] = field(default_factory=dict)
    flying: dict[int, _Flight] = field(default_factory=dict)
    #: Lanes that are open, each with the job that is to be claimed for it.
    open: list[tuple[int, _Turn]] = field(default_factory=list)
    #: What is to come on record with the next claims, in this order.
    answered: list[_Answered] = field(default_factory=list)
    #: For which the provider asked for a slower pace: still claimed, and to be looked for.
    slowed: list[tuple[_Flight, Refused]] = field(default_factory=list)

    def events(self) -> Iterator[JobDone | JobMissed | Trouble]:
        """Everything until nothing is in flight, and nothing more is to be posted."""
        try:
            while self._is_busy or self.answered or self.slowed or self._may_go_on():
                try:
                    yield from self._open_lanes()
                    self._land()
                    self._reuse_lanes()
                    yield from self._write()
                    if self.slowed and not self._is_busy:
                        yield from self._slow_down()
                except SmsdeclareError as error:
                    self.conclusions.fail(error)
        except (Exception, GeneratorExit):
            self._record_the_rest()
            raise
        if self.conclusions.failure is not None:
            raise self.conclusions.failure

    @property
    def _is_busy(self) -> bool:
        return bool(self.opening or self.flying)

    # — who is next —

    @property
    def _has_to_end(self) -> bool:
        """Whether nothing may be claimed now."""
        return self.conclusions.has_ended or bool(self.slowed) or self.stop()

    def _may_go_on(self) -> bool:
        """Whether there is a job that may be claimed now."""
        if self._has_to_end:
            return False
        while self.next and not self.conclusions.allow(self.next[0].job):
            self.next.popleft()
        if not self.next:
            self.next.extend(islice((_Turn(job) for job in self.jobs if self.conclusions.allow(job)), 1))
        return bool(self.next)

    def _has_room(self) -> bool:
        """Whether the window has room for a job, and there is one."""
        under_way = len(self.opening) + len(self.open) + len(self.flying)
        return under_way < self.conclusions.window.size and self._may_go_on()

    def _open_lanes(self) -> Iterator[Trouble]:
        """Open a lane for each job that the window has room for."""
        while self._has_room():
            turn = self.next.popleft()
            yield from self.guard.check(turn.job)
            lane = self.idle.pop()
            self.lanes.start(lane, self._connect)
            self.opening[lane] = turn

    def _reuse_lanes(self) -> None:
        """Take lanes that are open since their answer, for jobs whose claims then come on record together with it.

        Whatever takes a while has to wait until that is on record.
        """
        now = self.clock.monotonic()
        while self._has_room() and not self.guard.must_look(self.next[0].job):
            if now >= self.open_until.get(self.idle[-1], now):
                return
            self.open.append((self.idle.pop(), self.next.popleft()))

    # — on a lane —

    def _connect(self) -> Exception | None:
        try:
            self.provider.connect()
        except Exception as error:  # noqa: BLE001 - it is raised in the run's own thread
            return error
        return None

    def _post(self, prepared: Prepared) -> _Landed:
        begun = self.clock.monotonic()
        if begun - prepared.signed_at > FRESH_SECONDS:
            return _Landed(Unreached(reason="too much time had passed since it was signed"))
        answer: Answer | Exception
        try:
            answer = self.provider.submit(prepared)
        except Exception as error:  # noqa: BLE001 - a doubt is an answer, and all else is raised in the run's own thread
            answer = error
        return _Landed(answer, self.clock.monotonic() - begun, self.provider.open_until())

    # — what came of it —

    def _land(self) -> None:
        """Take what the lanes have finished, and conclude from answers whether more may be posted."""
        if self.answered or not self._is_busy:
            # An error came between; what is known comes on record before anything more is waited for.
            return
        for lane, result in self.lanes.finished():
            if lane in self.flying:
                self.idle.append(lane)
                self.open_until[lane] = result.open_until
                self._take(self.flying.pop(lane), result)
            elif result is None:
                self.open.append((lane, self.opening.pop(lane)))
            else:
                del self.opening[lane]
                self.conclusions.fail(result)

    def _take(self, flight: _Flight, landed: _Landed) -> None:
        answer = landed.answer
        if isinstance(answer, Refused) and answer.code is codes.TOO_FAST:
            self.conclusions.window.close()
            self.slowed.append((flight, answer))
        elif isinstance(answer, Answer):
            became = outcome(flight.claim, answer, timestamp(self.provider.now()))
            troubles = tuple(self.conclusions.draw(flight.turn.job, answer, became, landed.seconds))
            self.answered.append(_Answered(flight, became, troubles))
        else:
            self.conclusions.fail(answer)

    def _write(self) -> Iterator[JobDone | JobMissed | Trouble]:
        """Put on record what was answered and claim what is next, as one transaction; then post, and then tell."""
        wanted = yield from self._choose()
        answered, self.answered = self.answered, []
        outcomes = [(one.flight.claim, one.outcome) for one in answered]
        if wanted:
            self._claim(wanted, outcomes)
        elif outcomes:
            self.ledger.record_all(outcomes)
        for flight, became, troubles in answered:
            yield JobDone(job=flight.turn.job, claim=flight.claim, outcome=became)
            yield from troubles

    def _choose(self) -> Generator[JobMissed, None, list[tuple[int, _Turn]]]:
        """The open lanes whose job may still be posted; the others wait for other jobs."""
        opened, self.open = self.open, []
        wanted: list[tuple[int, _Turn]] = []
        later: list[_Turn] = []
        for lane, turn in opened:
            has_room = len(self.flying) + len(wanted) < self.conclusions.window.size
            if has_room and self.conclusions.allow(turn.job) and not self._has_to_end:
                # It was in time, and not quiet, when the run was planned; long runs go on while the clock does.
                job, is_late = turn.job.placed(self.provider.now(), self.margin)
                if not is_late:
                    wanted.append((lane, turn._replace(job=job)))
                    continue
                yield JobMissed(job=job, sends=self.ledger.miss(self._intent(job), epoch=self.epoch))
            else:
                later.append(turn)
            self.idle.append(lane)
        self.next.extendleft(reversed(later))
        return wanted

    def _claim(self, wanted: list[tuple[int, _Turn]], outcomes: list[tuple[Claim, Outcome]]) -> None:
        """Claim these, and post them; where that fails the outcomes come on record all the same."""
        try:
            intents = [(self._intent(turn.job), partial(self._prepare, turn.job)) for _, turn in wanted]
            found = self.ledger.claim_all(intents, epoch=self.epoch, outcomes=outcomes)
        except Exception as error:  # noqa: BLE001 - it is raised once nothing is in flight
            self.conclusions.fail(error)
            if outcomes:
                self.ledger.record_all(outcomes)
            return
        for (lane, turn), claimed in zip(wanted, found, strict=True):
            if claimed is None:
                self.idle.append(lane)
            else:
                claim, prepared = claimed
                self.lanes.start(lane, partial(self._post, prepared))
                self.flying[lane] = _Flight(turn, claim, prepared.may_be_held)
                self.conclusions.window.begin()

    def _intent(self, job: Job) -> Intent:
        return intent(job, self.provider.now(), self.plan_digest)

    def _prepare(self, job: Job, claim: Claim) -> Prepared:
        return self.provider.prepare(job, claim.tag, claim.numbers)

    def _slow_down(self) -> Iterator[JobDone | Trouble]:
        """Wait as long as the provider wants, then look whether it took the jobs all the same.

        Until the look is done each claim stays as it is: a crash in between leaves sends in doubt, not sends twice.
        """
        slowed, self.slowed = self.slowed, []
        waits = [2.0 ** (flight.turn.hurried + 1) if why.wait is None else why.wait for flight, why in slowed]
        longest = min(max(waits), LONGEST_PAUSE_SECONDS)
        has_waited = self.conclusions.failure is None and pause(self.clock, longest, self.stop)
        look = partial(looked_for, provider=self.provider, has_waited=has_waited)
        looked = [(one, why, look(one.claim, why, may_be_held=one.may_be_held)) for one, why in slowed]
        self.ledger.record_all([(flight.claim, became) for flight, _, became in looked])
        again = []
        for (turn, claim, _), why, became in looked:
            if set(became.states.values()) != {State.NOT_SENT}:
                yield JobDone(job=turn.job, claim=claim, outcome=became)
            if State.UNKNOWN in became.states.values() or turn.hurried == PATIENCE:
                yield from self.conclusions.end(trouble(why))
            again.append(_Turn(turn.job, turn.hurried + 1))
        self.next.extendleft(reversed(again))

    def _record_the_rest(self) -> None:
        """Who reads the events has left: what was answered or is in flight comes on record as far as it can."""
        while self.answered or self._is_busy:
            for flight, became, _ in self.answered:
                with suppress(SmsdeclareError):
                    self.ledger.record(flight.claim, became)
            self.answered.clear()
            self._land()
