"""Sends + ledger → decisions: what is to be done for each send."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.canonical import canonical
from smsdeclare.records import STOP
from smsdeclare.schedule import is_too_close, resolved
from smsdeclare.states import FREE, IN_DOUBT, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Known, Posted
    from smsdeclare.sends import MessageSends, Send


class Action(StrEnum):
    """What a run would do."""

    SEND = "send"
    CANCEL = "cancel"
    REPLACE = "replace"
    KEEP = "keep"
    SETTLE = "settle"


class Decision(NamedTuple):
    """One send and what is to be done. A tuple, since there may be a million."""

    send: Send
    #: What the ledger has, or would have, in place of its number.
    name: str
    #: What the plan says; the digest is over this, and so no clock has a say in it.
    action: Action
    #: How often `resend` freed it.
    resends: int
    #: Where it stands on record; None where it is not.
    state: State | None
    #: Whether the receiver had another text than today's.
    edited: bool = False
    #: Whether a higher revision than today's has reached the receiver, or may have.
    superseded: bool = False
    #: When what must be taken back first goes out: of this send, or of a lower revision. RFC 3339 in UTC.
    held_until: str | None = None
    #: Whether a lower revision is in doubt for the receiver, so that this one waits.
    waits: bool = False
    #: Whether `stop --cancel` took it back, so that only `resend` frees it.
    is_barred: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be posted, or is done already under the approved plan."""
        return self.action in (Action.SEND, Action.REPLACE)

    @property
    def is_free(self) -> bool:
        """Whether a claim may take it now; false for a send already done under the approved plan."""
        return (
            self.is_wanted
            and not (self.waits or self.is_barred or self.held_until)
            and (self.state is None or self.state in FREE)
        )

    def can_be_freed(self, now: datetime) -> bool:
        """Whether it may be posted once what is held before it is taken back."""
        return (
            self.is_wanted
            and self.held_until is not None
            and not (self.waits or self.is_barred)
            and not is_too_close(self.held_until, now)
        )

    @property
    def is_doubtful(self) -> bool:
        """Whether nobody knows if it went out."""
        return self.action is Action.SETTLE or self.waits or self.state in IN_DOUBT


class Withdrawal(NamedTuple):
    """One send that the provider holds and the files no longer ask for, or one taken back under the approved plan."""

    message: str
    revision: int
    known: Known

    @property
    def is_held(self) -> bool:
        """Whether it is still to be taken back."""
        return self.known.state is State.SCHEDULED


def compare(
    expanded: MessageSends, ledger: Ledger, now: datetime, approved: str | None = None, on_record: str | None = None
) -> Iterator[Decision]:
    """Decide for every send of a message, ordered by number; `on_record` is the name it still has in the ledger.

    `approved` is the digest of an approved plan: sends claimed or taken back under it count as not yet done, so that
    the plan can be worked out anew in the middle of being carried out.
    """
    message = expanded.message
    name = on_record or message.name
    revisions = ledger.revisions(name)
    if not revisions:
        for send in expanded.sends:
            yield Decision(send, ledger.names(send.number)[0], Action.SEND, 0, None)
        return
    higher = _taken(ledger, name, [revision for revision in revisions if revision > message.revision])
    lower = [revision for revision in revisions if revision < message.revision]
    # Who is in doubt at a lower revision waits, and who has it scheduled until it is taken back: two revisions never
    # reach a receiver by mistake.
    waiting = _in_doubt(ledger, name, lower)
    held = _still_held(ledger, name, lower, now)
    options, times = canonical(dict(message.options)).decode(), resolved(message.times)
    recorded = ledger.known(name, message.revision) if message.revision in revisions else iter(())
    for send, names, known in _beside(expanded.sends, recorded, ledger):
        name = known.number if known else names[0]
        if not higher.isdisjoint(names):
            yield Decision(send, name, Action.KEEP, *_standing(known), superseded=True)
            continue
        waits = not waiting.isdisjoint(names)
        is_edited = known is not None and _is_edited(known, send, options, times)
        action = _action(known, approved, is_edited=is_edited, waits=waits)
        own = known.send_at if known and action is Action.REPLACE and _is_old(known, approved) else None
        yield Decision(
            send,
            name,
            action,
            *_standing(known),
            edited=known is not None and action is Action.KEEP and known.text_digest != send.text.digest,
            held_until=own or next((held[one] for one in names if one in held), None),
            waits=waits,
            is_barred=known is not None and _is_barred(known),
        )


def withdrawals(
    ledger: Ledger, message: str, revision: int, wanted: Collection[str], approved: str | None = None
) -> Iterator[Withdrawal]:
    """What the provider holds of a revision and must be taken back, since only the `wanted` are asked for.

    These are what the ledger has in place of numbers.
    """
    for known in ledger.known(message, revision):
        if known.number not in wanted and (known.state is State.SCHEDULED or _is_under(known.taken_back, approved)):
            yield Withdrawal(message, revision, known)


def held_jobs(ledger: Ledger, keys: Collection[tuple[str, int, str]]) -> Iterator[Posted]:
    """The jobs of these held sends, each with those of them that are its own."""
    for job in ledger.posted_held() if keys else ():
        mine = {one: state for one, state in job.states.items() if (job.message, job.revision, one) in keys}
        if mine:
            yield replace(job, states=mine)


def _standing(known: Known | None) -> tuple[int, State | None]:
    return (known.resends, known.state) if known else (0, None)


def _action(known: Known | None, approved: str | None, *, is_edited: bool, waits: bool) -> Action:
    if known is None:
        return Action.SETTLE if waits else Action.SEND
    if _is_under(known.taken_back, approved):
        return Action.REPLACE
    if _is_under(known.plan_digest, approved):
        return Action.SEND
    if waits or known.state in IN_DOUBT:
        return Action.SETTLE
    if known.state in FREE:
        return Action.KEEP if _is_barred(known) else Action.SEND
    return Action.REPLACE if known.state is State.SCHEDULED and is_edited else Action.KEEP


def _is_under(digest: str | None, approved: str | None) -> bool:
    return approved is not None and digest == approved


def _is_old(known: Known, approved: str | None) -> bool:
    """Whether the provider holds what another plan had sent."""
    return known.state is State.SCHEDULED and not _is_under(known.plan_digest, approved)


def _is_barred(known: Known) -> bool:
    return known.state is State.CANCELLED and known.taken_back == STOP


def _is_edited(known: Known, send: Send, options: str, times: str) -> bool:
    return known.text_digest != send.text.digest or known.options != options or known.times not in (None, times)


def _beside(
    sends: Sequence[Send], recorded: Iterator[Known], ledger: Ledger
) -> Iterator[tuple[Send, tuple[str, ...], Known | None]]:
    """Each send, what the ledger may have in place of its number, and its record; never a query for each receiver."""
    if not ledger.has_hashes:
        yield from _merge(sends, recorded)
        return
    # Hashes have another order than the numbers that they stand for.
    by_name = {known.number: known for known in recorded}
    for send in sends:
        names = ledger.names(send.number)
        yield send, names, next((by_name[one] for one in names if one in by_name), None)


def _merge(sends: Sequence[Send], recorded: Iterator[Known]) -> Iterator[tuple[Send, tuple[str], Known | None]]:
    """The same in one pass over two ordered streams."""
    known = next(recorded, None)
    for send in sends:
        while known is not None and known.number < send.number:
            known = next(recorded, None)
        if known is not None and known.number == send.number:
            yield send, (send.number,), known
        else:
            yield send, (send.number,), None


def _taken(ledger: Ledger, message: str, revisions: Sequence[int]) -> frozenset[str]:
    """Who has had one of these revisions, or may have; a send that `resend` freed was had before."""
    return frozenset(
        known.number
        for revision in revisions
        for known in ledger.known(message, revision)
        if known.state not in FREE or known.resends
    )


def _in_doubt(ledger: Ledger, message: str, revisions: Sequence[int]) -> frozenset[str]:
    """Of whom nobody knows whether they had one of these revisions."""
    return frozenset(
        known.number for revision in revisions for known in ledger.known(message, revision) if known.state in IN_DOUBT
    )


def _still_held(ledger: Ledger, message: str, revisions: Sequence[int], now: datetime) -> Mapping[str, str]:
    """Whose SMS of one of these revisions the provider holds → when it goes out.

    Until somebody reads receipts, one whose time has passed stands on record as it was.
    """
    return {
        known.number: known.send_at
        for revision in revisions
        for known in ledger.known(message, revision)
        if known.state is State.SCHEDULED and known.send_at and datetime.fromisoformat(known.send_at) > now
    }
