"""Sends + ledger → decisions: what is to be done for each send."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.states import FREE, IN_DOUBT, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Known
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
    #: What the plan says; the digest is over this.
    action: Action
    #: How often `resend` freed it.
    resends: int
    #: Where it stands on record; None where it is not.
    state: State | None
    #: Whether the receiver had another text than today's.
    edited: bool = False
    #: Whether a higher revision than today's has reached the receiver, or may have.
    superseded: bool = False
    #: Whether the provider still holds a lower revision for the receiver, which must be taken back first.
    held: bool = False
    #: Whether a lower revision is in doubt for the receiver, so that this one waits.
    waits: bool = False

    @property
    def is_free(self) -> bool:
        """Whether a claim may take it now; false for a send already done under the approved plan."""
        return self.action is Action.SEND and not self.waits and (self.state is None or self.state in FREE)

    @property
    def is_doubtful(self) -> bool:
        """Whether nobody knows if it went out."""
        return self.action is Action.SETTLE or self.waits or self.state in IN_DOUBT


def compare(
    expanded: MessageSends, ledger: Ledger, approved: str | None = None, on_record: str | None = None
) -> Iterator[Decision]:
    """Decide for every send of a message, ordered by number; `on_record` is the name it still has in the ledger.

    `approved` is the digest of an approved plan: sends claimed under it count as not claimed, so that the plan can
    be worked out anew in the middle of being carried out.
    """
    message = expanded.message
    name = on_record or message.name
    revisions = ledger.revisions(name)
    higher = _taken(ledger, name, [revision for revision in revisions if revision > message.revision])
    lower = [revision for revision in revisions if revision < message.revision]
    waiting = _numbers(ledger, name, lower, IN_DOUBT)
    held = _numbers(ledger, name, lower, frozenset({State.SCHEDULED}))
    recorded = ledger.known(name, message.revision) if message.revision in revisions else iter(())
    for send, known in _merge(expanded.sends, recorded):
        if send.number in held:
            yield Decision(send, Action.KEEP, known.resends if known else 0, known.state if known else None, held=True)
        else:
            yield _decide(send, known, approved, superseded=send.number in higher, waits=send.number in waiting)


def _decide(send: Send, known: Known | None, approved: str | None, *, superseded: bool, waits: bool) -> Decision:
    resends = known.resends if known else 0
    state = known.state if known else None
    if superseded:
        return Decision(send, Action.KEEP, resends, state, superseded=True)
    if known is None:
        return Decision(send, Action.SETTLE if waits else Action.SEND, resends, state)
    if known.plan_digest == approved or (known.state in FREE and not waits):
        return Decision(send, Action.SEND, resends, state, waits=waits)
    if waits or known.state in IN_DOUBT:
        return Decision(send, Action.SETTLE, resends, state)
    return Decision(send, Action.KEEP, resends, state, edited=known.text_digest != send.text.digest)


def _merge(sends: Sequence[Send], recorded: Iterator[Known]) -> Iterator[tuple[Send, Known | None]]:
    """Each send beside its record, in one pass over two ordered streams: never a query for each receiver."""
    known = next(recorded, None)
    for send in sends:
        while known is not None and known.number < send.number:
            known = next(recorded, None)
        if known is not None and known.number == send.number:
            yield send, known
        else:
            yield send, None


def _taken(ledger: Ledger, message: str, revisions: Sequence[int]) -> frozenset[str]:
    """Who has had one of these revisions, or may have."""
    return frozenset(
        known.number for revision in revisions for known in ledger.known(message, revision) if known.state not in FREE
    )


def _numbers(ledger: Ledger, message: str, revisions: Sequence[int], states: frozenset[State]) -> frozenset[str]:
    """Whose send of one of these revisions is in one of these states.

    Who is in doubt at a lower revision, or has it scheduled, waits: two revisions never reach a receiver by mistake.
    """
    return frozenset(
        known.number for revision in revisions for known in ledger.known(message, revision) if known.state in states
    )
