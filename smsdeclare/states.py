"""The states of a send, and the legal moves between them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """Where a send stands."""

    #: Claimed by a run; the POST may be on its way.
    INTENDED = "intended"
    #: The POST may have been accepted; nobody knows yet. Never posted again until evidence ends the doubt.
    UNKNOWN = "unknown"
    #: Proved not to have been sent, and that it will not be; free to be claimed again.
    NOT_SENT = "notSent"
    #: The provider took it.
    ACCEPTED = "accepted"
    #: The provider took it and holds it until its time.
    SCHEDULED = "scheduled"
    #: Being taken back; the provider has not confirmed.
    CANCELLING = "cancelling"
    #: Taken back; free to be claimed again.
    CANCELLED = "cancelled"
    #: The provider refused this receiver, for good.
    REJECTED = "rejected"
    #: Its time passed before it could be sent, for good.
    MISSED = "missed"
    #: The operator reports delivery.
    DELIVERED = "delivered"
    #: The operator reports failure.
    FAILED = "failed"


_AFTER_DOUBT = frozenset({State.ACCEPTED, State.SCHEDULED, State.REJECTED, State.NOT_SENT})

#: The legal moves. Every move is conditional on the job that the evidence is about.
MOVES: Mapping[State, frozenset[State]] = {
    State.INTENDED: _AFTER_DOUBT | {State.UNKNOWN},
    State.UNKNOWN: _AFTER_DOUBT,
    State.ACCEPTED: frozenset({State.DELIVERED, State.FAILED, State.NOT_SENT}),
    State.SCHEDULED: frozenset({State.ACCEPTED, State.DELIVERED, State.FAILED, State.CANCELLING}),
    State.CANCELLING: frozenset({State.CANCELLED, State.ACCEPTED}),
    State.NOT_SENT: frozenset({State.INTENDED, State.ACCEPTED}),
    State.CANCELLED: frozenset({State.INTENDED, State.NOT_SENT}),
    State.DELIVERED: frozenset({State.NOT_SENT}),
    State.FAILED: frozenset({State.NOT_SENT}),
    State.REJECTED: frozenset({State.NOT_SENT}),
    State.MISSED: frozenset({State.NOT_SENT}),
}
#: Those a claim may take.
FREE = frozenset(state for state, after in MOVES.items() if State.INTENDED in after)
#: Those that `resend` may free: what became of them is known, and the provider holds nothing of it.
ENDED = frozenset({State.ACCEPTED, State.DELIVERED, State.FAILED, State.REJECTED, State.MISSED})
#: Those whose fate at the provider is open.
IN_DOUBT = frozenset({State.INTENDED, State.UNKNOWN, State.CANCELLING})
