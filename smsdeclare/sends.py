"""Message × receivers → sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes, receivers
from smsdeclare.canonical import sha256_hex
from smsdeclare.diagnostics import Diagnostic, Related
from smsdeclare.encoding import forcing, look_alike
from smsdeclare.errors import InputError
from smsdeclare.rates import Bill, bill, credits_of
from smsdeclare.reporter import did_you_mean
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

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


class Send(NamedTuple):
    """One SMS to one receiver. A tuple, since there may be a million."""

    number: str
    text: Text
    credits: float
    credits_exact: bool


@dataclass(slots=True, kw_only=True)
class MessageSends:
    """All sends of one message, ordered by number."""

    message: Message
    sends: list[Send]
    sample: str
    findings: Findings


def expand(definitions: Definitions, message: Message) -> MessageSends:
    """Render the message for each of its receivers. Raises InputError as `rendered` does."""
    findings = receivers.Findings()
    forced: dict[str, Text] = {}
    sends: list[Send] = []
    own: set[str] = set()
    for receiver, text in rendered(definitions, message, receivers.expand(definitions, message, findings), findings):
        own.update(receiver.values)
        if text.bill.encoding == "unicode":
            forced[text.digest] = text
        credits_taken, known = credits_of(text.bill.parts, receiver.country)
        sends.append(Send(receiver.number, text, credits_taken, known and text.bill.exact))
    findings.warnings += _unicode_forced(message, forced.values())
    if not sends:
        findings.warnings.append(Diagnostic(code=codes.NO_RECEIVERS, detail=message.address, span=message.to_span))
    sends.sort()
    return MessageSends(
        message=message,
        sends=sends,
        sample=message.template.sample(own, definitions.variables),
        findings=findings,
    )


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
    for receiver in found:
        names.update(receiver.values)
        try:
            written = message.template.render(receiver.values, definitions.variables)
        except TemplateProblem as problem:
            failed += 1
            if failed <= _SHOWN_PROBLEMS:
                broken.append((receiver, problem))
            continue
        yield receiver, texts.get(written) or texts.setdefault(written, _text(written, message.options))
    problems = [_problem(message, receiver, problem, names) for receiver, problem in broken]
    if failed > _SHOWN_PROBLEMS:
        detail = f"and {failed - _SHOWN_PROBLEMS} more receivers"
        problems.append(Diagnostic(code=problems[-1].code, detail=detail, span=message.text_span))
    if problems:
        # What else is odd about these receivers comes along, so that a user mends all of it at once.
        raise InputError(*problems, *findings.warnings, *(row.as_warning() for row in findings.skipped))


def _unicode_forced(message: Message, texts: Iterable[Text]) -> Iterator[Diagnostic]:
    """The characters that are to blame, each once, with what could stand there instead."""
    blamed = (one.character for text in texts if text.bill.encoding == "unicode" for one in forcing(text.text))
    named = []
    for character in dict.fromkeys(blamed):
        instead = look_alike(character)
        hint = f" (`{instead}` would do)" if instead else ""
        named.append(f"`{character}` U+{ord(character):04X}{hint}")
    if named:
        more = f" and {len(named) - _SHOWN_CHARACTERS} more" if len(named) > _SHOWN_CHARACTERS else ""
        detail = f"{message.address}: {', '.join(named[:_SHOWN_CHARACTERS])}{more}"
        yield Diagnostic(code=codes.UNICODE_FORCED, detail=detail, span=message.text_span)


def _text(written: str, options: Mapping[str, object]) -> Text:
    return Text(written, sha256_hex(written.encode()), bill(written, options))


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
