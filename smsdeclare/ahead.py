"""Claim ahead: where a ledger is kept elsewhere, one store claims a window of jobs; each is signed when its turn comes.

A claim says until when its request may be signed; what was not signed by then, or would outlive it, is given back and
claimed anew. What came of a window goes into the store of the next one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import apply as acting
from smsdeclare import codes
from smsdeclare.clock import timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, PlanStale, PolicyRefused, SmsdeclareError, StateError
from smsdeclare.intents import intent
from smsdeclare.records import Outcome
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from smsdeclare.clock import Clock
    from smsdeclare.events import JobDone, JobMissed, Trouble
    from smsdeclare.jobs import Job
    from smsdeclare.ledger import Ledger, Request
    from smsdeclare.provider import Prepared, Provider
    from smsdeclare.records import Claim, Intent

    #: A job by what it is about.
    _Name = tuple[str, int, tuple[str, ...]]

#: Jobs in the first window: of a run that dies at once no more are unknown.
_FIRST = 25
#: A window has at most so many times the jobs of the one before, and so many sends.
_GROWTH = 4
_MOST_SENDS = 200_000
#: A window is to be posted within so many seconds: far below its limit, and what is lost of it is soon found out.
_AIM_SECONDS = 60.0
#: So often a run looks whether somebody has stopped it: what it has claimed it might go on posting. Seconds.
_LOOK_SECONDS = 10.0
#: A job whose request does not fit its claim is claimed anew so often.
_TRIES = 3
#: Of what waited, the newest version took something no more; the rest of it was stored.
_OVERTAKEN = (codes.STATE_STOPPED, codes.STATE_MOVED_ON)


def apply(
    jobs: Iterable[Job],
    ledger: Ledger,
    provider: Provider,
    clock: Clock,
    *,
    plan_digest: str,
    margin: timedelta = timedelta(),
    first: int = _FIRST,
    **others: Any,
) -> Iterator[JobDone | JobMissed | Trouble]:
    """Post the jobs as `smsdeclare.apply` does; in windows where the ledger is stored elsewhere.

    Events come late then, each once it is on record. `first`: how many jobs a window has at first. Raises what that
    raises, and StateError where it could not be stored what came of POSTs.
    """
    settings = {"plan_digest": plan_digest, "margin": margin, **others}
    if ledger.signs_within is None:
        return acting.apply(jobs, ledger, provider, clock, **settings)
    windows = _Windows(
        source=iter(jobs),
        ledger=ledger,
        provider=provider,
        clock=clock,
        grace=ledger.signs_within,
        plan_digest=plan_digest,
        margin=margin,
        epoch=ledger.epoch,
        looked_at=clock.monotonic(),
        size=first,
    )
    return windows.events(acting.apply(windows.jobs(), windows, provider, clock, **settings))


@dataclass(frozen=True, slots=True)
class _Limit:
    """What goes on record of a request before it is signed."""

    not_after: int
    body_digest: str


class _Ready(NamedTuple):
    """A job that is claimed, and waits for its turn."""

    claim: Claim
    #: A request that the provider takes later than this is never posted for it. Epoch seconds on its clock.
    not_after: int


@dataclass(slots=True, kw_only=True)
class _Windows:
    """The ledger as a run sees it: what it claims was mostly claimed before, and what it records is stored later."""

    source: Iterator[Job]
    ledger: Ledger
    provider: Provider
    clock: Clock
    grace: timedelta
    plan_digest: str
    margin: timedelta
    epoch: int
    looked_at: float
    #: Read ahead, in this order; and handed to the run, which has not asked for their claims yet.
    read: deque[Job] = field(default_factory=deque)
    handed: dict[_Name, Job] = field(default_factory=dict)
    #: Claimed and not asked for yet; None where nothing of it was free.
    ready: dict[_Name, _Ready | None] = field(default_factory=dict)
    #: What the run has told and is not known to be stored; how much of it is.
    told: list[JobDone | JobMissed | Trouble] = field(default_factory=list)
    stored: int = 0
    #: Jobs in a window.
    size: int
    #: When the latest window was stored, and how many jobs were asked for since.
    since: float | None = None
    asked: int = 0

    def events(self, run: Iterator[JobDone | JobMissed | Trouble]) -> Iterator[JobDone | JobMissed | Trouble]:
        """What the run tells, once it is on record."""
        failure: SmsdeclareError | None = None
        try:
            with self.ledger.gathering():
                try:
                    for event in run:
                        self.told.append(event)
                        yield from self._safe()
                except SmsdeclareError as error:
                    failure = error
                finally:
                    run.close()  # type: ignore[attr-defined]
                    self._give_back(list(self.ready), "its turn did not come before the run ended")
        except (StateError, Held, PlanStale) as error:
            if error.diagnostics[0].code not in _OVERTAKEN:
                raise StateError(Diagnostic(code=codes.OUTCOMES_UNSTORED, detail=str(error))) from error
            failure = failure or error
        yield from self.told
        if failure is not None:
            raise failure

    def _safe(self) -> list[JobDone | JobMissed | Trouble]:
        """What was told before the latest store."""
        safe, self.told, self.stored = self.told[: self.stored], self.told[self.stored :], 0
        return safe

    # — who is next —

    def jobs(self) -> Iterator[Job]:
        """The jobs, one by one, those first that were read ahead."""
        while True:
            job = self.read.popleft() if self.read else next(self.source, None)
            if job is None:
                return
            self.handed[_name(job)] = job
            yield job

    # — the ledger of the run —

    def next_tags(self, message: str, revision: int, count: int) -> Sequence[str]:
        """The marks of the next jobs of a revision."""
        return self.ledger.next_tags(message, revision, count)

    def has_given_out(self, tag: str) -> bool:
        """Whether a job on record has this mark, read anew."""
        return self.ledger.has_given_out(tag)

    def claim_all(
        self,
        wanted: Sequence[tuple[Intent, Callable[[Claim], Request]]],
        *,
        epoch: int,
        outcomes: Sequence[tuple[Claim, Outcome]] = (),
    ) -> Sequence[tuple[Claim, Request] | None]:
        """The claims of these jobs, each with its request as it is signed now; a window is claimed where one lacks.

        The outcomes of earlier ones are stored with that window, or with the next.
        """
        if outcomes:
            self.ledger.record_all(outcomes)
        self._look(epoch)
        signed, due = self._sign(wanted)
        for _ in range(_TRIES):
            if not due:
                break
            self._claim_window(due, epoch)
            signed, due = self._sign(wanted)
        self._give_back([_name(one) for one, _ in due], "its request would have outlived its claim")
        self.asked += len(wanted)
        for name in (_name(one) for one, _ in wanted):
            self.handed.pop(name, None)
            self.ready.pop(name, None)
        return [signed.get(_name(one)) for one, _ in wanted]

    def miss(self, intent: Intent, *, epoch: int) -> int:
        """Record the free ones of the intended numbers as missed, for good; how many."""
        self.handed.pop(_name(intent), None)
        self._give_back([_name(intent)], "its time has passed")
        return self.ledger.miss(intent, epoch=epoch)

    def record(self, claim: Claim, outcome: Outcome) -> int:
        """Write an outcome; how many sends moved."""
        return self.ledger.record(claim, outcome)

    def record_all(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> int:
        """As `record` for several claims."""
        return self.ledger.record_all(outcomes)

    # — windows —

    def _look(self, epoch: int) -> None:
        """Raises Held where somebody has stopped it since."""
        if self.clock.monotonic() - self.looked_at > _LOOK_SECONDS:
            self.looked_at = self.clock.monotonic()
            if self.ledger.stopped:
                self.ledger.claim_all((), epoch=epoch)

    def _sign(
        self, wanted: Sequence[tuple[Intent, Callable[[Claim], Request]]]
    ) -> tuple[dict[_Name, tuple[Claim, Request] | None], list[tuple[Intent, Callable[[Claim], Request]]]]:
        """Those that are claimed, with their requests as they are signed now; and those that have to be claimed."""
        signed: dict[_Name, tuple[Claim, Request] | None] = {}
        due = []
        for one, prepare in wanted:
            ready = self.ready.get(_name(one))
            if ready is not None:
                request = prepare(ready.claim)
                # Not after what is on record, and at the time that is on record: a slot may have come meanwhile.
                if request.not_after <= ready.not_after and one.send_at == ready.claim.send_at:
                    signed[_name(one)] = ready.claim, request
                    continue
            elif _name(one) in self.ready:
                signed[_name(one)] = None
                continue
            due.append((one, prepare))
        return signed, due

    def _claim_window(self, due: Sequence[tuple[Intent, Callable[[Claim], Request]]], epoch: int) -> None:
        """Claim these and what follows them, in one store, with a limit; with it goes what was recorded before."""
        now = self.provider.time()
        limit = int((now + self.grace).timestamp())
        names = {_name(one) for one, _ in due}
        self._give_back(
            [name for name, one in self.ready.items() if one and (name in names or one.not_after < now.timestamp())],
            "its turn came too late",
        )
        self._grow()
        wanted: list[tuple[Intent, Callable[[Claim], Any]]] = [*due, *self._following(due, now)]
        limited = [(one, partial(_limited, prepare, limit)) for one, prepare in wanted]
        for (one, _), claimed in zip(limited, self.ledger.claim_all(limited, epoch=epoch), strict=True):
            self.ready[_name(one)] = _Ready(claimed[0], claimed[1].not_after) if claimed else None
        self.stored = len(self.told)
        self.since, self.asked = self.clock.monotonic(), 0

    def _grow(self) -> None:
        """Make the next window as large as can be posted in time, by how the last one went."""
        if self.since is not None:
            rate = self.asked / max(self.clock.monotonic() - self.since, 0.001)
            self.size = max(min(self.size, _FIRST), min(self.size * _GROWTH, int(rate * _AIM_SECONDS)))

    def _following(
        self, due: Sequence[tuple[Intent, Callable[[Claim], Request]]], now: datetime
    ) -> Iterator[tuple[Intent, Callable[[Claim], Prepared]]]:
        """Jobs whose turn comes next: of the messages that were looked for at the provider already, and in time."""
        revisions = {(one.message, one.revision) for one, _ in due}
        names = {_name(one) for one, _ in due}
        left, sends = self.size - len(due), sum(len(one.numbers) for one, _ in due)
        # What is read goes on to the run, whether it fits into this window or not.
        ahead = self._read_ahead()
        for job in chain([*self.handed.values()], ahead):
            if left <= 0 or (job.message, job.revision) not in revisions:
                return
            if _name(job) in names or _name(job) in self.ready:
                continue
            sends += len(job.numbers)
            if sends > _MOST_SENDS:
                return
            try:
                placed, is_late = job.placed(now, self.margin)
            except PolicyRefused:
                return
            if is_late:
                return
            left -= 1
            yield intent(placed, now, self.plan_digest), partial(self._prepare, placed)

    def _read_ahead(self) -> Iterator[Job]:
        yield from list(self.read)
        for job in self.source:
            self.read.append(job)
            yield job

    def _prepare(self, job: Job, claim: Claim) -> Prepared:
        return self.provider.prepare(job, claim.tag, claim.numbers)

    def _give_back(self, names: Iterable[_Name], reason: str) -> None:
        """Free what was claimed and is not posted."""
        found = [ready.claim for name in names if (ready := self.ready.pop(name, None)) is not None]
        at, reasons = timestamp(self.provider.now()), {State.NOT_SENT: reason}
        if found:
            self.ledger.record_all(
                [
                    (claim, Outcome(states=dict.fromkeys(claim.numbers, State.NOT_SENT), at=at, reasons=reasons))
                    for claim in found
                ]
            )


def _limited(prepare: Callable[[Claim], Request], limit: int, claim: Claim) -> _Limit:
    """What goes on record for a request that may be signed until `limit`."""
    request = prepare(claim)
    return _Limit(max(request.not_after, limit), request.body_digest)


def _name(one: Job | Intent) -> _Name:
    return one.message, one.revision, one.numbers
