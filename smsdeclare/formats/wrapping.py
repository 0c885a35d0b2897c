"""Lines wrapped to a terminal: between words, never within a figure and its noun, a moment, an address or a command.

What fits nowhere stays where it stands, for the terminal to wrap: so it is still one line to who copies it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smsdeclare.formats.phrases import width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.format import Style

#: Colors, which take no columns.
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
#: Stands for a space that is no place to break; nothing that is shown holds it.
_GLUE = "\x00"
#: What stays in one piece beside single words: what is quoted, with what stands in its place and how often; a command
#: that ends a line; a figure and its noun.
_WHOLE = re.compile(
    r"`[^`\n]*`(?: -> `[^`\n]*`)?(?: [0-9,]+x)?|(?<=: )smsdeclare .*|(?<![^\s(])[0-9](?:[0-9,.:-]*[0-9])? (?=\S)"
)
#: Other spaces, such as those before a French colon, are there so that nothing breaks.
_WORD = re.compile(r"( *)([^ ]+)")
#: A line of a plan that says what is done: its details stand below it, this far in.
_CHANGE = re.compile(r"  [-+~=?] [a-z]")
_DETAIL = " " * 13
_QUOTED = re.compile(r" *\| ")
#: What a phone of the sandbox got stands behind its number.
_RECEIVED = re.compile(r"  \S+ <- ")


def fit(text: str, style: Style, under: int | None = None) -> str:
    """The text with every line that is too long for the terminal wrapped, its other rows indented, by `under` if given.

    What the rows begin with is never more than half of the terminal.
    """
    columns = style.columns
    if columns is None:
        return text
    return "\n".join(
        row for line in text.split("\n") for row in (_rows(line, columns, under) if _width(line) > columns else (line,))
    )


def _rows(line: str, columns: int, under: int | None) -> Iterator[str]:
    prefix = _prefix(_COLOR.sub("", line)) if under is None else " " * under
    if width(prefix) > columns // 2:
        prefix = prefix[:2]
    room = columns - width(prefix)

    def whole(found: re.Match[str]) -> str:
        # A command stays in one piece even where the terminal has to wrap it; what else is quoted need not.
        keeps = width(found[0]) <= room or "smsdeclare " in found[0]
        return found[0].replace(" ", _GLUE) if keeps else found[0]

    row = ""
    for gap, word in _WORD.findall(_WHOLE.sub(whole, line)):
        longer = f"{row}{gap}{word}"
        if not row or _width(longer) <= columns or _width(row) <= columns < _width(prefix + word):
            row = longer
        else:
            yield row.replace(_GLUE, " ")
            row = prefix + word
    yield row.replace(_GLUE, " ")


def _prefix(line: str) -> str:
    """What the other rows of a line begin with."""
    quoted = _QUOTED.match(line)
    if quoted:
        return quoted[0]
    received = _RECEIVED.match(line)
    if received:
        return " " * width(received[0])
    if _CHANGE.match(line):
        return _DETAIL
    indent = len(line) - len(line.lstrip())
    return " " * (indent if indent and "  " not in line.strip() else indent + 4)


def _width(line: str) -> int:
    return width(_COLOR.sub("", line))
