"""Message × receivers → sends."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import codes, receivers
from smsdeclare.canonical import sha256_hex
from smsdeclare.diagnostics import Diagnostic, Related
from smsdeclare.encoding import forcing
from smsdeclare.errors import InputError
from smsdeclare.look_alikes import Swap, look_alike, to_gsm
from smsdeclare.rates import OFFLINE, Bill, Rates, bill, credits_of
from smsdeclare.reporter import did_you_mean
from smsdeclare.short_number import ShortNumber
from smsdeclare.surcharges import Surcharge, Surcharges
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.receivers import Findings, Receiver

#: How many receivers with a broken text are named one by one; the rest is counted.
_SHOWN_PROBLEMS = 20
#: So many characters that force Unicode are named.
_SHOWN_CHARACTERS = 8


class Text(NamedTuple):
    """One rendered text with what is known of it; shared by all sends that have it."""

    text: str
    #: sha256 over the UTF-8 bytes, hexadecimal.
    digest: str
    bill: Bill
    #: What `normalize` replaced, and the parts that this spares.
    swaps: tuple[Swap, ...] = ()
    spared: int = 0


class Send(NamedTuple):
    """One SMS to one receiver. A tuple, since there may be a million."""

    number: str
    text: Text
    credits: float
    credits_exact: bool
    #: ISO 3166 alpha-2; None where the prefix is shared.
    country: str | None = None


@dataclass(slots=True, kw_only=True)
class MessageSends:
    """All sends of one message, ordered by number."""

    message: Message
    sends: list[Send]
    sample: str
    findings: Findings
    #: The rows whose SMS take more parts than they have to, or than most.
    surcharges: Sequence[Surcharge] = ()
    #: Of rows beyond those, the parts that each takes more, by its number.
    more_surcharges: Mapping[str, int] = field(default_factory=dict)


def expand(definitions: Definitions, message: Message) -> MessageSends:
    """Render the message for each of its receivers, at cautious rates. Raises InputError as `rendered` does."""
    findings = receivers.Findings()
    forced = Counter[Text]()
    sends: list[Send] = []
    own: set[str] = set()
    dear = Surcharges(message, definitions.variables)
    short = ShortNumber(message)
    prices: dict[tuple[str | None, int, bool], tuple[float, bool]] = {}
    for receiver, text in rendered(definitions, message, receivers.expand(definitions, message, findings), findings):
        if not own.issuperset(receiver.values):
            own.update(receiver.values)
        short.look(receiver, text.text)
        if text.bill.encoding == "unicode":
            forced[text] += 1
        dear.add(receiver, text.text, text.bill)
        key = (receiver.country, text.bill.parts, text.bill.exact)
        price = prices.get(key)
        if price is None:
            rate = OFFLINE.of(receiver.number, receiver.country)
            price = (credits_of(text.bill.parts, rate), rate.exact and text.bill.exact)
            # Without a country it depends on the number.
            if receiver.country is not None:
                prices[key] = price
        sends.append(Send(receiver.number, text, *price, receiver.country))
    told = list(short.findings())
    if any(one.is_error for one in told):
        raise InputError(*told, *findings.warnings)
    findings.warnings += [*told, *_unicode_forced(message, forced)]
    if not sends:
        findings.warnings.append(Diagnostic(code=codes.NO_RECEIVERS, detail=message.address, span=message.to_span))
    sends.sort()
    rows, more_rows = dear.rows()
    return MessageSends(
        message=message,
        sends=sends,
        sample=sample_of(message, own, definitions.variables),
        findings=findings,
        surcharges=rows,
        more_surcharges=more_rows,
    )


def priced(one: MessageSends, rates: Rates, settled: Mapping[str, int]) -> MessageSends:
    """The same at other rates, and with the provider's own count of parts for some texts, by their digests."""
    texts = {
        digest: text._replace(bill=text.bill.settled(settled[digest]))
        for digest, text in {send.text.digest: send.text for send in one.sends}.items()
        if digest in settled
    }
    of_each = {send.country: send.number for send in one.sends}
    moved = any(
        country is None or rates.of(number, country) != OFFLINE.of(number, country)
        for country, number in of_each.items()
    )
    if not texts and not moved:
        return one
    found = []
    for send in one.sends:
        text = texts.get(send.text.digest, send.text)
        rate = rates.of(send.number, send.country)
        taken = credits_of(text.bill.parts, rate)
        found.append(Send(send.number, text, taken, rate.exact and text.bill.exact, send.country))
    return replace(one, sends=found)


def sample_of(message: Message, own: Collection[str], variables: Mapping[str, str]) -> str:
    """The text with a receiver's own values as ‹names›, normalized around them where the message asks for it."""
    sample = message.template.sample(own, variables)
    if not message.normalizes:
        return sample
    return "".join(
        piece if piece[:1] == "\u2039" else to_gsm(piece)[0] for piece in re.split("(\u2039[^\u203a]*\u203a)", sample)
    )


def normalized(texts: Mapping[Text, int]) -> Mapping[str, Any] | None:
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
    definitions: Definitions, message: Message, found: Iterable[Receiver], findings: Findings
) -> Iterator[tuple[Receiver, Text]]:
    """Each of the receivers with its text; equal texts are one value.

    Raises InputError at the end, with every receiver that the text has a hole for (the first twenty by name) and with
    what `findings` holds by then.
    """
    broken: list[tuple[Receiver, TemplateProblem]] = []
    failed = 0
    texts: dict[str, Text] = {}
    names = set(definitions.variables)
    plain = _plain(message, definitions.variables)
    for receiver in found:
        if not names.issuperset(receiver.values):
            names.update(receiver.values)
        try:
            written = plain or message.template.render(receiver.values, definitions.variables)
        except TemplateProblem as problem:
            failed += 1
            if failed <= _SHOWN_PROBLEMS:
                broken.append((receiver, problem))
            continue
        text = texts.get(written)
        if text is None:
            text = texts[written] = _text(written, message)
        if not text.text:
            failed += 1
            broken.append((receiver, TemplateProblem(codes.TEXT_EMPTY, "all of it can be left out")))
            continue
        yield receiver, text
    problems = [_problem(message, receiver, problem, names) for receiver, problem in broken]
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


def _unicode_forced(message: Message, texts: Mapping[Text, int]) -> Iterator[Diagnostic]:
    """The characters that are to blame, each once, with what could stand there instead and what that would save."""
    blamed = (one.character for text in texts for one in forcing(text.text))
    named = []
    for character in dict.fromkeys(blamed):
        instead = look_alike(character)
        hint = f" (`{instead}` would do)" if instead else ""
        named.append(f"`{character}` U+{ord(character):04X}{hint}")
    if named:
        more = f" and {len(named) - _SHOWN_CHARACTERS} more" if len(named) > _SHOWN_CHARACTERS else ""
        spared = sum(
            count * (text.bill.parts - bill(to_gsm(text.text)[0], message.options).parts)
            for text, count in texts.items()
        )
        saving = f"; look-alikes would save {spared:,} part{'' if spared == 1 else 's'}" if spared else ""
        detail = f"{message.address}: {', '.join(named[:_SHOWN_CHARACTERS])}{more}{saving}"
        yield Diagnostic(code=codes.UNICODE_FORCED, detail=detail, span=message.text_span)


def _text(written: str, message: Message) -> Text:
    if not message.normalizes:
        return Text(written, sha256_hex(written.encode()), bill(written, message.options))
    text, swaps = to_gsm(written)
    cost = bill(text, message.options)
    spared = bill(written, message.options).parts - cost.parts if swaps else 0
    return Text(text, sha256_hex(text.encode()), cost, swaps, spared)


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
