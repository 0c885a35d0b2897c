"""Carry out a plan, as a generator of events: claim, post once, record.

No byte of a POST leaves before its claim is durable, and a send in doubt is never posted again.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from smsdeclare import codes, guard
from smsdeclare.canonical import canonical
from smsdeclare.clock import pause, timestamp
from smsdeclare.errors import ProviderError
from smsdeclare.events import JobDone, JobMissed, Trouble
from smsdeclare.provider import Accepted, Forbidden, InDoubt, Prepared, Provider, Refused, Unreached
from smsdeclare.records import Claim, Intent, Outcome
from smsdeclare.schedule import due, resolved
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from smsdeclare.clock import Clock
    from smsdeclare.jobs import Job
    from smsdeclare.ledger import Ledger
    from smsdeclare.planning import Missed

#: A signature older than this is not posted: the claim is given back. Seconds; far below the provider's window.
FRESH_SECONDS = 20.0
#: So often in a row a job is claimed anew after the provider asked for a slower pace.
PATIENCE = 5
#: Longer than this a run does not wait, whatever the provider asks for. Seconds.
LONGEST_PAUSE_SECONDS = 120.0
#: So many sends are recorded as missed in one transaction.
_MISSED_AT_ONCE = 500
#: After so many answers in doubt in a row a run posts nothing more.
DOUBTS_IN_A_ROW = 3


def apply(
    jobs: Iterable[Job],
    ledger: Ledger,
    provider: Provider,
    clock: Clock,
    *,
    plan_digest: str,
    margin: timedelta = timedelta(),
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[JobDone | JobMissed | Trouble]:
    """Post the jobs one after another; each event is yielded after it is on record.

    `stop` is asked before each claim; `margin` is how long a signed request may travel. Raises StateError, PlanStale,
    Held or ProviderError; what is on record stays right.
    """
    epoch = ledger.epoch
    doubts = 0
    guarded: set[tuple[str, int]] = set()
    waiting = deque(jobs)
    hurried = 0
    while waiting and not stop():
        job = waiting.popleft()
        yield from _guard((job, *waiting), ledger, provider, guarded)
        provider.connect()
        if job.times.expires_at is not None and provider.now() > job.times.expires_at - margin:
            # It was in time when the run was planned; long runs go on while the clock does.
            intent = _intent(job, provider.now(), plan_digest)
            yield JobMissed(job=job, sends=ledger.miss(intent, epoch=epoch))
            continue
        claimed = _claim(job, ledger, provider, plan_digest, epoch)
        if claimed is None:
            continue
        claim, prepared = claimed
        answer = _post(provider, prepared, clock)
        if isinstance(answer, Refused) and answer.code is codes.TOO_FAST:
            hurried += 1
            looked = _after_a_pause(claim, answer, provider, clock, hurried, stop)
            ledger.record(claim, looked)
            if set(looked.states.values()) != {State.NOT_SENT}:
                yield JobDone(job=job, claim=claim, outcome=looked)
            if State.UNKNOWN in looked.states.values() or hurried > PATIENCE:
                yield _trouble(answer)
                return
            waiting.appendleft(job)
            continue
        hurried = 0
        outcome = _outcome(claim, answer, timestamp(provider.now()))
        ledger.record(claim, outcome)
        yield JobDone(job=job, claim=claim, outcome=outcome)
        if isinstance(answer, Refused | Unreached):
            trouble = _trouble(answer)
            if isinstance(answer, Unreached) or answer.ends_run:
                yield trouble
                return
            yield replace(trouble, reason=f"message.{job.message}@{job.revision}: {trouble.reason}")
            # A bad request is its message's own affair: the rest of that message would be refused as well.
            waiting = deque(one for one in waiting if (one.message, one.revision) != (job.message, job.revision))
        doubts = doubts + 1 if isinstance(answer, InDoubt) else 0
        if doubts == DOUBTS_IN_A_ROW:
            reason = f"{doubts} answers in a row left it open whether the SMS were taken, so nothing more was posted"
            yield Trouble(code=codes.OUTCOME_UNKNOWN, reason=reason)
            return


def _guard(jobs: Sequence[Job], ledger: Ledger, provider: Provider, guarded: set[tuple[str, int]]) -> Iterator[Trouble]:
    """Once a run for each revision, before its first claim; once for all where the credentials may not look."""
    first = (jobs[0].message, jobs[0].revision)
    if first in guarded:
        return
    try:
        guard.check(ledger, provider, *first)
        guarded.add(first)
    except Forbidden as error:
        guarded.update((job.message, job.revision) for job in jobs)
        yield Trouble(code=codes.CANT_LOOK, reason=error.diagnostics[0].detail)


def _trouble(answer: Refused | Unreached) -> Trouble:
    if isinstance(answer, Unreached):
        return Trouble(code=codes.PROVIDER_UNREACHABLE, reason=answer.reason)
    return Trouble(code=answer.code, reason=answer.message, advice=answer.advice, query_id=answer.query_id)


def rename(renames: Iterable[tuple[str, str]], ledger: Ledger, clock: Clock) -> None:
    """Carry out the renames of a draft, before anything is claimed."""
    for old, new in renames:
        ledger.rename(old, new, timestamp(clock.now()))


def record_missed(missed: Iterable[Missed], ledger: Ledger, clock: Clock, *, plan_digest: str) -> int:
    """Write down what is too late, for good; how many sends."""
    counted = 0
    for one in missed:
        by_text: dict[str, list[str]] = {}
        for send in one.sends:
            by_text.setdefault(send.text.digest, []).append(send.number)
        for text_digest, numbers in by_text.items():
            for start in range(0, len(numbers), _MISSED_AT_ONCE):
                counted += ledger.miss(
                    Intent(
                        message=one.message.name,
                        revision=one.message.revision,
                        numbers=tuple(numbers[start : start + _MISSED_AT_ONCE]),
                        text_digest=text_digest,
                        template_digest=one.message.template_digest,
                        options=canonical(dict(one.message.options)).decode(),
                        plan_digest=plan_digest,
                        claimed_at=timestamp(clock.now()),
                    ),
                    epoch=ledger.epoch,
                )
    return counted


def _after_a_pause(
    claim: Claim, answer: Refused, provider: Provider, clock: Clock, time: int, stop: Callable[[], bool]
) -> Outcome:
    """Wait as long as the provider wants, then look whether it took the job all the same.

    That it limits before it processes is not proved. Until the look is done the claim stays as it is: a crash in
    between leaves a send in doubt, not a send twice. So does a look that fails, and one for what the provider would
    hold: that stands in another list, which knows no tags.
    """
    wait = min(answer.wait if answer.wait is not None else 2.0**time, LONGEST_PAUSE_SECONDS)
    has_waited = pause(clock, wait, stop)
    reason = f"{answer.status} {answer.message}".strip()
    states = dict.fromkeys(claim.numbers, State.UNKNOWN)
    with suppress(ProviderError):
        seen = {one.receiver for one in provider.sent(claim.tag)}
        if claim.send_at is None and has_waited:
            states = {number: State.ACCEPTED if number in seen else State.NOT_SENT for number in claim.numbers}
    return Outcome(
        states=states,
        at=timestamp(provider.now()),
        reasons={State.NOT_SENT: reason, State.UNKNOWN: f"{reason}; it could not be seen whether it was taken"},
        query_id=answer.query_id,
    )


def _claim(job: Job, ledger: Ledger, provider: Provider, plan_digest: str, epoch: int) -> tuple[Claim, Prepared] | None:
    intent = _intent(job, provider.now(), plan_digest)
    return ledger.claim(intent, lambda claim: provider.prepare(job, claim.tag, claim.numbers), epoch=epoch)


def _intent(job: Job, now: datetime, plan_digest: str) -> Intent:
    held = due(job.times, job.options, now)
    return Intent(
        message=job.message,
        revision=job.revision,
        numbers=job.numbers,
        text_digest=job.text.digest,
        template_digest=job.template_digest,
        options=canonical(dict(job.options)).decode(),
        plan_digest=plan_digest,
        estimate=job.credits,
        claimed_at=timestamp(now),
        send_at=timestamp(held) if held else None,
        times=resolved(job.times),
    )


def _post(provider: Provider, prepared: Prepared, clock: Clock) -> Accepted | Refused | Unreached | InDoubt:
    if clock.monotonic() - prepared.signed_at > FRESH_SECONDS:
        return Unreached(reason="too much time had passed since it was signed")
    try:
        return provider.submit(prepared)
    except InDoubt as doubt:
        return doubt


def _outcome(claim: Claim, answer: Accepted | Refused | Unreached | InDoubt, at: str) -> Outcome:
    """What the answer means for each receiver of the claim."""
    match answer:
        case Accepted():
            return Outcome(
                states=_sort_out(claim, answer, State.SCHEDULED if claim.send_at else State.ACCEPTED),
                at=at,
                reasons={
                    State.REJECTED: "the provider does not take this receiver",
                    State.UNKNOWN: "the provider's report does not say",
                },
                credits=answer.credits,
                ids=answer.ids,
                query_id=answer.query_id,
            )
        case Refused():
            reason = f"{answer.status} {answer.message}".strip()
            states = dict.fromkeys(claim.numbers, State.NOT_SENT)
            return Outcome(states=states, at=at, reasons={State.NOT_SENT: reason}, query_id=answer.query_id)
        case Unreached():
            states = dict.fromkeys(claim.numbers, State.NOT_SENT)
            return Outcome(states=states, at=at, reasons={State.NOT_SENT: answer.reason})
        case InDoubt():
            states = dict.fromkeys(claim.numbers, State.UNKNOWN)
            return Outcome(states=states, at=at, reasons={State.UNKNOWN: answer.reason}, query_id=answer.query_id)


def _sort_out(claim: Claim, report: Accepted, taken: State) -> dict[str, State]:
    """Each receiver stands in exactly one list of the report, or nobody knows; a stranger spoils the report."""
    valid, invalid = set(report.valid), set(report.invalid)
    if not (valid | invalid) <= set(claim.numbers):
        return dict.fromkeys(claim.numbers, State.UNKNOWN)
    return {
        number: State.UNKNOWN
        if (number in valid) == (number in invalid)
        else taken
        if number in valid
        else State.REJECTED
        for number in claim.numbers
    }
