"""Records of the ledger → rows that may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare.format import SendRow
from smsdeclare.records import ref
from smsdeclare.redaction import mask_number
from smsdeclare.states import State

if TYPE_CHECKING:
    from smsdeclare.records import Record


def row_of(record: Record, secret: bytes, *, show_numbers: bool) -> SendRow:
    """One record; a claim without an outcome is as unknown as one whose answer was lost."""
    state = State.UNKNOWN if record.state is State.INTENDED else record.state
    return SendRow(
        address=record.address,
        ref=ref(secret, record.message, record.revision, record.number),
        message=record.message,
        revision=record.revision,
        receiver=record.number if show_numbers else mask_number(record.number),
        status=state.value,
        attempts=record.attempts,
        id=record.id,
        credits=record.credits,
        send_at=record.send_at,
        accepted_at=record.accepted_at,
        delivered_at=record.delivered_at,
        reason=record.reason,
        since=record.claimed_at,
    )
