"""Rows whose SMS take more parts than they have to, or than most of a message."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.blame import giver_of, made_plain
from smsdeclare.encoding import forcing, is_gsm
from smsdeclare.look_alikes import to_gsm
from smsdeclare.rates import bill
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.definitions import Message
    from smsdeclare.diagnostics import Span
    from smsdeclare.rates import Bill
    from smsdeclare.receivers import Receiver

#: So many rows of a kind are kept whole, and of the others only how many parts they take more.
_KEPT = 1_000
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
        #: Parts, less what characters of a row's own add → how many texts.
        self._by_parts = Counter[int]()
        self._foreign: list[Surcharge] = []
        #: Number → parts that its characters add, of the rows beyond those.
        self._more_foreign: dict[str, int] = {}
        #: Parts → rows whose texts are long, and the numbers of those beyond them.
        self._long: dict[int, list[Surcharge]] = {}
        self._more_long: dict[int, list[str]] = {}
        #: The names that a receiver has values for → whether the text is in Unicode whatever these are.
        self._is_unicode: dict[tuple[str, ...], bool] = {}

    def add(self, receiver: Receiver, text: str, cost: Bill) -> None:
        """Look at one receiver's text."""
        if cost.parts == 1:
            self._by_parts[1] += 1
            return
        values = receiver.values
        own = {name: values[name] for name in self._used if name in values}
        tame = cost.parts if cost.encoding == "gsm7" else bill(_tame(text), self._message.options).parts
        instead = cost.parts if tame == cost.parts else self._with_plain_values(own, text, tame)
        self._by_parts[min(instead, cost.parts)] += 1
        if instead < cost.parts:
            self._add_foreign(receiver, own, text, cost.parts, instead)
        elif tame == cost.parts:
            self._add_long(receiver, own, cost.parts)

    def rows(self) -> tuple[tuple[Surcharge, ...], dict[str, int]]:
        """The rows that cost more: than they would with GSM characters alone, or than most rows do.

        The first of them, and of the others the parts that each takes more, by its number.
        """
        found, more = list(self._foreign), dict(self._more_foreign)
        usual = max(self._by_parts, key=lambda parts: (self._by_parts[parts], -parts), default=1)
        for parts in sorted(self._long):
            if parts > usual:
                found += (row._replace(instead=usual) for row in self._long[parts])
                more.update(dict.fromkeys(self._more_long.get(parts, ()), parts - usual))
        return tuple(found), more

    def _add_foreign(self, receiver: Receiver, own: Mapping[str, str], text: str, parts: int, instead: int) -> None:
        if len(self._foreign) >= _KEPT:
            self._more_foreign[receiver.number] = parts - instead
            return
        blamed = [(one.character, giver_of(one.character, own)) for one in forcing(text)]
        characters = tuple(character for character, name in blamed if name is not None)
        name = next((name for _, name in blamed if name is not None), None)
        row = Surcharge(receiver.number, receiver.country, receiver.span, name, characters, parts, instead)
        self._foreign.append(row)

    def _add_long(self, receiver: Receiver, own: Mapping[str, str], parts: int) -> None:
        rows = self._long.setdefault(parts, [])
        if len(rows) >= _KEPT:
            self._more_long.setdefault(parts, []).append(receiver.number)
            return
        longest = max(own, key=lambda name: len(own[name]), default=None)
        rows.append(Surcharge(receiver.number, receiver.country, receiver.span, longest, (), parts, 0))

    def _with_plain_values(self, own: Mapping[str, str], text: str, tame: int) -> int:
        """How many parts the text takes where its receiver's own values force nothing; `tame`: where nothing does."""
        if not self._message.template.is_conditional:
            names = tuple(own)
            if names not in self._is_unicode:
                self._is_unicode[names] = not is_gsm(self._render(made_plain(own)) or "")
            return _MANY if self._is_unicode[names] else tame
        if all(giver_of(one.character, own) is None for one in forcing(text)):
            return _MANY
        texts = (self._render({name: _tame(value) for name, value in own.items()}), self._render(made_plain(own)))
        return min((bill(one, self._message.options).parts for one in texts if one is not None), default=_MANY)

    def _render(self, own: Mapping[str, str]) -> str | None:
        """The text with these values; None where a condition that hangs on them leaves nothing."""
        try:
            text = self._message.template.render(own, self._variables)
        except TemplateProblem:
            return None
        return to_gsm(text)[0] if self._message.normalizes else text


def _tame(value: str) -> str:
    """The text with look-alikes, and with an `x` for what has none."""
    text, _ = to_gsm(value)
    for found in forcing(text):
        text = text.replace(found.character, "x")
    return text
