"""Previews for people: the text in a bubble as on a phone, its parts marked, and what forces Unicode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smsdeclare.costs import surcharge_phrase
from smsdeclare.formats.phrases import Color, count, line, normalizing, paint, width
from smsdeclare.formats.wrapping import fit
from smsdeclare.redaction import mask_number, mask_text, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smsdeclare.blame import Culprit, Place
    from smsdeclare.diagnostics import Span
    from smsdeclare.format import Style
    from smsdeclare.preview import Cost, Example, Preview

#: About what a phone has beside its margins. Columns.
COLUMNS = 32
#: What frames are made of, and nothing else.
_FRAME = frozenset("╭╮├┤╰╯│")


def previews(found: Sequence[Preview], style: Style) -> str:
    """What the phones of each message's receivers would show."""
    return "\n".join("".join(f"{row}\n" for row in _fitted(one, style)) for one in found) or "No messages.\n"


def _fitted(one: Preview, style: Style) -> Iterator[str]:
    """Its lines as the terminal can take them; a frame is what it is."""
    return (row if _FRAME & set(row) else fit(row, style) for row in _lines(one, style))


def _lines(one: Preview, style: Style) -> Iterator[str]:
    about = "" if one.is_exact else "about "
    head = f"{line(one.address)}   {count(one.receivers, 'receiver')}   {about}{count(one.credits, 'credit')}"
    yield paint(head, Color.HEAD, style)
    for cost, receivers in one.costs.items():
        yield f"  {_cost(cost)}: {count(receivers, 'receiver')}"
    if one.skipped:
        yield f"  {count(one.skipped, 'row')} skipped; `smsdeclare validate` says which and why"
    if one.normalized:
        yield f"  {normalizing(one.normalized)}"
    if one.example:
        yield ""
        yield from _example(one.example, one, style)
    if one.culprits:
        yield ""
        yield f"  What forces {count(one.in_unicode, 'text')} into Unicode:"
        yield from (f"    {_culprit(culprit)}" for culprit in one.culprits)
    if one.more_characters:
        yield f"    and {count(one.more_characters, 'more character')}"
    if one.dear:
        yield ""
        yield "  What makes rows cost more:"
        for row, rate in one.dear:
            yield f"    {_place(row.span)}: {line(surcharge_phrase(row, rate))}"
    if one.more_dear:
        yield f"    and {count(one.more_dear, 'more row')}"


def _example(example: Example, one: Preview, style: Style) -> Iterator[str]:
    number = example.number if style.show_numbers else mask_number(example.number)
    which = "" if len(one.costs) == 1 else ", one of the dearest"
    yield f"  {number} ({_place(example.span)}){which}: {_cost(example.cost)}"
    parts = example.parts if style.show_numbers else example.veiled
    yield from (f"  {row}" for row in bubble(parts or (example.sample + example.clause,), style))
    twice = " (some count two)" if example.units != len(example.text + example.clause) else ""
    counted = count(len(example.parts), "part")
    yield f"  {count(example.units, 'character')}{twice} in {counted}, room for {example.room} more"
    if example.sample != example.text and not style.show_numbers:
        what = "shows them" if parts else "shows them and where the parts split"
        hidden = "Numbers" if mask_text(example.text) == example.sample else "The receiver's own values"
        yield f"  {hidden} are hidden; --show-numbers {what}"
    if one.stop_clause != "none":
        may, why = ("may add", ", although the sender is no name") if one.stop_clause == "possible" else ("adds", "")
        without = count(example.parts_without_clause, "part")
        spared = f"; without it {without}" if example.parts_without_clause < len(example.parts) else ""
        yield f"  OVHcloud {may} a STOP clause, {len(example.clause)} characters{why}{spared}"


def _cost(cost: Cost) -> str:
    about = "" if cost.exact else "about "
    return f"{cost.encoding}, {count(cost.parts, 'part')}, {about}{count(cost.credits, 'credit')}"


def _culprit(culprit: Culprit) -> str:
    """A character, what would do instead, and the first places that it comes from."""
    character, instead = culprit.character, culprit.look_alike
    # A letter speaks for itself; one of the many spaces and dashes needs its name.
    name = f" {culprit.name}" if culprit.name and not character.isalpha() else ""
    hint = "" if instead is None else f" (`{instead}` would do)" if instead else " (can be left out)"
    origins = [_origin(place) for place in culprit.places]
    more = culprit.by_value - sum(place.source == "value" for place in culprit.places)
    if more:
        origins.append(f"and {count(more, 'more row')}")
    head = f"`{line(character)}` U+{ord(character):04X}{name}{hint}"
    return f"{head}, {count(culprit.receivers, 'receiver')}: {', '.join(origins)}"


def _origin(place: Place) -> str:
    if place.span is None:
        return f"the variable {place.name}"
    named = "the text" if place.source == "text" else line(place.name)
    return f"{_place(place.span)} {named}".rstrip()


def _place(span: Span) -> str:
    return f"{line(span.file)}:{span.line}"


def bubble(parts: Sequence[str], style: Style) -> Iterator[str]:
    """The lines of a frame around the parts; where there are several, a line above each says which it is.

    Only the frame has a color; the text keeps that of the terminal.
    """
    side = paint("│", Color.QUIET, style)
    for number, part in enumerate(parts, start=1):
        label = f"─ part {number} of {len(parts)} " if len(parts) > 1 else ""
        left, right = ("╭", "╮") if number == 1 else ("├", "┤")
        yield paint(f"{left}{label:─<{COLUMNS + 2}}{right}", Color.QUIET, style)
        for row in wrapped(visible(part), COLUMNS):
            # White space at the end of a line may hang over the margin, as it does on a phone.
            seen = row.rstrip(" \n")
            yield f"{side} {seen}{' ' * (COLUMNS - width(seen))} {side}"
    yield paint(f"╰{'─' * (COLUMNS + 2)}╯", Color.QUIET, style)


def wrapped(text: str, columns: int) -> Iterator[str]:
    """The rows of `text`, joined they are `text`; broken behind spaces, or within a word longer than a row.

    Apart from the spaces and the line break at its end, no row is wider than `columns`, which must be at least 2.
    """
    row, used = "", 0
    for word in re.findall(r"[^ \n]+ *\n?| +\n?|\n", text):
        letters = word.rstrip(" \n")
        if row and used + width(letters) > columns:
            yield row
            row, used = "", 0
        for character in letters:
            if used + width(character) > columns:
                yield row
                row, used = "", 0
            row += character
            used += width(character)
        row += word[len(letters) :]
        used += len(word) - len(letters)
        if word.endswith("\n"):
            yield row
            row, used = "", 0
    if row:
        yield row
