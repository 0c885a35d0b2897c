"""What a run wants of the ledger before it posts, and instead of posting what is too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare.canonical import canonical
from smsdeclare.clock import timestamp
from smsdeclare.records import Intent
from smsdeclare.schedule import resolved

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from smsdeclare.clock import Clock
    from smsdeclare.jobs import Job
    from smsdeclare.ledger import Ledger
    from smsdeclare.planning import Missed

#: So many sends are recorded as missed in one transaction.
_MISSED_AT_ONCE = 500


def intent(job: Job, now: datetime, plan_digest: str) -> Intent:
    """What is written down before a job is posted."""
    held = job.slot_at(now).due
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


def record_missed(missed: Iterable[Missed], ledger: Ledger, clock: Clock, *, plan_digest: str) -> int:
    """Write down what is too late, for good; how many sends."""
    counted = 0
    with ledger.gathering():
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
