"""Message × receivers → sends."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

from smsdeclare import codes, receivers
from smsdeclare.columns import NEAR, Gathering, Wording
from smsdeclare.diagnostics import Diagnostic, Related
from smsdeclare.encoding import foreign_in
from smsdeclare.errors import InputError
from smsdeclare.look_alikes import look_alike, to_gsm
from smsdeclare.rates import Bills
from smsdeclare.reporter import did_you_mean
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from smsdeclare.columns import Sends
    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.rates import Rates
    from smsdeclare.receivers import Findings, Receiver
    from smsdeclare.short_number import ShortNumber
    from smsdeclare.surcharges import Surcharge, Surcharges

#: How many receivers with a broken text are named one by one; the rest is counted.
_SHOWN_PROBLEMS = 20
#: So many characters that force Unicode are named.
_SHOWN_CHARACTERS = 8


@dataclass(slots=True, kw_only=True)
class MessageSends:
    """All sends of one message, ordered by number."""

    message: Message
    sends: Sends
    sample: str
    findings: Findings
    #: The rows whose SMS take more parts than they have to, or than most.
    surcharges: Sequence[Surcharge] = ()
    #: Of rows beyond those, the parts that each takes more, by its number.
    more_surcharges: Mapping[str, int] = field(default_factory=dict)


def expand(definitions: Definitions, message: Message) -> MessageSends:
    """Render the message for each of its receivers, at cautious rates. Raises InputError as `rendered` does."""
    findings = receivers.Findings()
    gathering = Gathering()
    forced = _Forced(message)
    own: set[str] = set()
    dear = _surcharges(definitions, message)
    short = _short_number(message)
    everybody = receivers.expand(definitions, message, findings)
    for receiver, wording in rendered(definitions, message, everybody, findings, own):
        if dear:
            dear.add(receiver, wording.text, wording.bill)
        if short:
            short.look(receiver, wording.text)
        if wording.bill.encoding == "unicode":
            forced.add(wording)
        gathering.add(receiver.number, receiver.country, wording)
    told = list(short.findings()) if short else []
    if any(one.is_error for one in told):
        raise InputError(*told, *findings.warnings)
    findings.warnings += [*told, *forced.warnings()]
    found = gathering.sends()
    if not found:
        findings.warnings.append(Diagnostic(code=codes.NO_RECEIVERS, detail=message.address, span=message.to_span))
    rows, more_rows = dear.rows() if dear else ((), {})
    return MessageSends(
        message=message,
        sends=found,
        sample=sample_of(message, own, definitions.variables),
        findings=findings,
        surcharges=rows,
        more_surcharges=more_rows,
    )


def _surcharges(definitions: Definitions, message: Message) -> Surcharges | None:
    """What looks for rows that cost more; None where the text is the same for all and costs nobody more than others."""
    if message.template.is_plain:
        return None
    from smsdeclare.surcharges import Surcharges  # noqa: PLC0415 - 4 ms with what it imports

    return Surcharges(message, definitions.variables)


def _short_number(message: Message) -> ShortNumber | None:
    """What looks for all that the short number does not carry; None where the message has a sender."""
    if message.sender is not None:
        return None
    from smsdeclare.short_number import ShortNumber  # noqa: PLC0415 - patterns that most messages have no use for

    return ShortNumber(message)


def priced(one: MessageSends, rates: Rates, settled: Mapping[str, int]) -> MessageSends:
    """The same at other rates, and with the provider's own count of parts for some texts, by their digests."""
    return replace(one, sends=one.sends.priced(rates, settled))


def sample_of(message: Message, own: Collection[str], variables: Mapping[str, str]) -> str:
    """The text with a receiver's own values as ‹names›, normalized around them where the message asks for it."""
    sample = message.template.sample(own, variables)
    if not message.normalizes:
        return sample
    return "".join(
        piece if piece[:1] == "\u2039" else to_gsm(piece)[0] for piece in re.split("(\u2039[^\u203a]*\u203a)", sample)
    )


def normalized(texts: Mapping[Wording, int]) -> Mapping[str, Any] | None:
    """What `normalize` did to texts, each with how many receivers have it, as the documents tell it; None: nothing."""
    swapped = Counter[tuple[str, str]]()
    for text, receivers_of_it in texts.items():
        for swap in text.swaps:
            swapped[swap.character, swap.instead] += swap.times * receivers_of_it
    if not swapped:
        return None
    return {
        "receivers": sum(texts.values()),
        "partsSaved": sum(text.spared * count for text, count in texts.items()),
        # Equally frequent ones by code point, so that no value can be read off the order.
        "replaced": [
            {"character": character, "instead": instead, "count": count}
            for (character, instead), count in sorted(swapped.items(), key=lambda item: (-item[1], item[0]))
        ],
    }


def rendered(
    definitions: Definitions,
    message: Message,
    found: Iterable[Receiver],
    findings: Findings,
    own: set[str] | None = None,
) -> Iterator[tuple[Receiver, Wording]]:
    """Each of the receivers with its text; the names of the values that they have go into `own`.

    Raises InputError at the end, with every receiver that the text has a hole for (the first twenty by name) and with
    what `findings` holds by then.
    """
    broken: list[tuple[Receiver, TemplateProblem]] = []
    failed = 0
    worded = _wording(message)
    names = set() if own is None else own
    plain = _plain(message, definitions.variables)
    if plain is not None and (same := worded(plain)).text:
        yield from zip(found, repeat(same))
        return
    for receiver in found:
        try:
            values = receiver.values
            if not names.issuperset(values):
                names.update(values)
            written = message.template.render(values, definitions.variables)
        except TemplateProblem as problem:
            failed += 1
            if failed <= _SHOWN_PROBLEMS:
                broken.append((receiver, problem))
            continue
        wording = worded(written)
        if not wording.text:
            failed += 1
            if failed <= _SHOWN_PROBLEMS:
                broken.append((receiver, TemplateProblem(codes.TEXT_EMPTY, "all of it can be left out")))
            continue
        yield receiver, wording
    known = names.union(definitions.variables)
    problems = [_problem(message, receiver, problem, known) for receiver, problem in broken]
    if failed > _SHOWN_PROBLEMS:
        detail = f"and {failed - _SHOWN_PROBLEMS} more receivers"
        problems.append(Diagnostic(code=problems[-1].code, detail=detail, span=message.text_span))
    if problems:
        # What else is odd about these receivers comes along, so that a user mends all of it at once.
        raise InputError(*problems, *findings.warnings, *(row.as_warning() for row in findings.skipped))


def _plain(message: Message, variables: Mapping[str, str]) -> str | None:
    """The text that is the same for everybody; None where it is not, or has a fault that each receiver is told of."""
    if message.template.is_plain:
        with suppress(TemplateProblem):
            return message.template.render({}, variables)
    return None


class _Forced:
    """Which characters force texts of one message into Unicode, and what look-alikes would save."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._bills = Bills(message.options)
        #: In the order in which they come first.
        self._characters: dict[str, None] = {}
        self._spared = 0
        #: Texts of late → the parts that look-alikes would save.
        self._near: dict[str, int] = {}

    def add(self, wording: Wording) -> None:
        """Count one SMS in Unicode."""
        spared = self._near.get(wording.text)
        if spared is None:
            if len(self._near) >= NEAR:
                self._near.clear()
            self._characters.update(dict.fromkeys(foreign_in(wording.text)))
            spared = wording.bill.parts - self._bills.of(to_gsm(wording.text)[0]).parts
            self._near[wording.text] = spared
        self._spared += spared

    def warnings(self) -> Iterator[Diagnostic]:
        """The characters that are to blame, each once, with what could stand there instead and what that would save."""
        named = []
        for character in self._characters:
            instead = look_alike(character)
            hint = f" (`{instead}` would do)" if instead else ""
            named.append(f"`{character}` U+{ord(character):04X}{hint}")
        if named:
            more = f" and {len(named) - _SHOWN_CHARACTERS} more" if len(named) > _SHOWN_CHARACTERS else ""
            parts = f"{self._spared:,} part{'' if self._spared == 1 else 's'}"
            saving = f"; look-alikes would save {parts}" if self._spared else ""
            detail = f"{self._message.address}: {', '.join(named[:_SHOWN_CHARACTERS])}{more}{saving}"
            yield Diagnostic(code=codes.UNICODE_FORCED, detail=detail, span=self._message.text_span)


def _wording(message: Message) -> Callable[[str], Wording]:
    """What becomes of the texts of a message, normalized where it asks for that; those of late are remembered."""
    bills = Bills(message.options)
    if not message.normalizes:
        # That takes no longer than to look among those of late, and most personal texts are not there.
        return lambda rendered: Wording(rendered, bills.of(rendered))

    @lru_cache(maxsize=NEAR)
    def worded(rendered: str) -> Wording:
        text, swaps = to_gsm(rendered)
        cost = bills.of(text)
        return Wording(text, cost, swaps, bills.of(rendered).parts - cost.parts if swaps else 0)

    return worded


def _problem(message: Message, receiver: Receiver, problem: TemplateProblem, known: Collection[str]) -> Diagnostic:
    """At the receiver's own row, since that is where a value is missing; the text is the related place.

    A name that is not among the `known` ones of any receiver is more likely a slip than a cell left empty.
    """
    slips = (did_you_mean(name, known) for name in problem.missing if name not in known)
    related = (Related(span=message.text_span, label="used here"),)
    return Diagnostic(
        code=problem.code,
        detail=problem.detail,
        span=receiver.span,
        path=f"messages.{message.name}.text",
        suggestion=next(slips, ""),
        related=related,
    )
