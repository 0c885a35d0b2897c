"""The states of a send, and the legal moves between them."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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
#: The place of a send that `stop --cancel` took back: unlike others that were taken back, it is not free.
BARRED = f"{State.CANCELLED} by stop"


@cache
def later(place: str, claims: int, resends: int) -> frozenset[str]:
    """Where a send can stand that stood at `place`, exactly so many more claims and resends later.

    A place is a State, or `BARRED`.
    """
    start = (place, 0, 0)
    seen, ahead = {start}, [start]
    while ahead:
        at, claimed, freed = ahead.pop()
        for after, is_claim, is_resend in _moves(at):
            step = (after, claimed + is_claim, freed + is_resend)
            if step not in seen and step[1] <= claims and step[2] <= resends:
                seen.add(step)
                ahead.append(step)
    return frozenset(at for at, claimed, freed in seen if (claimed, freed) == (claims, resends))


def _moves(place: str) -> Iterator[tuple[str, bool, bool]]:
    """Where one legal move leads; whether it is a claim, and whether it is a resend."""
    if place == BARRED:
        yield State.NOT_SENT, False, True
        return
    for after in MOVES[State(place)]:
        is_resend = after is State.NOT_SENT and place in ENDED
        # A resend frees what was taken back only where it was barred.
        if not (after is State.NOT_SENT and place == State.CANCELLED):
            yield after, after is State.INTENDED, is_resend
        if after is State.CANCELLED:
            yield BARRED, False, False
    if place in FREE:
        # What is missed is claimed as well.
        yield State.MISSED, True, False
