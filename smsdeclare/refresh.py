"""Refresh: read delivery receipts, job by job, so that a run that is broken off goes on where it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from smsdeclare.clock import timestamp
from smsdeclare.events import Received
from smsdeclare.records import Receipt, Taken
from smsdeclare.settle import EARLIER, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from smsdeclare.ledger import Ledger
    from smsdeclare.provider import Listed, Provider

#: `deliveryReceipt`; all other values are not final. OVHcloud's guide to SMS users.
_DELIVERED = 1
_FAILED = (2, 16)
#: The provider keeps what it sent for about six months; nothing is learned of what is older.
KEPT = timedelta(days=180)
#: `ptt` → why, in OVHcloud's own numbering and, where a number means nothing there, in that of SMPP.
_REASONS = {
    1: "the phone could not be reached yet",
    2: "the operator is still trying",
    5: "not delivered, no detail",
    6: "its final state is not known",
    7: "the operator refused it",
    8: "expired before the phone could be reached",
    9: "can't be delivered",
    10: "the account had too few credits",
    20: "can't be delivered in this form",
    21: "the subscriber lacks credit",
    23: "the number is invalid or barred; do not use it again",
    24: "the phone was off or out of reach",
    25: "a passing failure of the network",
    26: "a passing failure of the phone",
    27: "the phone can't receive SMS",
    28: "taken for spam",
    29: "its content is not permitted",
    33: "blocked by a parental lock",
    39: "a failure at the operator",
    52: "a validated template is missing",
    53: "the receiver answered STOP and is on the blacklist",
    54: "the destination is forbidden",
    73: "the ported number can't be reached",
    74: "the phone is roaming",
    76: "the ported number is blocked",
    100: "the number has an invalid format",
    101: "its content is invalid",
    103: "it is too long",
    202: "blocked for this account; ask OVHcloud",
    800: "can't be delivered",
    801: "expired before the phone could be reached",
    802: "deleted before it was delivered",
    803: "the operator refused it",
    1999: "no validated template fits its text (United States)",
}


def refresh(ledger: Ledger, provider: Provider, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Received]:
    """Look for every accepted send without a final receipt, and for what was held until its time.

    Each event is yielded after it is on record. Raises ProviderError, Forbidden without the right, and StateError.
    """
    now = provider.time()
    due = [job for job in ledger.posted_held() if job.send_at and datetime.fromisoformat(job.send_at) <= now]
    with ledger.gathering():
        for job in (*due, *ledger.posted_taken()):
            claimed = datetime.fromisoformat(job.claimed_at)
            if claimed < now - KEPT:
                continue
            if stop():
                return
            listed = named(provider.sent(job.tag, claimed - EARLIER), ledger)
            receipts = {
                one.receiver: (Taken(one.id, one.credits), _receipt(one))
                for one in listed
                if one.receiver in job.states
            }
            if moved := ledger.receive(job, receipts):
                yield Received(job=job, sends=moved)


def _receipt(one: Listed) -> Receipt | None:
    """The operator's word; the receipt decides, since the details come in two numberings."""
    if one.receipt == _DELIVERED:
        at = timestamp(one.delivered_at.astimezone(UTC)) if one.delivered_at else None
        return Receipt(delivered=True, at=at, reason=None)
    if one.receipt in _FAILED:
        reason = _REASONS.get(one.ptt, "no reason is known")
        return Receipt(delivered=False, at=None, reason=f"{reason} (ptt {one.ptt})")
    return None
