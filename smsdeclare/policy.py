"""Rules over the draft of a plan → violations. Policy only refuses; it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.plan import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.diagnostics import Span
    from smsdeclare.receivers import Findings
    from smsdeclare.sends import Send

#: Below so many rows a share says little.
_ROWS_THAT_COUNT = 20
#: Why a row is no number.
_NO_NUMBER = frozenset({codes.NOT_A_NUMBER, codes.NO_COUNTRY, codes.NO_SMS_LINE})


def judge_plan(definitions: Definitions, sends: Sequence[Send]) -> Iterator[Violation]:
    """The rules over all sends of a plan, those already done under it included."""
    policy = definitions.policy
    taken = round(sum(send.credits for send in sends), 6)
    most = max((send.text.bill.parts for send in sends), default=0)
    for rule, limit, actual in (
        ("maxCredits", policy.max_credits, taken),
        ("maxReceivers", policy.max_receivers, len(sends)),
        ("maxParts", policy.max_parts, most),
    ):
        if limit is not None and actual > limit:
            yield _violation(rule, limit, actual, policy.spans.get(rule))


def judge_message(
    definitions: Definitions,
    message: Message,
    findings: Findings,
    sends: Sequence[Send],
    *,
    is_done: bool,
    taken_before: float,
) -> Iterator[Violation]:
    """The rules over one message.

    `is_done`: it has receivers and nothing is left to send, so that its rows do no harm. `taken_before` is what its
    revision took under earlier plans. Credits.
    """
    policy = definitions.policy
    unusable = sum(row.code in _NO_NUMBER for row in findings.skipped)
    if not is_done and findings.rows >= _ROWS_THAT_COUNT and not policy.max_skipped.allows(unusable, findings.rows):
        limit = f"{policy.max_skipped} of {findings.rows} rows"
        yield _violation("maxSkipped", limit, unusable, policy.spans.get("maxSkipped"), message)
    taken = round(taken_before + sum(send.credits for send in sends), 6)
    if message.max_credits is not None and taken > message.max_credits:
        yield _violation("maxCredits", message.max_credits, taken, message.span, message)


def judge_left(definitions: Definitions, message: Message, left: int, scheduled: int) -> Iterator[Violation]:
    """The rule over what is taken back of a message because its receivers left the list, of all that is scheduled."""
    policy = definitions.policy
    if scheduled >= _ROWS_THAT_COUNT and not policy.max_left.allows(left, scheduled):
        limit = f"{policy.max_left} of {scheduled} scheduled"
        yield _violation("maxLeft", limit, left, policy.spans.get("maxLeft"), message)


def _violation(
    rule: str, limit: float | str, actual: float, span: Span | None, message: Message | None = None
) -> Violation:
    place = span or (message.span if message else None)
    return Violation(
        rule=rule,
        limit=limit,
        actual=int(actual) if float(actual).is_integer() else actual,
        address=message.address if message else None,
        file=place.file if place else None,
        line=place.line if place else None,
    )
