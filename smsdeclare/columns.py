"""The sends of one message in columns: a million of them take little more memory than their numbers and texts."""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, overload

from smsdeclare.rates import DESTINATIONS, OFFLINE, Bill, Rates, credits_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from smsdeclare.look_alikes import Swap

#: So many texts are remembered, since equal ones often come close together.
NEAR = 10_000
#: So many texts are packed together: of fewer more is left, of more opening one for a single text takes longer.
_PACK = 64
#: Between two of them. Of the control characters a text holds a new line and no other (SMS306).
_END = "\0"
#: So many packs are kept open.
_OPEN = 256
#: The least that zlib can do: more takes longer and saves little.
_LEVEL = 1
#: Of a sha256.
_BYTES = 32
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


class _Texts:
    """Each text once, by its place; what is known of them stands in columns, and they themselves are packed."""

    def __init__(self) -> None:
        #: Of each, which of the bills it has.
        self.bill_of = array("I")
        self.bills: list[Bill] = []
        #: Digits of a number → its wording, where `normalize` replaced something: texts that differ may become equal.
        self.swapped: dict[int, Wording] = {}
        #: sha256 over the UTF-8 bytes of each.
        self._digests = bytearray()
        #: The text whose digest was asked for last, and that.
        self._latest = -1, ""
        #: Deflated, as many texts in each as go in a pack.
        self._packs: list[bytes] = []
        #: Those that are in no pack yet.
        self._loose: list[str] = []
        #: Packs that were opened of late.
        self._open: dict[int, list[str]] = {}

    def append(self, text: str, bill: int) -> int:
        """One more; its place."""
        self._digests += sha256(text.encode()).digest()
        self._loose.append(text)
        if len(self._loose) == _PACK:
            self._packs.append(zlib.compress(_END.join(self._loose).encode(), _LEVEL))
            self._loose.clear()
        self.bill_of.append(bill)
        return len(self.bill_of) - 1

    def text(self, text: int) -> str:
        pack, at = divmod(text, _PACK)
        if pack == len(self._packs):
            return self._loose[at]
        found = self._open.get(pack)
        if found is None:
            if len(self._open) >= _OPEN:
                self._open.clear()
            found = self._open[pack] = zlib.decompress(self._packs[pack]).decode().split(_END)
        return found[at]

    def digest(self, text: int) -> str:
        # Many sends, one behind the other, may have the same.
        found = self._latest
        if found[0] != text:
            found = self._latest = text, self._digests[text * _BYTES : (text + 1) * _BYTES].hex()
        return found[1]

    def billed(self, parts: Mapping[str, int]) -> _Texts:
        """The same with another count of parts for some texts whose own is not exact, by their digests."""
        other = copy(self)
        other.bill_of, other.bills = array("I", self.bill_of), list(self.bills)
        places = {bill: place for place, bill in enumerate(other.bills)}
        for text, mine in enumerate(other.bill_of):
            counted = None if other.bills[mine].exact else parts.get(self.digest(text))
            if counted is not None:
                bill = other.bills[mine].settled(counted)
                if bill not in places:
                    places[bill] = len(other.bills)
                    other.bills.append(bill)
                other.bill_of[text] = places[bill]
        return other

    def united(self, texts: array[int]) -> array[int]:
        """A column of texts in which equal ones are one."""
        once: set[int] = set()
        twice: set[int] = set()
        with memoryview(self._digests).cast("q") as words, words[:: _BYTES // words.itemsize] as marks:
            # To sort them instead takes a tenth of a plan of a million texts.
            for mark in marks:
                (twice if mark in once else once).add(mark)
            del once
            again = [text for text, mark in enumerate(marks) if mark in twice] if twice else []
        first: dict[str, int] = {}
        same = {text: first.setdefault(self.digest(text), text) for text in again}
        return array("I", map(same.get, texts, texts)) if same else texts


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
        return Text(self.table.text(text), self.table.digest(text), self.table.bills[self.table.bill_of[text]])

    def digest(self, text: int) -> str:
        """The digest of a text by its place."""
        return self.table.digest(text)

    def each_text(self) -> Iterator[Text]:
        """The texts that some send has, each once, in the order in which they were first read."""
        return map(self.text, sorted(set(self.texts)))

    def swapped(self) -> dict[Wording, int]:
        """Texts in which `normalize` replaced something, each with how many sends have it."""
        found: dict[Wording, int] = {}
        for number in self.digits if self.table.swapped else ():
            if wording := self.table.swapped.get(number):
                found[wording] = found.get(wording, 0) + 1
        return found

    def priced(self, rates: Rates, parts: Mapping[str, int]) -> Sends:
        """The same at other rates, and with the provider's own count of parts for some texts, by their digests."""
        return replace(self, rates=rates, table=self.table.billed(parts) if parts else self.table)


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
        digits, texts, places = self._digits, self._table.united(self._texts), self._places
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
        if len(self._near) >= NEAR:
            self._near.clear()
        place = self._near[text] = table.append(text, bill)
        return place

    def _add_place(self, number: str, country: str | None) -> int:
        is_enough = country in DESTINATIONS
        where = Place(country, "" if is_enough else number[:_PREFIX])
        place = self._every_place.setdefault(where, len(self._every_place))
        if is_enough:
            self._by_country[country] = place
        return place
