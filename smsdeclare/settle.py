"""Settle sends in doubt: look at the provider, weigh what is there and what is not, record what is proved.

Presence needs the tightest match, our tag and the receiver. Absence needs the loosest: nothing that could be ours, a
moment after which the request can't arrive any more, and proof that the same look finds what is known to be there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.clock import pause, timestamp
from smsdeclare.events import Settled, Trouble
from smsdeclare.provider import Forbidden
from smsdeclare.records import HASH_MARK, Evidence, Key, Taken
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from smsdeclare.clock import Clock
    from smsdeclare.ledger import Ledger
    from smsdeclare.provider import Listed, Provider
    from smsdeclare.records import Posted

#: Between the list of what is held and the list of what was sent: an SMS that moves over stands in one of them.
MOVING = timedelta(minutes=2)
#: Longer than this after its time an SMS is not missing from a list that works.
LAG = timedelta(minutes=5)
#: Lists are asked for what is older than the claim by this, since clocks and time zones differ.
EARLIER = timedelta(hours=24)
#: Absence counts for so long: the provider forgets, and people tidy up.
HORIZON = timedelta(days=7)
#: Why absence proves nothing where nothing of ours was surely sent yet.
NO_CONTROL = "no job of ours that was surely sent is there to compare with"

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_HASH = re.compile(rf"{HASH_MARK}[0-9a-f]{{32}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When absence at the provider proves that nothing was sent."""

    #: How long an unanswered request must stay unseen.
    after: timedelta
    #: False: absence never counts, a person decides.
    trusts_absence: bool
    #: Between the two lists.
    moving: timedelta = MOVING


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What one look rests on; all of it was read before the list of what was sent."""

    #: The provider's time, read before the lists.
    now: datetime
    rules: Rules
    #: None where it can't be read: then absence proves nothing.
    held: Sequence[Listed] | None
    #: Why absence proves nothing in this look; empty where it may.
    barred: str
    #: Ids of what is held that a report of ours gave us, each with its possible receivers.
    explained: frozenset[tuple[int, str]] = frozenset()


def settle(
    ledger: Ledger,
    provider: Provider,
    clock: Clock,
    rules: Rules,
    *,
    stop: Callable[[], bool] = lambda: False,
    spared: datetime | None = None,
) -> Iterator[Settled | Trouble]:
    """Look for every send in doubt, and for a while for those that were given back; no network where there is none.

    What was claimed after `spared` and waits for its answer is another run's, which is at work. Each event is yielded
    after it is on record. Raises ProviderError where the provider can't be asked, StateError.
    """
    doubtful = [
        job
        for job in ledger.posted_in_doubt()
        if set(job.states.values()) != {State.CANCELLING} and not (spared and _is_in_flight(job, spared))
    ]
    released = ledger.posted_released()
    if not doubtful and not released:
        return
    now = provider.time()
    try:
        look = _begin(ledger, provider, clock, rules, now, doubtful, stop)
        with ledger.gathering():
            for job in doubtful:
                if stop():
                    return
                yield _settle_job(ledger, provider, look, job)
            for job in released:
                if not stop() and _end(job) > now - 2 * HORIZON:
                    yield from _watch(ledger, provider, job, now)
    except Forbidden as error:
        yield Trouble(code=codes.CANT_LOOK, reason=error.diagnostics[0].detail, advice=error.diagnostics[0].suggestion)


def _is_in_flight(job: Posted, since: datetime) -> bool:
    return datetime.fromisoformat(job.claimed_at) > since and State.INTENDED in job.states.values()


def next_moment(ledger: Ledger, rules: Rules, now: datetime) -> datetime | None:
    """When absence may count for the next send in doubt, from now on; None where waiting makes no difference."""
    ends = [_end(job) + rules.after for job in ledger.posted_in_doubt()]
    return min((end for end in ends if end >= now), default=None)


def _begin(
    ledger: Ledger,
    provider: Provider,
    clock: Clock,
    rules: Rules,
    now: datetime,
    doubtful: Sequence[Posted],
    stop: Callable[[], bool],
) -> _Look:
    """The list of what is held first: an SMS moves from there to the list of what was sent, never back."""
    barred = _why_a_person_decides(ledger, rules)
    if not barred and not any(_is_ripe(job, now, rules) for job in doubtful):
        ends = [end for job in doubtful if (end := _end(job) + rules.after) > now]
        barred = f"too early to tell before {timestamp(min(ends, default=now))}"
    if barred:
        return _Look(now=now, rules=rules, held=None, barred=barred)
    try:
        held = named(provider.held(), ledger)
    except Forbidden:
        return _Look(now=now, rules=rules, held=None, barred="the credentials may not read the list of jobs")
    if not pause(clock, rules.moving.total_seconds(), stop):
        return _Look(now=now, rules=rules, held=None, barred="interrupted")
    barred = _test_lists(ledger, provider, now, rules)
    return _Look(now=now, rules=rules, held=held, barred=barred, explained=explained(ledger))


def _why_a_person_decides(ledger: Ledger, rules: Rules) -> str:
    if not rules.trusts_absence:
        return "a person has to say what became of it: `settle.absence` is `ask`"
    if not ledger.trusts_absence:
        return "a person has to say what became of it: absence was wrong once at this provider"
    return ""


def why_absence_is_no_proof(ledger: Ledger, provider: Provider, now: datetime, rules: Rules) -> str:
    """Why nothing follows from what the provider does not list; empty where its lists can be trusted."""
    return _why_a_person_decides(ledger, rules) or _test_lists(ledger, provider, now, rules)


def _test_lists(ledger: Ledger, provider: Provider, now: datetime, rules: Rules) -> str:
    """Whether the look finds in full what is known to be there; else why it proves nothing."""
    control = ledger.control(timestamp(now - min(LAG, rules.after)))
    if control is None:
        return NO_CONTROL
    seen = {one.receiver for one in named(provider.sent(control.tag, _since(control)), ledger)}
    return "" if seen >= set(control.states) else "the provider does not list what it surely sent"


def _settle_job(ledger: Ledger, provider: Provider, look: _Look, job: Posted) -> Settled:
    listed = provider.sent(job.tag, _since(job))
    open_ones = {number for number, state in job.states.items() if state is not State.CANCELLING}
    taken = {one.receiver: Taken(one.id, one.credits) for one in named(listed, ledger) if one.receiver in open_ones}
    missing = open_ones - set(taken)
    left = dict.fromkeys(missing, _why_open(ledger, look, job, listed))
    for number in missing:
        if not left[number] and any(could_be(one, job, number, look.explained) for one in look.held or ()):
            left[number] = "the provider holds an SMS for this receiver that may be it"
    absent = frozenset(number for number in missing if not left[number])
    evidence = Evidence(
        at=timestamp(look.now),
        taken=taken,
        absent=absent,
        reason=f"not to be found at the provider at {timestamp(look.now)}",
    )
    moved = ledger.settle(job, evidence)
    if moved.freed < len(absent):
        left |= dict.fromkeys(absent, "absence has counted once already")
    return Settled(job=job, taken=moved.taken, freed=moved.freed, left={one: why for one, why in left.items() if why})


def _why_open(ledger: Ledger, look: _Look, job: Posted, listed: Sequence[Listed]) -> str:
    """Why absence proves nothing for this job; empty where it may."""
    if look.now >= _end(job) + HORIZON:
        return "too long ago to tell; a person has to say what became of it"
    if look.barred or look.held is None:
        return look.barred
    if not _is_ripe(job, look.now, look.rules):
        return f"too early to tell before {timestamp(_end(job) + look.rules.after)}"
    strangers = {one.receiver for one in listed if job.states.keys().isdisjoint(ledger.names(one.receiver))}
    if any(not ledger.is_on_record(Key(job.message, job.revision, number)) for number in strangers):
        return "the provider lists a receiver under our tag that we never posted to"
    return ""


def named(listed: Sequence[Listed], ledger: Ledger) -> Sequence[Listed]:
    """What the provider lists, by what the ledger has, or may have, in place of each receiver."""
    if not ledger.has_hashes:
        return listed
    return [
        replace(one, receiver=name)
        for one in listed
        # What can't be read stays so: it could be anybody.
        for name in (ledger.names(one.receiver) if _E164.fullmatch(one.receiver) else (one.receiver,))
    ]


def could_be(one: Listed, job: Posted, number: str, others: frozenset[tuple[int, str]]) -> bool:
    """Whether something held could be this send, whatever its text; what can't be read could be anybody's.

    `others` are ids and receivers that reports of other jobs explain.
    """
    return (
        (one.receiver == number or not (_E164.fullmatch(one.receiver) or _HASH.fullmatch(one.receiver)))
        and (one.created_at is None or one.created_at >= _since(job))
        and ((one.id, number) not in others or one.id in job.ids)
    )


def explained(ledger: Ledger) -> frozenset[tuple[int, str]]:
    """The ids that reports gave us for what is held, each with the receivers it may belong to."""
    return frozenset((one, number) for job in ledger.posted_held() for one in job.ids for number in job.states)


def _watch(ledger: Ledger, provider: Provider, job: Posted, now: datetime) -> Iterator[Trouble]:
    """An SMS that turns up after its send was given back says that absence lies here."""
    listed = named(provider.sent(job.tag, _since(job)), ledger)
    taken = {one.receiver: Taken(one.id, one.credits) for one in listed}
    found = {number: sms for number, sms in taken.items() if number in job.states}
    if found and (late := ledger.late(job, found, timestamp(now))):
        reason = f"{job.address}: {len(late)} SMS"
        yield Trouble(code=codes.LISTED_LATE, reason=reason)


def _is_ripe(job: Posted, now: datetime, rules: Rules) -> bool:
    """Whether the request can't arrive any more, and what it did is not yet forgotten."""
    return _end(job) + rules.after <= now < _end(job) + HORIZON


def _end(job: Posted) -> datetime:
    return datetime.fromtimestamp(job.not_after, tz=UTC)


def _since(job: Posted) -> datetime:
    return datetime.fromisoformat(job.claimed_at) - EARLIER
