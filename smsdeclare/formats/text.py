"""Text for people at a terminal and in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.decisions import Action
from smsdeclare.formats.phrases import Color, normalizing
from smsdeclare.formats.phrases import count as _count
from smsdeclare.formats.phrases import figure as _figure
from smsdeclare.formats.phrases import lasting as _lasting
from smsdeclare.formats.phrases import line as _line
from smsdeclare.formats.phrases import paint as _paint
from smsdeclare.formats.phrases import width as _width
from smsdeclare.formats.wrapping import fit
from smsdeclare.redaction import visible
from smsdeclare.window import FAIR, SOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from smsdeclare.diagnostics import Diagnostic, Span
    from smsdeclare.format import Applied, SendRow, Standing, Style
    from smsdeclare.plan import Change, Plan, Summary
    from smsdeclare.provider import Account
    from smsdeclare.records import Stopped

#: Sign and color of each action.
_ACTIONS = {
    Action.SEND: ("+", Color.GOOD),
    Action.REPLACE: ("~", Color.BACK),
    Action.CANCEL: ("-", Color.BACK),
    Action.KEEP: ("=", Color.QUIET),
    Action.SETTLE: ("?", Color.CARE),
}
#: In place of a number that the state does not hold.
_NOT_KEPT = "(number not kept)"
#: So much of a line of a file is shown, in characters: by the terminal, within these bounds.
_NARROWEST, _WIDEST = 20, 100
#: So many findings are told in full.
_REPORTED = 100
#: So many rows and warnings are listed; the rest is counted.
_LISTED = 10
#: How long POSTs take is told from here on. Seconds.
_WORTH_TELLING = 60


def plan(plan: Plan, style: Style) -> str:
    """A plan, saved or fresh."""
    return _page(_plan_lines(plan, style), style)


def _page(lines: Iterable[str], style: Style) -> str:
    """Lines as wide as the terminal."""
    return "".join(f"{fit(line, style)}\n" for line in lines)


def _plan_lines(plan: Plan, style: Style) -> Iterator[str]:
    place = f"{_line(plan.provider)}, {_line(plan.service) or 'service not known yet'}"
    yield _paint(f"{_line(plan.project)}: what an apply would do ({place})", Color.HEAD, style)
    if plan.provider == "sandbox":
        yield _paint("SANDBOX: nothing leaves this machine; no phone rings.", Color.CARE, style)
    elif plan.endpoint.startswith("http://"):  # nothing but loopback may be so
        here = f"LOCAL: goes to {_line(plan.endpoint)} on this machine, not to OVHcloud."
        yield _paint(here, Color.CARE, style)
    yield ""
    if not plan.changes:
        yield "  No message has a receiver."
        yield ""
    for change in plan.changes:
        yield from _change_lines(change, style)
        yield ""
    if plan.skipped:
        yield f"Skipped: {_count(len(plan.skipped), 'receiver')}"
        for row in plan.skipped[:_LISTED]:
            place = f"{_line(row.file)}:{row.line}" if row.file else _line(row.address)
            yield f"  {place}  {_line(row.code)}  {_line(row.reason)}"
        if len(plan.skipped) > _LISTED:
            yield f"  and {len(plan.skipped) - _LISTED} more"
        yield ""
    yield from _warning_lines(plan, style)
    for violation in plan.violations:
        where = f"{_line(violation.file)}:{violation.line}: " if violation.file else ""
        yield _paint(f"{where}policy {_line(violation.rule)}: {_line(violation.told)}", Color.WRONG, style)
    yield totals(plan)
    yield f"Digest {_line(plan.digest)}"


def _warning_lines(plan: Plan, style: Style) -> Iterator[str]:
    """Rows that cost more are counted by themselves, so that neither kind crowds the other out."""
    rows = [one for one in plan.warnings if one.code == codes.ROW_DEAR.id]
    others = [one for one in plan.warnings if one.code != codes.ROW_DEAR.id]
    for warning in (*others[:_LISTED], *rows[: _LISTED + 1]):
        where = f"{_line(warning.file)}:{warning.line}:{warning.column}: " if warning.file else ""
        yield f"{where}{_paint('warning', Color.CARE, style)} {_line(warning.code)}: {_line(warning.message)}"
    more = max(0, len(others) - _LISTED) + max(0, len(rows) - _LISTED - 1)
    if more:
        yield f"and {_count(more, 'more warning')}"
    if plan.warnings:
        yield ""


def _change_lines(change: Change, style: Style) -> Iterator[str]:
    sign, color = _ACTIONS[change.action]
    head = f"  {sign} {change.action.value:<8}{_line(change.address)}   {_count(change.receivers, 'receiver')}"
    if change.action in (Action.SEND, Action.REPLACE):
        low, high = change.parts["min"], change.parts["max"]
        parts = _count(high, "part") if low == high else f"{low} to {high} parts"
        about = "" if change.credits_exact else "about "
        encoding = _line(change.encoding)
        if encoding == "mixed":
            encoding = f"{change.encodings['gsm7']} gsm7, {change.encodings['unicode']} unicode"
        head += f"   {encoding}   {parts}   {about}{_count(change.credits, 'credit')}   {_count(change.posts, 'POST')}"
    yield _paint(head, color, style)
    if change.send_at:
        yield f"             at {_line(change.send_at)}"
    if change.delayed and change.delayed_until:
        who = "it" if change.delayed == change.receivers else f"{change.delayed:,} of them"
        yield f"             quiet hours delay {who} until {_line(change.delayed_until)}"
    if change.held_until:
        yield f"             advertising: OVHcloud may hold it until {_line(change.held_until)}"
    if change.sample and change.action in (Action.SEND, Action.REPLACE):
        for line in visible(change.sample).split("\n"):
            yield f"             | {line}"
    yield f"             {_line(change.reason)}"
    if change.normalized:
        yield f"             {normalizing(change.normalized)}"


def totals(plan: Plan) -> str:
    """The line that counts: sends, credits, POSTs."""
    summary = plan.summary
    counted = [
        (summary.send, "to send"),
        (summary.replace, "to replace"),
        (summary.cancel, "to cancel"),
        (summary.keep, "kept"),
        (summary.unknown, "unknown"),
        (summary.missed, "missed"),
        (summary.skip, "skipped"),
    ]
    parts = [f"{count:,} {word}" for count, word in counted if count or word == "to send"]
    about = "" if all(change.credits_exact for change in plan.changes) else "About "
    text = f"Plan: {', '.join(parts)}. {about}{_count(summary.credits, 'credit')}"
    if summary.credits_left is not None and summary.credits_after is not None:
        text += f" of {_figure(summary.credits_left)} left, {_figure(summary.credits_after)} afterwards"
    return f"{text}. {_count(summary.posts, 'POST')}{_duration(summary)}."


def _duration(summary: Summary) -> str:
    """How long the POSTs take: what is known where the project sets a pace, else what to reckon with."""
    if summary.seconds_at_least:
        return f", in {_lasting(summary.seconds_at_least)} at least"
    soon, late = summary.seconds_about or (0.0, 0.0)
    if late < _WORTH_TELLING:
        return ""
    return f": {_lasting(soon)} where each is answered in {SOON} s, {_lasting(late)} at {FAIR} a minute"


def applied(applied: Applied, style: Style) -> str:
    """What a run did."""
    summary = applied.summary
    lines = []
    for title, rows in (("Refused by the provider", applied.rejected), ("Not known", applied.unknown)):
        if rows:
            lines.append(_paint(f"{title}: {_count(len(rows), 'receiver')}", Color.CARE, style))
            for row in rows[:_LISTED]:
                reason = f"   {_line(row.reason)}" if row.reason else ""
                lines.append(f"  {row.address}#{row.ref}   {row.receiver or _NOT_KEPT}   since {row.since}{reason}")
            if len(rows) > _LISTED:
                lines.append(f"  and {len(rows) - _LISTED} more; `smsdeclare state list` shows all")
    if applied.unknown:
        lines.append(
            "What is not known is never posted blindly again. `smsdeclare settle` asks the provider, and so does every "
            "apply; `smsdeclare resolve` takes your word."
        )
    posts = applied.digest is not None
    words = (
        "sent",
        "scheduled",
        "rejected",
        "missed",
        "cancelled",
        "replaced",
        "settled",
        "receipts",
        "unknown",
        "kept",
        "skipped",
    )
    shown = ("sent",) if posts else ("settled", "unknown")
    parts = [f"{int(summary.get(word, 0)):,} {word}" for word in words if summary.get(word) or word in shown]
    cost = f" {_count(summary['credits'], 'credit')}." if posts else ""
    lines.append(f"{applied.title}: {', '.join(parts)}.{cost}")
    return _page(lines, style)


def findings(
    found: Sequence[Diagnostic], style: Style, source: Callable[[str, int], str | None], *, valid: bool
) -> str:
    """Errors and warnings with their source lines, then one line that counts them."""
    errors = sum(one.is_error for one in found)
    warnings = len(found) - errors
    verdict = "Valid." if valid else "Not valid."
    counts = f" {_count(errors, 'error')}, {_count(warnings, 'warning')}." if found else ""
    return f"{report(found, style, source)}{verdict}{counts}\n"


def report(found: Sequence[Diagnostic], style: Style, source: Callable[[str, int], str | None]) -> str:
    """Findings with their source lines; after the first hundred they are only counted."""
    blocks = [finding(one, style, source) for one in found[:_REPORTED]]
    if len(found) > _REPORTED:
        blocks.append(f"and {len(found) - _REPORTED:,} more; --json lists them all")
    return "".join(f"{block}\n" for block in blocks)


def finding(one: Diagnostic, style: Style, source: Callable[[str, int], str | None]) -> str:
    """One finding: place, code, summary; the line with a caret; what to do."""
    severity = _paint(one.code.severity, Color.WRONG if one.is_error else Color.CARE, style)
    place = f"{_line(one.span.file)}:{one.span.line}:{one.span.column}: " if one.span else ""
    lines = [fit(f"{place}{severity} {one.code.id}: {_shown(one.message, style)}", style)]
    if one.span:
        lines += _excerpt(one.span, style, source)
    for other in one.related:
        lines.append(fit(f"  {_line(other.span.file)}:{other.span.line}:{other.span.column}: {other.label}", style))
    if one.query_id:
        lines.append(f"  X-Ovh-QueryID {one.query_id}")
    lines += [fit(f"  {line}", style) for line in _shown(one.suggestion or one.code.help, style).split("\n")]
    return "\n".join(lines)


def _excerpt(span: Span, style: Style, source: Callable[[str, int], str | None]) -> list[str]:
    line = source(span.file, span.line)
    if line is None:
        return []
    # A long line is shown around the place; masked with some of what is cut off, so that no half of a number remains.
    room = max(_NARROWEST, min(_WIDEST, (style.columns or _WIDEST) - 4))
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    left = max(0, start - room * 6 // 10) if len(line) > room else 0
    cut = max(0, left - 40)
    around = line[cut : left + room + 40]
    shown = style.masked(around)
    head, marked, tail = (
        shown[left - cut : start - cut],
        shown[start - cut : end - cut],
        shown[end - cut : left - cut + room],
    )
    caret = " " * _width(visible(head)) + "^" * max(1, min(_width(visible(marked)), room - len(head)))
    return [
        f"  | {visible(head)}{visible(marked)[: room - len(head)]}{visible(tail)}",
        f"  | {_paint(caret, Color.WRONG, style)}",
    ]


def standings(rows: Sequence[Standing], stopped: Stopped | None, style: Style) -> str:
    """Messages, and how many of their sends stand where; unknown ones come first."""
    lines = [f"STOPPED by {_line(stopped.actor)} at {_line(stopped.at)}: {_line(stopped.reason)}"] if stopped else []
    for row in rows:
        order = sorted(row.counts, key=lambda status: (status != "unknown", status))
        counts = ", ".join(f"{row.counts[status]:,} {status}" for status in order)
        lines.append(f"{row.address}   {counts}   {_count(row.credits, 'credit')}")
        lines += [f"  {count:,} {status}: {_line(why)}" for status, why, count in row.reasons]
    return _page(lines or ["Nothing is on record."], style)


def accounts(found: Sequence[Account], style: Style) -> str:
    """SMS accounts with credits and senders."""
    return _page((line for account in found for line in _account_lines(account)), style) or "No SMS account.\n"


def _account_lines(account: Account) -> Iterator[str]:
    left = "may not be asked" if account.credits_left is None else _figure(account.credits_left)
    yield f"{_line(account.service)}   credits left: {left}"
    if account.senders is None:
        yield "  senders: may not be asked"
    for sender, status in (account.senders or {}).items():
        yield f"  {sender}   {status}"


def sends(rows: Sequence[SendRow], style: Style) -> str:
    """Sends on record, one a line."""
    if not rows:
        return "Nothing is on record.\n"
    lines = (
        f"{row.address}#{row.ref}   {row.receiver or _NOT_KEPT}   {row.status}   "
        f"{_when(row)}{f'   {_line(row.reason)}' if row.reason else ''}"
        for row in rows
    )
    return _page(lines, style)


def _when(row: SendRow) -> str:
    """The moment that matters: of what the provider still holds, when it goes out."""
    return f"for {row.send_at}" if row.status == "scheduled" else row.accepted_at or row.since


def _shown(text: str, style: Style) -> str:
    return _line(style.masked(text))
