"""The sends of one message in columns: a million of them take little more memory than their numbers and texts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, overload

from smsdeclare.canonical import sha256_hex
from smsdeclare.rates import DESTINATIONS, OFFLINE, Bill, Rates, credits_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from smsdeclare.look_alikes import Swap

#: So many texts are remembered, since equal ones often come close together, and so many digests are kept.
NEAR = 10_000
#: `+` and the longest prefix of a country.
_PREFIX = 4


# As a tuple it takes longer to make and to read, and there may be a million; nobody changes one.
@dataclass(slots=True, unsafe_hash=True)
class Wording:
    """One rendered text and what it counts as."""

    text: str
    bill: Bill
    #: What `normalize` replaced, and the parts that this spares.
    swaps: tuple[Swap, ...] = ()
    spared: int = 0


class Text(NamedTuple):
    """A text with what a state knows it by."""

    text: str
    #: sha256 over the UTF-8 bytes, hexadecimal.
    digest: str
    bill: Bill


class Place(NamedTuple):
    """Where a number is, as far as rates and quiet hours go."""

    #: ISO 3166 alpha-2; None where the prefix is shared.
    country: str | None
    #: How the number begins, where more hangs on that than on the country; else empty.
    prefix: str = ""


class Price(NamedTuple):
    """What one SMS takes."""

    bill: Bill
    place: Place
    credits: float
    exact: bool


class Send(NamedTuple):
    """One SMS to one receiver, made when it is asked for."""

    #: E.164.
    number: str
    text: Text
    price: Price


@dataclass(frozen=True, slots=True)
class _Texts:
    """Each text once, by its place."""

    #: UTF-8, one behind the other, and where each ends.
    written: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("Q", [0]))
    #: Of each, which of the bills it has.
    bill_of: array[int] = field(default_factory=lambda: array("I"))
    bills: list[Bill] = field(default_factory=list)
    #: Digits of a number → its wording, where `normalize` replaced something: texts that differ may become equal by it.
    swapped: dict[int, Wording] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)

    def text(self, text: int) -> bytearray:
        return self.written[self.ends[text] : self.ends[text + 1]]

    def digest(self, text: int) -> str:
        # Of more texts hardly any comes again soon.
        if len(self.bill_of) > NEAR:
            return sha256_hex(self.text(text))
        found = self.digests.get(text)
        if found is None:
            found = self.digests[text] = sha256_hex(self.text(text))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Sends(Sequence[Send]):
    """Sends of one message, ordered by number. What stands in a column is the place of a text, a bill, or a place."""

    #: E.164 without its `+`.
    digits: array[int]
    texts: array[int]
    places: array[int]
    table: _Texts
    every_place: Sequence[Place]
    rates: Rates = OFFLINE

    def __len__(self) -> int:
        """How many there are."""
        return len(self.digits)

    @overload
    def __getitem__(self, at: int) -> Send: ...
    @overload
    def __getitem__(self, at: slice) -> Sends: ...
    def __getitem__(self, at: int | slice) -> Send | Sends:
        """One of them, or some."""
        if isinstance(at, slice):
            return replace(self, digits=self.digits[at], texts=self.texts[at], places=self.places[at])
        price = self.price(self.table.bill_of[self.texts[at]], self.places[at])
        return Send(f"+{self.digits[at]}", self.text(self.texts[at]), price)

    @property
    def numbers(self) -> Iterator[str]:
        """E.164, ascending."""
        return map("+{}".format, self.digits)

    @property
    def bills(self) -> Iterator[int]:
        """The column of bills."""
        return map(self.table.bill_of.__getitem__, self.texts)

    def chosen(self, rows: Sequence[int]) -> Sends:
        """Those in some rows, in their order."""
        if len(rows) == len(self):
            return self
        return replace(
            self,
            digits=array("Q", map(self.digits.__getitem__, rows)),
            texts=array("I", map(self.texts.__getitem__, rows)),
            places=array("H", map(self.places.__getitem__, rows)),
        )

    def to(self, numbers: Collection[str]) -> Sends:
        """Those to some numbers."""
        return self.chosen([row for row, number in enumerate(self.numbers) if number in numbers])

    def price(self, bill: int, place: int) -> Price:
        """What an SMS of a bill takes at a place."""
        counted, where = self.table.bills[bill], self.every_place[place]
        rate = self.rates.of(where.prefix, where.country)
        return Price(counted, where, credits_of(counted.parts, rate), rate.exact and counted.exact)

    def credits(self, rows: Sequence[int]) -> float:
        """What those in some rows take."""
        alike = Counter((self.table.bill_of[self.texts[row]], self.places[row]) for row in rows)
        return sum(self.price(*cell).credits * count for cell, count in alike.items())

    def text(self, text: int) -> Text:
        """A text by its place."""
        return Text(self.table.text(text).decode(), self.table.digest(text), self.table.bills[self.table.bill_of[text]])

    def digest(self, text: int) -> str:
        """The digest of a text by its place."""
        return self.table.digest(text)

    def each_text(self) -> Iterator[Text]:
        """The texts that some send has, each once, in the order of the first send that has it."""
        return map(self.text, dict.fromkeys(self.texts))

    def swapped(self) -> dict[Wording, int]:
        """Texts in which `normalize` replaced something, each with how many sends have it."""
        found: dict[Wording, int] = {}
        for number in self.digits if self.table.swapped else ():
            if wording := self.table.swapped.get(number):
                found[wording] = found.get(wording, 0) + 1
        return found

    def priced(self, rates: Rates, parts: Mapping[str, int]) -> Sends:
        """The same at other rates, and with the provider's own count of parts for some texts, by their digests."""
        table = self.table
        if parts:
            table = replace(table, bill_of=array("I", table.bill_of), bills=list(table.bills))
            places = {bill: place for place, bill in enumerate(table.bills)}
            for text, mine in enumerate(table.bill_of):
                counted = None if table.bills[mine].exact else parts.get(table.digest(text))
                if counted is not None:
                    bill = table.bills[mine].settled(counted)
                    if bill not in places:
                        places[bill] = len(table.bills)
                        table.bills.append(bill)
                    table.bill_of[text] = places[bill]
        return replace(self, rates=rates, table=table)


class Gathering:
    """Takes sends in as they come."""

    def __init__(self) -> None:
        self._digits, self._texts, self._places = array("Q"), array("I"), array("H")
        self._table = _Texts()
        self._every_place: dict[Place, int] = {}
        #: Those of them that say all by their country.
        self._by_country: dict[str | None, int] = {}
        self._bills: dict[Bill, int] = {}
        #: Texts of late → their places.
        self._near: dict[str, int] = {}
        #: Of each text its hash: equal texts have equal ones.
        self._marks = array("q")

    def add(self, number: str, country: str | None, wording: Wording) -> None:
        """One more; no number comes twice."""
        text = self._near.get(wording.text)
        if text is None:
            text = self._add_text(wording)
        place = self._by_country.get(country)
        if place is None:
            place = self._add_place(number, country)
        digits = int(number)
        if wording.swaps:
            self._table.swapped[digits] = wording
        self._digits.append(digits)
        self._texts.append(text)
        self._places.append(place)

    def sends(self) -> Sends:
        """All of them; nothing is added after that."""
        self._unite()
        digits, texts, places = self._digits, self._texts, self._places
        # Ordered as texts, which is how a state orders its rows: of numbers that are equally long it is the same.
        is_alike = len(str(min(digits, default=0))) == len(str(max(digits, default=0)))
        if is_alike and len(self._table.bill_of) == len(self._every_place) == 1:
            return Sends(array("Q", sorted(digits)), texts, places, self._table, list(self._every_place))
        key = digits.__getitem__ if is_alike else lambda row: str(digits[row])
        # A million objects that lie about in no order are slow to walk, and that is done for each column.
        rows = array("I", sorted(range(len(digits)), key=key))
        return Sends(
            array("Q", map(digits.__getitem__, rows)),
            array("I", map(texts.__getitem__, rows)),
            array("H", map(places.__getitem__, rows)) if len(self._every_place) > 1 else places,
            self._table,
            list(self._every_place),
        )

    def _add_text(self, wording: Wording) -> int:
        table, text = self._table, wording.text
        bill = self._bills.get(wording.bill)
        if bill is None:
            bill = self._bills[wording.bill] = len(table.bills)
            table.bills.append(wording.bill)
        place = len(table.bill_of)
        table.bill_of.append(bill)
        table.written.extend(text.encode())
        table.ends.append(len(table.written))
        if len(self._near) >= NEAR:
            self._near.clear()
        self._near[text] = place
        self._marks.append(hash(text))
        return place

    def _add_place(self, number: str, country: str | None) -> int:
        is_enough = country in DESTINATIONS
        where = Place(country, "" if is_enough else number[:_PREFIX])
        place = self._every_place.setdefault(where, len(self._every_place))
        if is_enough:
            self._by_country[country] = place
        return place

    def _unite(self) -> None:
        """Make texts one that came again after they were forgotten."""
        # To sort them instead takes a tenth of a plan of a million texts.
        once: set[int] = set()
        twice: set[int] = set()
        for mark in self._marks:
            (twice if mark in once else once).add(mark)
        del once
        if not twice:
            return
        first: dict[bytes, int] = {}
        same = {
            text: first.setdefault(bytes(self._table.text(text)), text)
            for text, mark in enumerate(self._marks)
            if mark in twice
        }
        self._texts = array("I", map(same.get, self._texts, self._texts))
