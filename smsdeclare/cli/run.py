"""One run of `smsdeclare apply` or `smsdeclare settle`: what it does, and what came of it."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from smsdeclare import ahead, cancel, codes, refresh, settle, sharing
from smsdeclare.cli.counting import Count
from smsdeclare.cli.progress import Progress
from smsdeclare.cli.rows import row_of
from smsdeclare.cli.session import formatter
from smsdeclare.clock import pause, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, InputError, Interrupted, PlanStale, SmsdeclareError, StateError
from smsdeclare.events import JobDone, JobMissed, Received, Settled, TakenBack, Trouble
from smsdeclare.format import Applied
from smsdeclare.intents import record_missed
from smsdeclare.lanes import OneLane, Threads
from smsdeclare.records import STOP, Key
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from smsdeclare.cli.lease import Holder
    from smsdeclare.cli.opening import Opened
    from smsdeclare.cli.session import Session
    from smsdeclare.cli.signals import StopRequest
    from smsdeclare.jobs import Job
    from smsdeclare.lanes import Lanes
    from smsdeclare.ledgers.relational import RelationalLedger
    from smsdeclare.planning import Draft

#: While waiting, the provider is asked again no sooner and no later than after so long. Seconds.
_SOON_SECONDS = 1.0
_LATE_SECONDS = 30.0
#: Whatever was claimed has its answer after so long, or never gets one.
_ANSWERED = timedelta(minutes=2)
#: So long a run goes on unasked, until what it posted is there to compare with. Only away from OVHcloud absence counts
#: so soon.
_MOMENT = timedelta(seconds=10)
_Event = JobDone | JobMissed | Settled | TakenBack | Received | Trouble


@dataclass(slots=True, kw_only=True)
class Run:
    """What a run has done so far."""

    session: Session
    opened: Opened
    ledger: RelationalLedger
    holder: Holder
    #: So many jobs are in flight at once, at most; and how many clean answers in a row come before the second one.
    parallelism: int = 1
    proven: int = 1
    done: Count = field(default_factory=Count)
    errors: list[Diagnostic] = field(default_factory=list)
    #: Keys of what was taken back in this run.
    taken_back: set[Key] = field(default_factory=set)
    settled: int = 0
    #: How many receipts were read.
    receipts: int = 0
    #: How many sends were too late.
    missed: int = 0
    #: What ended or marred it; None where nothing did.
    failure: SmsdeclareError | None = None
    interrupted: bool = False
    #: Whether the latest look left something open since there was nothing to compare with.
    _lacks_control: bool = False
    #: Another run took the lease over: nothing more is claimed.
    _lost: Held | None = None
    #: Address → what looks came to, and how often, not yet told.
    _told: dict[str, Counter[str]] = field(default_factory=dict)
    #: Address → what was told last: a run that waits says nothing twice in a row.
    _said: dict[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to be done in this run."""
        return (
            self.interrupted
            or self.failure is not None
            or any(one.code is codes.OUTCOME_UNKNOWN for one in self.errors)
        )

    def settle(self, stop: StopRequest) -> None:
        """Ask the provider about everything in doubt, and finish what is being taken back; no network for nothing."""
        if self.ledger.binding is None:
            return
        self._lacks_control = False
        provider, clock, rules = self.opened.provider, self.opened.clock, self.opened.rules
        spared = provider.now() - _ANSWERED if self.holder.fellows else None
        self._take_all(settle.settle(self.ledger, provider, clock, rules, stop=stop, spared=spared), stop)
        self._take_all(cancel.finish(self.ledger, provider, clock, rules, stop=stop), stop)

    def refresh(self, stop: StopRequest) -> None:
        """Read delivery receipts."""
        if self.ledger.binding is not None and not self.interrupted:
            self._take_all(refresh.refresh(self.ledger, self.opened.provider, stop=stop), stop)

    def take_back_everything(self, stop: StopRequest) -> None:
        """Take back all that the provider holds, so that only `resend` frees it."""
        provider, clock, rules = self.opened.provider, self.opened.clock, self.opened.rules
        held = self.ledger.posted_held()
        self._take_all(cancel.take_back(held, self.ledger, provider, clock, rules, by=STOP, stop=stop), stop)

    def wait_for_fellows(self, stop: StopRequest) -> None:
        """Wait until what other runs of the same plan have in flight is answered, so that it is not told as unknown."""
        if self.has_ended or not self.holder.fellows:
            return
        clock = self.opened.clock
        last = clock.monotonic() + _ANSWERED.total_seconds()
        with suppress(SmsdeclareError):  # what was done is to be told all the same
            # Nobody need wait for this run: it claims nothing more.
            self.holder.let_go()
            while clock.monotonic() < last and self.holder.fellows and self._has_something_in_flight():
                if not pause(clock, _SOON_SECONDS, stop):
                    self.interrupted = True
                    return

    def _has_something_in_flight(self) -> bool:
        since = timestamp(self.opened.provider.now() - _ANSWERED)
        return any(one.state is State.INTENDED and one.claimed_at > since for one in self.ledger.in_doubt())

    def until_known(self, wait: timedelta, stop: StopRequest) -> Iterator[None]:
        """Settle again and again for so long, as long as something is unknown; what was freed is to be posted then."""
        if self.failure is not None and self.failure.diagnostics[0].code is codes.STATE_UNREACHABLE:
            return
        clock = self.opened.clock
        last = clock.monotonic() + wait.total_seconds()
        compared = clock.monotonic() + self._until_compared().total_seconds()
        while not self.interrupted and any(True for _ in self.ledger.in_doubt()):
            left = (max(last, compared) if self._lacks_control else last) - clock.monotonic()
            if left <= 0:
                return
            if not pause(clock, min(self._seconds_to_next(), left), stop):
                self.interrupted = True
                return
            try:
                self.settle(stop)
            except SmsdeclareError as error:
                self.fail(error)
                return
            # Doubts that ended the run are being ended; what was refused as a whole stays so.
            self.errors = [one for one in self.errors if one.code is not codes.OUTCOME_UNKNOWN]
            yield

    def _until_compared(self) -> timedelta:
        """How long it takes until what this run posted can be compared with, where that is a matter of moments."""
        after = self.opened.rules.after
        has_posted = self.done.states[State.ACCEPTED] > 0
        return after + _MOMENT if has_posted and after <= _MOMENT else timedelta()

    def _seconds_to_next(self) -> float:
        """Until absence can count for the next send; a list may catch up sooner."""
        now = self.opened.provider.now()
        ripe = settle.next_moment(self.ledger, self.opened.rules, now)
        left = (ripe - now).total_seconds() if ripe else _LATE_SECONDS
        return min(max(left, _SOON_SECONDS), _LATE_SECONDS)

    def carry_out(self, draft: Draft, margin: timedelta, again: Callable[[str], Draft], stop: StopRequest) -> None:
        """Do what the draft says: take back, then post; `again` works the rest out anew for the digest."""
        ledger, clock, digest = self.ledger, self.opened.clock, draft.plan.digest
        with Progress(self.session, draft) as progress:
            try:
                if draft.has_work:
                    with ledger.gathering():
                        ledger.bind(self.opened.binding)
                        self.holder.hold(digest)
                if draft.renames:
                    for old, new in draft.renames:
                        ledger.rename(old, new, timestamp(clock.now()))
                    draft = _unchanged(again(digest), digest)
                if draft.take_backs:
                    self._take_all(self._take_back(draft, stop), stop)
                    draft = _unchanged(again(digest), digest)
                self.missed += record_missed(draft.missed, ledger, clock, plan_digest=digest)
                if not self.has_ended:
                    with Threads(self.parallelism) as threads:
                        lanes = threads if self.parallelism > 1 else OneLane()
                        self._take_all(self._post(draft.jobs, digest, margin, stop, lanes), stop, progress)
                if not (stop() or self.has_ended or draft.plan.targets) and ledger.binding is not None:
                    ledger.complete(draft.revisions, timestamp(self.opened.provider.now()))
            except SmsdeclareError as error:
                self.fail(error)

    def _take_back(self, draft: Draft, stop: StopRequest) -> Iterable[TakenBack | Trouble]:
        opened, digest = self.opened, draft.plan.digest
        return cancel.take_back(
            draft.take_backs, self.ledger, opened.provider, opened.clock, opened.rules, by=digest, stop=stop
        )

    def _post(
        self, jobs: Iterable[Job], digest: str, margin: timedelta, stop: StopRequest, lanes: Lanes
    ) -> Iterable[JobDone | JobMissed | Trouble]:
        return ahead.apply(
            sharing.apart(jobs, self.ledger, self.holder.name) if self.ledger.is_shared else jobs,
            self.ledger,
            self.opened.provider,
            self.opened.clock,
            plan_digest=digest,
            margin=margin,
            stop=lambda: stop() or not self._keeps_lease(),
            lanes=lanes,
            proven=self.proven,
        )

    def _take_all(self, events: Iterable[_Event], stop: StopRequest, progress: Progress | None = None) -> None:
        try:
            for event in events:
                self._take(event)
                if progress is not None:
                    progress.show(event)
                self._keeps_lease()
        finally:
            self.interrupted = stop()
        self._tell()
        if self._lost is not None:
            raise self._lost

    def _keeps_lease(self) -> bool:
        """Keep the lease, also while events wait to be told. Where it is lost, what is in flight comes on record."""
        try:
            if self._lost is None:
                self.holder.renew()
        except Held as error:
            self._lost = error
        return self._lost is None

    def _take(self, event: _Event) -> None:
        match event:
            case JobDone():
                self.done.add(event, self.taken_back, self.ledger.names)
            case JobMissed():
                self.missed += event.sends
            case Settled():
                self.settled += event.taken + event.freed
                told = self._told.setdefault(event.job.address, Counter())
                told["found at the provider"] += event.taken
                told["not sent, so free to be posted"] += event.freed
                told.update(f"still unknown: {why}" for why in event.left.values())
                self._lacks_control |= settle.NO_CONTROL in event.left.values()
            case TakenBack():
                self.taken_back |= {Key(event.job.message, event.job.revision, one) for one in event.cancelled}
                told = self._told.setdefault(event.job.address, Counter())
                told["taken back"] += len(event.cancelled)
                told["gone out before they could be taken back"] += event.slipped
                told["still unknown: whether they were taken back"] += event.left
            case Received():
                self.receipts += event.sends
            case Trouble():
                self._note(event)

    def _tell(self) -> None:
        """Say what the looks came to, one line for each message, however many jobs it has."""
        for address, counts in self._told.items():
            said = "; ".join(f"{count:,} {what}" for what, count in counts.items() if count)
            if said and said != self._said.get(address):
                self.session.note(f"{address}: {said}")
            self._said[address] = said
        self._told.clear()

    def _note(self, event: Trouble) -> None:
        found = Diagnostic(code=event.code, detail=event.reason, suggestion=event.advice, query_id=event.query_id)
        if found.is_error or (found.code, found.detail) not in {(one.code, one.detail) for one in self.errors}:
            self.errors.append(found)
        # Doubts have an exit code of their own, and warnings none.
        if event.code is not codes.OUTCOME_UNKNOWN and found.is_error and self.failure is None:
            self.failure = SmsdeclareError(found)

    def fail(self, error: SmsdeclareError) -> None:
        """Note what ends the run; what was done before is still to be told."""
        self.failure = error
        self.errors.extend(error.diagnostics)

    def exit_code(self, applied: Applied) -> int:
        """Of several: 130, 4, 1, 3."""
        if self.interrupted:
            return Interrupted.exit_code
        if isinstance(self.failure, Held) and not self.done.jobs:
            # What is unknown then is what the other run has in flight.
            return self.failure.exit_code
        if applied.unknown:
            return 4
        if self.failure is not None:
            return self.failure.exit_code
        return 3 if applied.rejected or self.missed else 0

    def report(self, applied: Applied, format_name: str) -> None:
        """Print what came of it; warnings are no part of the document."""
        with suppress(OSError, InputError):  # a full disk or a closed pipe must not hide what became of the sends
            self.session.out(formatter(format_name).applied(applied, self.session.style))
        self.session.report([one for one in self.errors if format_name == "text" or not one.is_error])

    def sum_up(self, digest: str | None = None, kept: int = 0, *, skipped: int = 0, title: str = "Apply") -> Applied:
        """What this run did, and everything that is unknown now, whichever run left it so."""
        fresh, replaced, rejected = self.done.fresh, self.done.replaced, self.done.rejected
        secret, shown = self.ledger.secret or b"", self.session.style.show_numbers
        refused, unknown = [], []
        try:
            refused = [
                row_of(record, secret, show_numbers=shown)
                for message, revision in sorted({key[:2] for key in rejected})
                for record in self.ledger.records(message, revision)
                if (message, revision, record.number) in rejected
            ]
            unknown = [row_of(record, secret, show_numbers=shown) for record in self.ledger.in_doubt()]
        except (StateError, Held) as error:
            # A state that is out of reach must not hide what was done before.
            if self.failure is None:
                self.fail(error)
        return Applied(
            digest=digest,
            summary={
                "sent": fresh[State.ACCEPTED],
                "scheduled": fresh[State.SCHEDULED],
                "rejected": len(rejected),
                "missed": self.missed,
                "cancelled": len(self.taken_back - replaced.keys()),
                "replaced": len(replaced),
                "settled": self.settled,
                "receipts": self.receipts,
                "unknown": len(unknown),
                "kept": kept,
                "skipped": skipped,
                "credits": self.done.credits,
            },
            rejected=tuple(refused),
            unknown=tuple(unknown),
            errors=tuple(one for one in self.errors if one.is_error),
            title=title,
        )


def _unchanged(draft: Draft, digest: str) -> Draft:
    """The draft if it is still the approved one; raises PlanStale."""
    if draft.plan.digest != digest:
        raise PlanStale(Diagnostic(code=codes.PLAN_STALE, detail="the state has changed meanwhile"))
    return draft
