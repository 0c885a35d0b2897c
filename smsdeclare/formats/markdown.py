"""Markdown for a pull request: what a reviewer needs first, bounded, and harmless whatever the texts hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smsdeclare.decisions import Action
from smsdeclare.formats.phrases import count, normalizing
from smsdeclare.formats.text import totals
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.format import Style
    from smsdeclare.plan import Change, Plan

#: GitHub takes 65,536 characters in a comment, GitLab far more.
LIMIT = 65_000
#: By this a bot finds its own comment, to replace it.
MARKER = "<!-- smsdeclare plan -->"
_LISTED = 20
#: GitHub Actions takes a line of a step's output for a command that begins with `::`, or that holds `##[`.
_COMMAND = re.compile(r"(?:(?<=\n)|\A)[^\S\n]*:(?=:)|#(?=#\[)")


def plan(plan: Plan, style: Style) -> str:  # noqa: ARG001 - a plan holds nothing to hide
    """A plan, saved or fresh. What does not fit is left out, the least important first, and said so."""
    kept: list[str] = []
    room = LIMIT - 200
    sections = list(_sections(plan))
    for place, section in enumerate(sections):
        if len(section) > room:
            kept.append(
                f"*{len(sections) - place} parts are left out for want of room; `smsdeclare plan` shows all.*\n"
            )
            break
        kept.append(section)
        room -= len(section) + 1
    return "\n".join(kept)


def _sections(plan: Plan) -> Iterator[str]:
    """The parts in the order of their importance."""
    yield f"{MARKER}\n### SMS plan for {_text(plan.project)}\n"
    yield f"{_text(totals(plan))}\n\nDigest `{_code(plan.digest)}`\n"
    if plan.provider == "sandbox":
        yield "**Sandbox:** nothing leaves the machine; no phone rings.\n"
    if plan.violations:
        broken = (f"- **{_text(one.rule)}** {_text(one.told)}" for one in plan.violations)
        yield "#### The policy refuses this plan\n\n" + "\n".join(broken) + "\n"
    if plan.changes:
        head = "| | message | receivers | parts | credits | when |\n|---|---|---:|---:|---:|---|"
        yield "\n".join([head, *map(_row, plan.changes)]) + "\n"
    for change in plan.changes:
        if change.sample and change.action in (Action.SEND, Action.REPLACE):
            swapped = f"\n\n{_text(normalizing(change.normalized))}" if change.normalized else ""
            yield f"{_text(change.address)}: {_text(change.reason)}{swapped}\n\n{_fenced(visible(change.sample))}\n"
        else:
            yield f"{_text(change.address)}: {_text(change.reason)}\n"
    warnings = [f"{one.file}:{one.line} {one.code} {one.message}" for one in plan.warnings]
    skipped = [f"{one.file or one.address}:{one.line or ''} {one.code} {one.reason}" for one in plan.skipped]
    for title, rows in (("warning", warnings), ("skipped receiver", skipped)):
        if rows:
            more = f"\n- and {len(rows) - _LISTED} more" if len(rows) > _LISTED else ""
            listed = "\n".join(f"- {_text(row)}" for row in rows[:_LISTED])
            yield f"<details><summary>{count(len(rows), title)}</summary>\n\n{listed}{more}\n\n</details>\n"


def _when(change: Change) -> str:
    """When it goes out, who is delayed, and how long the provider may hold it."""
    told = [change.send_at or "now"]
    if change.delayed:
        who = "" if change.delayed == change.receivers else f"{change.delayed:,} "
        told.append(f"{who}delayed by quiet hours until {change.delayed_until}")
    if change.held_until:
        told.append(f"may be held as advertising until {change.held_until}")
    return "; ".join(told)


def _row(change: Change) -> str:
    low, high = change.parts["min"], change.parts["max"]
    parts = f"{low}" if low == high else f"{low} to {high}"
    about = "" if change.credits_exact else "about "
    cells = (
        change.action.value,
        change.address,
        f"{change.receivers:,}",
        f"{parts} {change.encoding}",
        f"{about}{change.credits:,.10g}",
        _when(change),
    )
    shown = cells if change.action in (Action.SEND, Action.REPLACE) else (*cells[:3], "", "", "")
    return f"| {' | '.join(map(_text, shown))} |"


def _text(text: str) -> str:
    """`text` as text and nothing else: every sign that Markdown, HTML or a mention could be made of is an entity."""
    return "".join(one if one.isalnum() or one in " ‹›" else f"&#{ord(one)};" for one in visible(text, newline=" "))


def _code(text: str) -> str:
    return visible(text, newline=" ").replace("`", "'")


def _fenced(text: str) -> str:
    """`text` in a fence that is longer than any in it, and without a line that a log of GitHub Actions would obey."""
    text = _COMMAND.sub(lambda found: f"{found.group()[:-1]}\\x{ord(found.group()[-1]):02x}", text)
    longest = max((len(run) for run in text.replace("\n", " ").split(" ") if set(run) == {"`"}), default=0)
    fence = "`" * max(4, longest + 1, text.count("`") + 1 if "```" in text else 0)
    return f"{fence}text\n{text}\n{fence}"
