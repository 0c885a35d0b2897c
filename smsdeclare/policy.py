"""Rules over the draft of a plan → violations. Policy only refuses; it changes nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.clock import zone_of
from smsdeclare.definitions import SHORT_NUMBER
from smsdeclare.diagnostics import Diagnostic, Span
from smsdeclare.encoding import forcing
from smsdeclare.plan import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from smsdeclare.decisions import Decisions, Group
    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.receivers import Findings
    from smsdeclare.schedule import Slot

#: Below so many rows a share says little.
_ROWS_THAT_COUNT = 20
#: Why a row is no number.
_NO_NUMBER = frozenset({codes.NOT_A_NUMBER, codes.NO_COUNTRY, codes.NO_SMS_LINE})
#: So many characters that force Unicode are named.
_SHOWN_CHARACTERS = 8


def judge_plan(definitions: Definitions, sends: Iterable[Group]) -> Iterator[Violation]:
    """The rules over all sends of a plan, those already done under it included."""
    policy = definitions.policy
    groups = list(sends)
    taken = round(sum(group.credits for group in groups), 6)
    most = max((group.price.bill.parts for group in groups), default=0)
    for rule, limit, actual in (
        ("maxCredits", policy.max_credits, taken),
        ("maxReceivers", policy.max_receivers, sum(group.size for group in groups)),
        ("maxParts", policy.max_parts, most),
    ):
        if limit is not None and actual > limit:
            yield _violation(rule, limit, actual, policy.spans.get(rule))


def judge_message(
    definitions: Definitions,
    message: Message,
    findings: Findings,
    decisions: Decisions,
    counted: Sequence[Group],
    *,
    is_done: bool,
    taken_before: float,
) -> Iterator[Violation]:
    """The rules over one message, of whose sends the `counted` ones are, or are being, sent.

    `is_done`: it has receivers and nothing is left to send, so that its rows do no harm. `taken_before` is what its
    revision took under earlier plans. Credits.
    """
    unusable = sum(row.code in _NO_NUMBER for row in findings.skipped)
    for limit in definitions.policy.max_skipped if not is_done and findings.rows >= _ROWS_THAT_COUNT else ():
        if not limit.allows(unusable, findings.rows):
            yield _violation("maxSkipped", f"{limit} of {findings.rows} rows", unusable, limit.span, message)
    taken = round(taken_before + sum(group.credits for group in counted), 6)
    if message.max_credits is not None and taken > message.max_credits:
        yield _violation("maxCredits", message.max_credits, taken, message.span, message)
    if counted:
        yield from _judge_options(definitions, message)
        yield from _judge_encoding(definitions, message, decisions, counted)


def judge_left(definitions: Definitions, message: Message, left: int, scheduled: int) -> Iterator[Violation]:
    """The rule over what is taken back of a message because its receivers left the list, of all that is scheduled."""
    for limit in definitions.policy.max_left if scheduled >= _ROWS_THAT_COUNT else ():
        if not limit.allows(left, scheduled):
            yield _violation("maxLeft", f"{limit} of {scheduled} scheduled", left, limit.span, message)


def judge_times(definitions: Definitions, message: Message, slots: Mapping[Slot, int]) -> Iterator[Violation]:
    """The quiet hours that refuse, and those that never end, over when so many SMS go out in each slot."""
    refused = {slot: count for slot, count in slots.items() if slot.is_refused}
    if not refused:
        return
    rules = definitions.policy.quiet_hours
    broken = [rule for rule in rules if not rule.delays] or rules
    first = min((slot.due for slot in refused if slot.due), default=None) if all(slot.due for slot in refused) else None
    when = first.astimezone(zone_of(definitions.timezone)).strftime("at %Y-%m-%d %H:%M") if first else "now"
    limit = " and ".join(map(str, broken))
    span = message.span
    yield _violation(
        "quietHours", limit, f"{sum(refused.values()):,} SMS would go out {when}", broken[0].span, message, span
    )


def refusals(violations: Iterable[Violation]) -> Iterator[Diagnostic]:
    """What an apply says that is refused: each rule at its line."""
    for one in violations:
        span = None
        if one.file and one.line:
            span = Span(file=one.file, line=one.line, column=1, end_line=one.line + 1, end_column=1)
        yield Diagnostic(code=codes.POLICY_BROKEN, detail=f"{one.rule}: {one.told}", span=span)


def _judge_options(definitions: Definitions, message: Message) -> Iterator[Violation]:
    policy = definitions.policy
    sender = message.sender
    if policy.allowed_senders is not None and (sender or SHORT_NUMBER) not in policy.allowed_senders:
        asked = message.options.get("senderForResponse") is True
        actual = f"`{sender}`" if sender else "the short number" if asked else "no sender, so the short number"
        span = message.option_spans.get("senderForResponse" if asked else "sender")
        allowed = ", ".join(sorted(policy.allowed_senders)) or "no sender at all"
        yield _violation("allowedSenders", allowed, actual, policy.spans.get("allowedSenders"), message, span)
    if policy.require_stop_clause and message.options.get("noStopClause") is True:
        span = message.option_spans.get("noStopClause")
        rule = policy.spans.get("requireStopClause")
        yield _violation("requireStopClause", "true", "noStopClause: true", rule, message, span)


def _judge_encoding(
    definitions: Definitions, message: Message, decisions: Decisions, counted: Sequence[Group]
) -> Iterator[Violation]:
    policy = definitions.policy
    unicode = [group for group in counted if group.price.bill.encoding == "unicode"] if policy.gsm7_only else []
    if unicode:
        blamed = Counter(one.character for text in decisions.of(unicode).each_text() for one in forcing(text.text))
        named = ", ".join(f"U+{ord(character):04X}" for character, _ in blamed.most_common(_SHOWN_CHARACTERS))
        actual = f"{sum(group.size for group in unicode):,} SMS in Unicode, because of {named}"
        yield _violation("gsm7Only", "true", actual, policy.spans.get("gsm7Only"), message, message.text_span)


def _violation(
    rule: str,
    limit: float | str,
    actual: float | str,
    span: Span | None,
    message: Message | None = None,
    message_span: Span | None = None,
) -> Violation:
    place = span or (message.span if message else None)
    mine = message_span or (message.span if message else None)
    return Violation(
        rule=rule,
        limit=limit,
        actual=int(actual) if isinstance(actual, float) and actual.is_integer() else actual,
        address=message.address if message else None,
        file=place.file if place else None,
        line=place.line if place else None,
        message_file=mine.file if mine else None,
        message_line=mine.line if mine else None,
    )
