"""Carry out a plan, as a generator of events: claim, post once, record.

No byte of a POST leaves before its claim is durable, and a send in doubt is never posted again. Only waiting for the
network happens on lanes, which may be threads; whatever reads or writes the ledger happens in the caller's thread.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes, guard
from smsdeclare.clock import pause, timestamp
from smsdeclare.errors import SmsdeclareError
from smsdeclare.events import JobDone, JobMissed, Trouble
from smsdeclare.intents import intent
from smsdeclare.lanes import OneLane
from smsdeclare.outcomes import Answer, looked_for, outcome, trouble
from smsdeclare.provider import Accepted, Forbidden, InDoubt, Prepared, Provider, Refused, Unreached
from smsdeclare.states import State
from smsdeclare.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from smsdeclare.clock import Clock
    from smsdeclare.codes import Code
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
#: After so many answers in doubt in a row a run posts nothing more.
DOUBTS_IN_A_ROW = 3


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
        window=Window(lanes.count, proven),
        idle=list(reversed(range(lanes.count))),
    ).events()


class _Turn(NamedTuple):
    """A job that is to be posted."""

    job: Job
    #: How often the provider asked for a slower pace instead of taking it.
    hurried: int = 0

    @property
    def revision(self) -> tuple[str, int]:
        return self.job.message, self.job.revision


class _Flight(NamedTuple):
    """A job whose claim is on record, and which is posted, or about to be."""

    turn: _Turn
    claim: Claim
    may_be_held: bool


class _Landed(NamedTuple):
    """What came back for it."""

    answer: Answer | Exception
    #: How long it took.
    seconds: float


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
    window: Window
    #: The lane that was used last comes last, and is taken first: its connection is open.
    idle: list[int]
    #: Jobs whose turn is next; the others are not read yet.
    next: deque[_Turn] = field(default_factory=deque)
    #: Lane → the job for which it is being opened, and the one that is in flight on it.
    opening: dict[int, _Turn] = field(default_factory=dict)
    flying: dict[int, _Flight] = field(default_factory=dict)
    #: Lanes that are open, each with the job that is to be claimed for it.
    open: list[tuple[int, _Turn]] = field(default_factory=list)
    #: For which the provider asked for a slower pace: still claimed, and to be looked for.
    slowed: list[tuple[_Flight, Refused]] = field(default_factory=list)
    guarded: set[tuple[str, int]] = field(default_factory=set)
    may_look: bool = True
    #: Of troubles that end a run: each kind is told once, however many jobs met it.
    told: set[Code] = field(default_factory=set)
    #: Messages and revisions whose request the provider calls bad.
    bad: set[tuple[str, int]] = field(default_factory=set)
    doubts: int = 0
    has_ended: bool = False
    failure: Exception | None = None

    def events(self) -> Iterator[JobDone | JobMissed | Trouble]:
        """Everything until nothing is in flight, and nothing more is to be posted."""
        try:
            while self._is_busy or self.slowed or self._may_go_on():
                try:
                    yield from self._open_lanes()
                    yield from self._land()
                    yield from self._claim()
                    if self.slowed and not self._is_busy:
                        yield from self._slow_down()
                except SmsdeclareError as error:
                    self._fail(error)
        except (Exception, GeneratorExit):
            self._record_the_rest()
            raise
        if self.failure is not None:
            raise self.failure

    @property
    def _is_busy(self) -> bool:
        return bool(self.opening or self.flying)

    # — who is next —

    def _may_go_on(self) -> bool:
        """Whether there is a job that may be claimed now."""
        if self.has_ended or self.slowed or self.stop():
            return False
        while self.next and self.next[0].revision in self.bad:
            self.next.popleft()
        if not self.next:
            good = (_Turn(job) for job in self.jobs if (job.message, job.revision) not in self.bad)
            self.next.extend(islice(good, 1))
        return bool(self.next)

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or error
        self.has_ended = True

    def _open_lanes(self) -> Iterator[Trouble]:
        """Open a lane for each job that the window has room for."""
        while len(self.opening) + len(self.flying) < self.window.size and self._may_go_on():
            turn = self.next.popleft()
            yield from self._guard(turn)
            lane = self.idle.pop()
            self.lanes.start(lane, self._connect)
            self.opening[lane] = turn

    def _guard(self, turn: _Turn) -> Iterator[Trouble]:
        """Once a run for each revision, before its first claim; once for all where the credentials may not look."""
        if turn.revision in self.guarded or not self.may_look:
            return
        try:
            guard.check(self.ledger, self.provider, *turn.revision)
            self.guarded.add(turn.revision)
        except Forbidden as error:
            self.may_look = False
            yield Trouble(code=codes.CANT_LOOK, reason=error.diagnostics[0].detail)

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
            return _Landed(Unreached(reason="too much time had passed since it was signed"), 0.0)
        answer: Answer | Exception
        try:
            answer = self.provider.submit(prepared)
        except Exception as error:  # noqa: BLE001 - a doubt is an answer, and all else is raised in the run's own thread
            answer = error
        return _Landed(answer, self.clock.monotonic() - begun)

    # — what came of it —

    def _land(self) -> Iterator[JobDone | Trouble]:
        """Take what the lanes have finished; what was answered comes on record before anything more is claimed."""
        answered: list[tuple[_Flight, _Landed]] = []
        for lane, result in self.lanes.finished() if self._is_busy else ():
            if lane in self.flying:
                self.idle.append(lane)
                answered.append((self.flying.pop(lane), result))
            elif result is None:
                self.open.append((lane, self.opening.pop(lane)))
            else:
                del self.opening[lane]
                self._fail(result)
        yield from self._record(answered)

    def _claim(self) -> Iterator[JobMissed]:
        """Claim, as one transaction, for every open lane whose job may still be posted; and post."""
        opened, self.open = self.open, []
        wanted: list[tuple[int, _Turn]] = []
        later: list[_Turn] = []
        for lane, turn in opened:
            may_claim = not (self.has_ended or self.slowed or self.stop())
            if may_claim and turn.revision not in self.bad and len(self.flying) + len(wanted) < self.window.size:
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
        if not wanted:
            return
        intents = [(self._intent(turn.job), partial(self._prepare, turn.job)) for _, turn in wanted]
        for (lane, turn), claimed in zip(wanted, self.ledger.claim_all(intents, epoch=self.epoch), strict=True):
            if claimed is None:
                self.idle.append(lane)
            else:
                claim, prepared = claimed
                self.lanes.start(lane, partial(self._post, prepared))
                self.flying[lane] = _Flight(turn, claim, prepared.may_be_held)
                self.window.begin()

    def _intent(self, job: Job) -> Intent:
        return intent(job, self.provider.now(), self.plan_digest)

    def _prepare(self, job: Job, claim: Claim) -> Prepared:
        return self.provider.prepare(job, claim.tag, claim.numbers)

    def _record(self, answered: list[tuple[_Flight, _Landed]]) -> Iterator[JobDone | Trouble]:
        """Write down what was answered, as one transaction, and draw the conclusions for what follows."""
        done: list[tuple[_Flight, Answer, float, Outcome]] = []
        for flight, (answer, seconds) in answered:
            if isinstance(answer, Refused) and answer.code is codes.TOO_FAST:
                self.window.close()
                self.slowed.append((flight, answer))
            elif isinstance(answer, Answer):
                became = outcome(flight.claim, answer, timestamp(self.provider.now()))
                done.append((flight, answer, seconds, became))
            else:
                self._fail(answer)
        if done:
            self.ledger.record_all([(flight.claim, became) for flight, _, _, became in done])
        for flight, answer, seconds, became in done:
            yield JobDone(job=flight.turn.job, claim=flight.claim, outcome=became)
            if isinstance(answer, Accepted) and State.UNKNOWN not in became.states.values():
                self.window.clean(seconds)
            else:
                self.window.close()
            yield from self._conclude(flight.turn, answer)

    def _conclude(self, turn: _Turn, answer: Answer) -> Iterator[Trouble]:
        """Whether more may be posted after this answer."""
        if isinstance(answer, Unreached) or (isinstance(answer, Refused) and answer.ends_run):
            yield from self._end(trouble(answer))
        elif isinstance(answer, Refused) and turn.revision not in self.bad:
            # A bad request is its message's own affair: the rest of that message would be refused as well.
            self.bad.add(turn.revision)
            why = trouble(answer)
            yield replace(why, reason=f"message.{turn.job.message}@{turn.job.revision}: {why.reason}")
        self.doubts = self.doubts + 1 if isinstance(answer, InDoubt) else 0
        if self.doubts == DOUBTS_IN_A_ROW:
            reason = (
                f"{DOUBTS_IN_A_ROW} answers in a row left it open whether the SMS were taken, so no more was posted"
            )
            yield from self._end(Trouble(code=codes.OUTCOME_UNKNOWN, reason=reason))

    def _end(self, why: Trouble) -> Iterator[Trouble]:
        self.has_ended = True
        if why.code not in self.told:
            self.told.add(why.code)
            yield why

    def _slow_down(self) -> Iterator[JobDone | Trouble]:
        """Wait as long as the provider wants, then look whether it took the jobs all the same.

        Until the look is done each claim stays as it is: a crash in between leaves sends in doubt, not sends twice.
        """
        slowed, self.slowed = self.slowed, []
        waits = [2.0 ** (flight.turn.hurried + 1) if why.wait is None else why.wait for flight, why in slowed]
        longest = min(max(waits), LONGEST_PAUSE_SECONDS)
        has_waited = self.failure is None and pause(self.clock, longest, self.stop)
        look = partial(looked_for, provider=self.provider, has_waited=has_waited)
        looked = [(one, why, look(one.claim, why, may_be_held=one.may_be_held)) for one, why in slowed]
        self.ledger.record_all([(flight.claim, became) for flight, _, became in looked])
        again = []
        for (turn, claim, _), why, became in looked:
            if set(became.states.values()) != {State.NOT_SENT}:
                yield JobDone(job=turn.job, claim=claim, outcome=became)
            if State.UNKNOWN in became.states.values() or turn.hurried == PATIENCE:
                yield from self._end(trouble(why))
            again.append(_Turn(turn.job, turn.hurried + 1))
        self.next.extendleft(reversed(again))

    def _record_the_rest(self) -> None:
        """Who reads the events has left: what is still in flight comes on record as far as it can."""
        while self._is_busy:
            for lane, result in self.lanes.finished():
                self.opening.pop(lane, None)
                flight = self.flying.pop(lane, None)
                if flight is not None and isinstance(result.answer, Answer):
                    with suppress(SmsdeclareError):
                        self.ledger.record(
                            flight.claim, outcome(flight.claim, result.answer, timestamp(self.provider.now()))
                        )
