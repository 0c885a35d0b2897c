"""Records of the ledger → rows that may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare.format import SendRow
from smsdeclare.records import ref
from smsdeclare.redaction import mask_number, mask_text
from smsdeclare.states import State

if TYPE_CHECKING:
    from smsdeclare.records import Record


def shown(state: State) -> str:
    """The word for a state; a claim without an outcome is as unknown as one whose answer was lost."""
    return (State.UNKNOWN if state is State.INTENDED else state).value


def row_of(record: Record, secret: bytes, *, show_numbers: bool) -> SendRow:
    """One record as it may be shown."""
    return SendRow(
        address=record.address,
        ref=ref(secret, record.message, record.revision, record.number),
        message=record.message,
        revision=record.revision,
        receiver=record.receiver if show_numbers or record.receiver is None else mask_number(record.receiver),
        status=shown(record.state),
        attempts=record.attempts,
        id=record.id,
        credits=record.credits,
        send_at=record.send_at,
        accepted_at=record.accepted_at,
        delivered_at=record.delivered_at,
        # Words of the provider and of people, who may have named a number.
        reason=record.reason if show_numbers or not record.reason else mask_text(record.reason),
        since=record.claimed_at,
    )
