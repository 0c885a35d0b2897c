"""Sends to be posted → what a reader should know of their cost: dear rows, doubts, what was replaced."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.look_alikes import look_alike

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smsdeclare.decisions import Decisions, Group
    from smsdeclare.plan import Summary
    from smsdeclare.sends import MessageSends
    from smsdeclare.surcharges import Surcharge

#: So many rows of a message are named; the rest is counted.
_ROWS = 10
#: So many characters of a row are named.
_CHARACTERS = 3
#: So many countries are named.
_PLACES = 10


def cost_warnings(one: MessageSends, decisions: Decisions, todo: Sequence[Group]) -> Iterator[Diagnostic]:
    """What is odd about the cost of a message's sends that are to be posted."""
    yield from _dear_rows(one, decisions, todo)
    unsure = [group for group in todo if not group.price.bill.exact]
    if unsure:
        most, count = max(group.price.bill.parts for group in unsure), sum(group.size for group in unsure)
        detail = f"{one.message.address}: for {count:,} SMS; counted are {most} parts at most"
        yield Diagnostic(code=codes.PARTS_UNSURE, detail=detail, span=one.message.span)
    guessed = [group for group in todo if group.price.bill.exact and not group.price.exact]
    if guessed:
        rates = sorted({round(group.price.credits / group.price.bill.parts, 6) for group in guessed})
        places = sorted({group.price.place.country or "a shared prefix" for group in guessed})
        more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
        counted = (
            f"counted is {rates[0]:g} a part"
            if len(rates) == 1
            else f"counted are {rates[0]:g} to {rates[-1]:g} a part"
        )
        count = sum(group.size for group in guessed)
        detail = f"{one.message.address}: {', '.join(places[:_PLACES])}{more}, for {count:,}; {counted}"
        yield Diagnostic(code=codes.RATE_UNKNOWN, detail=detail, span=one.message.to_span)


def credit_warnings(summary: Summary) -> Iterator[Diagnostic]:
    """Whether the account can pay for it."""
    if summary.credits_left is not None and summary.credits > summary.credits_left:
        detail = f"{summary.credits_left:,.10g} are left, the plan takes {summary.credits:,.10g}"
        yield Diagnostic(code=codes.CREDITS_INSUFFICIENT, detail=detail)


def rows_last(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The same with the rows that cost more at the end, where they crowd nothing else out."""
    return sorted(found, key=lambda one: one.code is codes.ROW_DEAR)


def surcharge_phrase(row: Surcharge, rate: float) -> str:
    """What a row costs more, and why; no value is told but a character that forces Unicode."""
    more = (row.parts - row.instead) * rate
    cost = f"{row.parts} parts instead of {row.instead}, {more:,.10g} credit{'' if more == 1 else 's'} more"
    where = f" in {row.name}" if row.name else ""
    if not row.characters:
        return f"{cost}: the text is long{f', most of all by {row.name}' if row.name else ''}"
    named = ", ".join(_named(character) for character in row.characters[:_CHARACTERS])
    others = len(row.characters) - _CHARACTERS
    verb = "force" if len(row.characters) > 1 else "forces"
    return f"{cost}: {named}{f' and {others} more' if others > 0 else ''}{where} {verb} Unicode"


def _named(character: str) -> str:
    instead = look_alike(character)
    hint = "" if instead is None else f" (`{instead}` would do)" if instead else " (can be left out)"
    return f"`{character}` U+{ord(character):04X}{hint}"


def _dear_rows(one: MessageSends, decisions: Decisions, todo: Sequence[Group]) -> Iterator[Diagnostic]:
    if not one.surcharges:
        return
    numbers = {row.number for row in one.surcharges} | one.more_surcharges.keys()
    mine = decisions.of(todo).to(numbers)
    rates = {}
    for number, bill, place in zip(mine.numbers, mine.bills, mine.places, strict=True):
        price = mine.price(bill, place)
        rates[number] = price.credits / price.bill.parts
    dear = [row for row in one.surcharges if row.number in rates]
    for row in islice(dear, _ROWS):
        detail = f"{one.message.address}: {surcharge_phrase(row, rates[row.number])}"
        yield Diagnostic(code=codes.ROW_DEAR, detail=detail, span=row.span)
    more = [(row.parts - row.instead) * rates[row.number] for row in dear[_ROWS:]]
    more += [parts * rates[number] for number, parts in one.more_surcharges.items() if number in rates]
    if more:
        detail = f"{one.message.address}: {len(more):,} more rows, {round(sum(more), 6):,.10g} credits more"
        yield Diagnostic(code=codes.ROW_DEAR, detail=detail, span=one.message.to_span)
