"""Where the characters come from that force texts into Unicode."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from smsdeclare.encoding import forcing
from smsdeclare.look_alikes import look_alike
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from smsdeclare.definitions import Message
    from smsdeclare.diagnostics import Span
    from smsdeclare.receivers import Receiver

#: So many rows are named for each character; the rest is counted.
_ROWS = 3
#: All but what can't force Unicode, whatever a filter makes of it: `à` is in the GSM alphabet, but the `À` that `upper`
#: makes of it is not.
_UNSAFE = re.compile("[^\n -_a-~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a character comes from: the text as written, a variable, or a receiver's own value."""

    source: Literal["text", "variable", "value"]
    #: The variable, or the column or key of the value; None for the text.
    name: str | None
    #: The text, or the receiver's row; variables have none, since the environment may have set them.
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """A character that forces texts into Unicode."""

    character: str
    #: As Unicode calls it, in small letters; empty where it has none.
    name: str
    #: GSM characters that read nearly the same; empty where it can be left out, None where there are none.
    look_alike: str | None
    #: Whose texts have it.
    receivers: int
    #: Those of them whose own values have it.
    by_value: int
    #: The text or variable if it stands there, and the first rows of `by_value`.
    places: tuple[Place, ...]


@dataclass(slots=True)
class _Tally:
    """What is known so far of one character."""

    receivers: int = 0
    by_value: int = 0
    written: Place | None = None
    rows: list[Place] = field(default_factory=list)


class Blame:
    """Counts the characters of one message's texts, and says where to mend them."""

    def __init__(self, message: Message, variables: Mapping[str, str]) -> None:
        self._message = message
        self._used = sorted(message.template.names | message.template.row_columns)
        self._variables = {name: variables[name] for name in self._used if name in variables}
        self._tallies: dict[str, _Tally] = {}

    def __len__(self) -> int:
        """How many characters there are."""
        return len(self._tallies)

    def add(self, receiver: Receiver, text: str) -> None:
        """Count the characters of a text in Unicode."""
        values = receiver.values
        own = {name: values[name] for name in self._used if name in values}
        for found in forcing(text):
            tally = self._tallies.setdefault(found.character, _Tally())
            tally.receivers += 1
            giver = giver_of(found.character, own)
            if giver is not None:
                tally.by_value += 1
                if len(tally.rows) < _ROWS:
                    tally.rows.append(Place(source="value", name=giver, span=receiver.span))
            if tally.written is None and (giver is None or self._stays(found.character, own, self._variables)):
                tally.written = self._writer(found.character, own)

    def culprits(self) -> Iterator[Culprit]:
        """The most frequent first; equally frequent ones by code point, so that no value can be read off the order."""
        for character, tally in sorted(self._tallies.items(), key=lambda item: (-item[1].receivers, item[0])):
            yield Culprit(
                character=character,
                name=unicodedata.name(character, "").lower(),
                look_alike=look_alike(character),
                receivers=tally.receivers,
                by_value=tally.by_value,
                places=(*([tally.written] if tally.written else []), *tally.rows),
            )

    def _writer(self, character: str, own: Mapping[str, str]) -> Place:
        """The variable that brings the character, or the text."""
        variables = {name: value for name, value in self._variables.items() if name not in own}
        giver = giver_of(character, variables)
        if giver is None or self._stays(character, own, made_plain(variables)):
            return Place(source="text", name=None, span=self._message.text_span)
        return Place(source="variable", name=giver, span=None)

    def _stays(self, character: str, own: Mapping[str, str], variables: Mapping[str, str]) -> bool:
        """Whether the text has the character still where a receiver's own values are plain."""
        try:
            text = self._message.template.render(made_plain(own), variables)
        except TemplateProblem:
            # A condition hangs on the values, and without them nothing is left to say.
            return False
        return character in text


def giver_of(character: str, values: Mapping[str, str]) -> str | None:
    """The value that holds the character, or that a filter for capitals makes it of."""
    each = (
        name
        for name, value in values.items()
        if character in value or character in value.upper() or character in value.lower() or character in value.title()
    )
    return next(each, None)


def made_plain(values: Mapping[str, str]) -> dict[str, str]:
    """The values with nothing in them that could force Unicode."""
    return {name: _UNSAFE.sub("x", value) for name, value in values.items()}
