"""Rows whose SMS take more parts than they have to, or than most of a message."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.blame import giver_of, made_plain
from smsdeclare.encoding import forcing
from smsdeclare.look_alikes import to_gsm
from smsdeclare.rates import bill
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from smsdeclare.definitions import Message
    from smsdeclare.diagnostics import Span
    from smsdeclare.rates import Bill
    from smsdeclare.receivers import Receiver

#: So many rows are kept for each number of parts; a message of which more rows are dear is dear as a whole.
_KEPT = 1_000
#: So many texts in Unicode are looked at closely, which takes 20 µs each.
_LOOKS = 20_000
#: More parts than any text has.
_MANY = 1_000_000


class Surcharge(NamedTuple):
    """A row that costs more."""

    #: E.164.
    number: str
    #: ISO 3166 alpha-2; None where the prefix is shared.
    country: str | None
    span: Span
    #: The column or key of the value that it is due to; None where the receiver has none that the text uses.
    name: str | None
    #: The characters that force the text into Unicode; empty where the text is long.
    characters: tuple[str, ...]
    parts: int
    #: The parts it would take without that.
    instead: int


class Surcharges:
    """Looks at the texts of a message, one receiver after the other."""

    def __init__(self, message: Message, variables: Mapping[str, str]) -> None:
        self._message = message
        self._used = sorted(message.template.names | message.template.row_columns)
        self._variables = variables
        self._looks = _LOOKS
        #: Parts, less what characters of a row's own add → how many texts.
        self._by_parts = Counter[int]()
        #: Parts → rows whose texts are long.
        self._long: dict[int, list[Surcharge]] = {}
        self._foreign: list[Surcharge] = []

    def add(self, receiver: Receiver, text: str, cost: Bill) -> None:
        """Look at one receiver's text."""
        if cost.parts == 1:
            self._by_parts[1] += 1
            return
        own = {name: receiver.values[name] for name in self._used if name in receiver.values}
        if cost.encoding == "unicode" and self._looks:
            self._looks -= 1
            found = self._by_characters(receiver, own, text, cost)
            self._by_parts[found.instead if found else cost.parts] += 1
            if found is not None and len(self._foreign) < _KEPT:
                self._foreign.append(found)
            if found is not None or bill(_tame(text), self._message.options).parts < cost.parts:
                return
        else:
            self._by_parts[cost.parts] += 1
        rows = self._long.setdefault(cost.parts, [])
        if len(rows) < _KEPT:
            longest = max(own, key=lambda name: len(own[name]), default=None)
            rows.append(Surcharge(receiver.number, receiver.country, receiver.span, longest, (), cost.parts, 0))

    def rows(self) -> Iterator[Surcharge]:
        """The rows that cost more: than they would with GSM characters alone, or than most rows do."""
        yield from self._foreign
        usual = max(self._by_parts, key=lambda parts: (self._by_parts[parts], -parts), default=1)
        for parts, rows in sorted(self._long.items()):
            if parts > usual:
                yield from (row._replace(instead=usual) for row in rows)

    def _by_characters(self, receiver: Receiver, own: Mapping[str, str], text: str, cost: Bill) -> Surcharge | None:
        """The row, if its own values make it dear: it takes fewer parts where these are plain."""
        blamed = [(one.character, giver_of(one.character, own)) for one in forcing(text)]
        characters = tuple(character for character, name in blamed if name is not None)
        if not characters:
            return None
        instead = min(self._parts(tamed) for tamed in ({n: _tame(value) for n, value in own.items()}, made_plain(own)))
        if instead >= cost.parts:
            return None
        name = next(name for _, name in blamed if name is not None)
        return Surcharge(receiver.number, receiver.country, receiver.span, name, characters, cost.parts, instead)

    def _parts(self, own: Mapping[str, str]) -> int:
        """How many parts the text with these values takes."""
        try:
            text = self._message.template.render(own, self._variables)
        except TemplateProblem:
            # A condition hangs on the values.
            return _MANY
        return bill(to_gsm(text)[0] if self._message.normalizes else text, self._message.options).parts


def _tame(value: str) -> str:
    """The value with look-alikes, and with an `x` for what has none."""
    text, _ = to_gsm(value)
    for found in forcing(text):
        text = text.replace(found.character, "x")
    return text
