"""Message × receivers → what phones would show: encoding and what forces it, parts and where they split, credits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import receivers, sends
from smsdeclare.blame import Blame, Culprit
from smsdeclare.diagnostics import Diagnostic, by_place
from smsdeclare.encoding import STOP_CLAUSE, Encoding, measure, room, split
from smsdeclare.errors import InputError
from smsdeclare.look_alikes import to_gsm
from smsdeclare.rates import OFFLINE, Rates, StopClause, credits_of, stop_clause
from smsdeclare.redaction import mask_text
from smsdeclare.surcharges import Surcharge, Surcharges
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from smsdeclare.columns import Wording
    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.diagnostics import Span
    from smsdeclare.receivers import Receiver

#: So many characters that force Unicode are told apart; the rest is counted.
_CHARACTERS = 10
#: So many rows that cost more are named; the rest is counted.
_ROWS = 10
#: The private characters of plane 15, which no filter changes.
_FIRST_MARK = 0xF0000


class Cost(NamedTuple):
    """What one SMS to a receiver comes to."""

    encoding: Encoding
    parts: int
    credits: float
    #: False where the provider's published rules leave room; `parts` and `credits` are then the larger figures.
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One receiver with the text that goes out."""

    #: E.164.
    number: str
    span: Span
    #: Own values and all, without the STOP clause.
    text: str
    #: The same with own values as ‹names› and numbers masked, as a plan shows it.
    sample: str
    #: What is behind the text: the STOP clause, with a placeholder for its number, or nothing.
    clause: str
    cost: Cost
    parts_without_clause: int
    #: The parts, as in the sample; None where a part's end in the text has no place in it.
    veiled: tuple[str, ...] | None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts in order; joined they are the text and the clause."""
        return tuple(split(self.text + self.clause))

    @property
    def units(self) -> int:
        """Septets, or UTF-16 code units, of text and clause."""
        return measure(self.text + self.clause).units

    @property
    def room(self) -> int:
        """Units left in the last part."""
        return room(self.text + self.clause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the phones of a message's receivers would show."""

    address: str
    #: Each cost that occurs with how many receivers have it, the lowest first.
    costs: Mapping[Cost, int]
    stop_clause: StopClause
    #: One whose text takes the most parts; None where there is nobody.
    example: Example | None
    #: Whose text is in Unicode.
    in_unicode: int
    #: The most frequent ones first.
    culprits: tuple[Culprit, ...]
    #: Characters that force Unicode beyond those.
    more_characters: int
    #: Rows that were left out.
    skipped: int
    #: What `normalize` replaced, as `sends.normalized` has it.
    normalized: Mapping[str, Any] | None
    #: Rows that cost more, each with the credits of a part.
    dear: tuple[tuple[Surcharge, float], ...]
    #: Such rows beyond those.
    more_dear: int

    @property
    def receivers(self) -> int:
        """How many there are."""
        return sum(self.costs.values())

    @property
    def credits(self) -> float:
        """What all of them take."""
        return round(sum(cost.credits * count for cost, count in self.costs.items()), 6)

    @property
    def is_exact(self) -> bool:
        """Whether `credits` is what the provider will take for sure."""
        return all(cost.exact for cost in self.costs)


def preview_all(
    definitions: Definitions,
    messages: Iterable[Message],
    is_meant: Callable[[Message, str], bool] | None = None,
    rates: Rates = OFFLINE,
) -> list[Preview]:
    """Every one of the messages, for the one receiver whose number `is_meant` lets through, or for all.

    Raises InputError with the problems of all messages at once.
    """
    found = []
    problems: list[Diagnostic] = []
    for message in messages:
        try:
            found.append(_preview(definitions, message, is_meant, rates))
        except InputError as error:
            problems.extend(error.diagnostics)
    if problems:
        raise InputError(*by_place(problems))
    return found


def _preview(
    definitions: Definitions, message: Message, is_meant: Callable[[Message, str], bool] | None, rates: Rates
) -> Preview:
    findings = receivers.Findings()
    everybody = receivers.expand(definitions, message, findings)
    if is_meant is not None:
        everybody = islice((one for one in everybody if is_meant(message, one.number)), 1)
    costs = Counter[Cost]()
    blame = Blame(message, definitions.variables)
    dear = Surcharges(message, definitions.variables)
    swapped: Counter[Wording] = Counter()
    dearest: tuple[Receiver, Wording] | None = None
    for receiver, text in sends.rendered(definitions, message, everybody, findings):
        costs[_cost(receiver, text, rates)] += 1
        dear.add(receiver, text.text, text.bill)
        if text.swaps:
            swapped[text] += 1
        if text.bill.encoding == "unicode":
            blame.add(receiver, text.text)
        if dearest is None or _weight(text) > _weight(dearest[1]):
            dearest = receiver, text
    rows, more_rows = dear.rows()
    return Preview(
        address=message.address,
        costs={cost: costs[cost] for cost in sorted(costs, key=lambda cost: (cost.credits, cost))},
        stop_clause=stop_clause(message.options),
        example=dearest and _example(definitions, message, *dearest, rates),
        in_unicode=sum(count for cost, count in costs.items() if cost.encoding == "unicode"),
        culprits=tuple(islice(blame.culprits(), _CHARACTERS)),
        more_characters=max(0, len(blame) - _CHARACTERS),
        skipped=len(findings.skipped) if is_meant is None else 0,
        normalized=sends.normalized(swapped),
        dear=tuple((row, rates.of(row.number, row.country).credits) for row in islice(rows, _ROWS)),
        more_dear=max(0, len(rows) - _ROWS) + len(more_rows),
    )


def _cost(receiver: Receiver, text: Wording, rates: Rates) -> Cost:
    rate = rates.of(receiver.number, receiver.country)
    return Cost(text.bill.encoding, text.bill.parts, credits_of(text.bill.parts, rate), rate.exact and text.bill.exact)


def _weight(text: Wording) -> tuple[int, bool, int]:
    """What makes one text the better example than another: parts, then Unicode, then length."""
    return text.bill.parts, text.bill.encoding == "unicode", len(text.text)


def _example(definitions: Definitions, message: Message, receiver: Receiver, text: Wording, rates: Rates) -> Example:
    template, variables = message.template, definitions.variables
    values = receiver.values
    own = {name: values[name] for name in template.names | template.row_columns if name in values}
    sample = sends.sample_of(message, own, variables) if own else text.text
    # Where it may be added it is shown as well, since the bill counts it.
    clause = "" if stop_clause(message.options) == "none" else STOP_CLAUSE
    veiled = _cut_alike(text.text, _shape(message, own, variables), sample, clause)
    return Example(
        number=receiver.number,
        span=receiver.span,
        text=text.text,
        sample=mask_text(sample),
        clause=clause,
        cost=_cost(receiver, text, rates),
        parts_without_clause=measure(text.text).parts,
        veiled=veiled and _mask_across(veiled),
    )


def _mask_across(parts: Sequence[str]) -> tuple[str, ...]:
    """The parts with the numbers in them masked, also one that stands across a border."""
    whole = mask_text("".join(parts))
    ends = accumulate((len(part) for part in parts), initial=0)
    return tuple(whole[start:end] for start, end in pairwise(ends))


def _shape(message: Message, own: Mapping[str, str], variables: Mapping[str, str]) -> list[str]:
    """Each character of the text, or the ‹name› of the own value that it is of. Empty where that can't be told."""
    marks = {chr(_FIRST_MARK + place): name for place, name in enumerate(sorted(own))}
    lengths = {name: len(to_gsm(value)[0] if message.normalizes else value) for name, value in own.items()}
    try:
        text = message.template.render({name: mark * lengths[name] for mark, name in marks.items()}, variables)
    except TemplateProblem:
        return []
    # A look-alike takes no private character for another.
    text = to_gsm(text)[0] if message.normalizes else text
    return [f"\u2039{marks[character]}\u203a" if character in marks else character for character in text]


def _cut_alike(text: str, shape: Sequence[str], sample: str, clause: str) -> tuple[str, ...] | None:
    """The sample and the clause, cut where `text` and the clause are; a cut within an own value falls behind its name.

    None where the sample is another text than the shape: where a filter counts or cuts, or a value meets itself.
    """
    parts = split(text + clause)
    if len(parts) == 1:
        return (sample + clause,)
    if len(shape) != len(text):
        return None
    # Where each character of the text stands in the sample.
    places = [0]
    for before, shown, character in zip(["", *shape], shape, text, strict=False):
        is_own = len(shown) > 1
        piece = "" if is_own and shown == before else shown
        start, end = places[-1], places[-1] + len(piece)
        if sample[start:end].casefold() != piece.casefold() or not (is_own or shown == character):
            return None
        places.append(end)
    if places[-1] != len(sample):
        return None
    places += range(len(sample) + 1, len(sample + clause) + 1)
    cuts = accumulate((len(part) for part in parts), initial=0)
    return tuple((sample + clause)[places[start] : places[end]] for start, end in pairwise(cuts))
