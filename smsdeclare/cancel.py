"""Take back what the provider still holds: recorded first, then asked for, then seen gone from both lists.

A DELETE may be repeated and its answer alone proves nothing. An SMS counts as taken back once it has left the list of
what is held and did not turn up in the list of what was sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.clock import pause, timestamp
from smsdeclare.errors import ProviderError
from smsdeclare.events import TakenBack, Trouble
from smsdeclare.provider import Forbidden
from smsdeclare.records import Taken
from smsdeclare.schedule import is_too_close
from smsdeclare.settle import EARLIER, HORIZON, LAG, could_be, explained, named, why_absence_is_no_proof
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from smsdeclare.clock import Clock
    from smsdeclare.ledger import Ledger
    from smsdeclare.provider import Listed, Provider
    from smsdeclare.records import Posted
    from smsdeclare.settle import Rules

#: So long before its time it is beyond doubt that it has not come: times are whole seconds, of two clocks.
_MARGIN = timedelta(minutes=1)
#: From a report until the list of what is held must have what it names: an SMS is made within a minute, and two clocks
#: differ. Not from the claim: a machine may sleep before the POST, which is taken as long as its signature counts.
#: Where absence counts sooner than that, everything is listed sooner.
_LISTED = timedelta(minutes=2) + LAG


def take_back(
    jobs: Sequence[Posted],
    ledger: Ledger,
    provider: Provider,
    clock: Clock,
    rules: Rules,
    *,
    by: str,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[TakenBack | Trouble]:
    """Take back the sends of these jobs, then finish what an earlier run began.

    `by` is the digest of the plan, or STOP. Each event is yielded after it is on record. Raises ProviderError and
    StateError.
    """
    now = provider.time()
    wanted = [job for job in jobs if not is_too_close(job.send_at, now)]
    try:
        held = named(provider.held(), ledger) if wanted else ()
        others = explained(ledger)
        with ledger.gathering():
            for job in wanted:
                if stop():
                    break
                mine = {number: _whose(held, job, number, others) for number in job.states}
                unclear = sum(one is None for one in mine.values())
                if unclear:
                    reason = f"{job.address}: {unclear} that the provider holds under ids that its report did not name"
                    yield Trouble(code=codes.CANT_TAKE_BACK, reason=reason)
                clear = {number: state for number, state in job.states.items() if mine[number] is not None}
                if clear:
                    ledger.take_back(job._replace(states=clear), by)
    except Forbidden as error:
        yield _forbidden(error)
        return
    yield from finish(ledger, provider, clock, rules, stop=stop)


def finish(
    ledger: Ledger,
    provider: Provider,
    clock: Clock,
    rules: Rules,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[TakenBack | Trouble]:
    """Ask for everything that is being taken back, and record what became of it; no network where there is none."""
    jobs = [_cancelling(job) for job in ledger.posted_in_doubt() if State.CANCELLING in job.states.values()]
    if not jobs:
        return
    others = explained(ledger)
    try:
        held = named(provider.held(), ledger)
        dropped = {
            (job.tag, number)
            for job in jobs
            for number in job.states
            for one in _whose(held, job, number, others) or ()
            if _ask(provider, one)
        }
        before = provider.time()
        held = named(provider.held(), ledger)
        after = provider.time()
        if not pause(clock, rules.moving.total_seconds(), stop):
            return
        with ledger.gathering():
            for job in jobs:
                missing = [one for one in job.states if not any(could_be(sms, job, one, others) for sms in held)]
                if not _is_proof(job, ledger, provider, rules, before, after):
                    missing = []
                listed = min(_LISTED, rules.after)
                if job.answered_at is None or before < datetime.fromisoformat(job.answered_at) + listed:
                    # It may be missing because it is not listed yet.
                    missing = [one for one in missing if (job.tag, one) in dropped]
                yield _conclude(ledger, provider, job, frozenset(missing), after)
    except Forbidden as error:
        yield _forbidden(error)


def _is_proof(job: Posted, ledger: Ledger, provider: Provider, rules: Rules, before: datetime, after: datetime) -> bool:
    """Whether something of the job that was gone between these moments can't have gone out unseen.

    Gone before its time it can't have gone out at all. Later its absence must be proved like any other's; what is
    advertising may go out as late as at the end of a night.
    """
    if after < datetime.fromisoformat(job.send_at or job.claimed_at) - _MARGIN:
        return True
    last = datetime.fromtimestamp(job.not_after, tz=UTC)
    is_time = last + rules.after <= before < last + HORIZON
    return is_time and not why_absence_is_no_proof(ledger, provider, before, rules)


def _conclude(ledger: Ledger, provider: Provider, job: Posted, missing: frozenset[str], now: datetime) -> TakenBack:
    """Record who went out after all, by the list of what was sent, and who of the missing did not."""
    listed = named(provider.sent(job.tag, datetime.fromisoformat(job.claimed_at) - EARLIER), ledger)
    out = {one.receiver: Taken(one.id, one.credits) for one in listed if one.receiver in job.states}
    gone = missing - set(out)
    moved = ledger.end_take_back(job, gone=gone, out=out, reason=f"taken back at {timestamp(now)}")
    left = len(job.states) - moved.taken - moved.freed
    return TakenBack(job=job, cancelled=gone, slipped=moved.taken, left=left)


def _whose(
    held: Sequence[Listed], job: Posted, number: str, others: frozenset[tuple[int, str]]
) -> tuple[int, ...] | None:
    """The id under which the provider holds this send; none where it holds nothing, None where that is not clear."""
    mine = tuple(one.id for one in held if one.receiver == number and one.id in job.ids)
    if mine or not any(could_be(one, job, number, others) for one in held):
        return mine
    return None


def _ask(provider: Provider, sms: int) -> bool:
    """Whether the provider says that it had it and dropped it; without an answer the lists will tell."""
    try:
        return provider.take_back(sms)
    except Forbidden:
        raise
    except ProviderError:
        return False


def _cancelling(job: Posted) -> Posted:
    return job._replace(states={number: state for number, state in job.states.items() if state is State.CANCELLING})


def _forbidden(error: Forbidden) -> Trouble:
    found = error.diagnostics[0]
    return Trouble(code=found.code, reason=found.detail, advice=found.suggestion, query_id=found.query_id)
