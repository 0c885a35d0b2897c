"""Plans and runs for a part of the project: messages, or single sends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.address import parse
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.receivers import Findings
from smsdeclare.records import ref
from smsdeclare.redaction import mask_number
from smsdeclare.reporter import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from smsdeclare.address import Address
    from smsdeclare.columns import Sends
    from smsdeclare.definitions import Message
    from smsdeclare.ledger import Ledger
    from smsdeclare.sends import MessageSends


def select(expanded: Sequence[MessageSends], targets: Iterable[str], ledger: Ledger) -> list[MessageSends]:
    """What the targets name; everything where there are none.

    Raises InputError for a target that is no address or names nothing in the files.
    """
    wanted = [(text, parse(text)) for text in targets]
    if not wanted:
        return list(expanded)
    found: dict[str, MessageSends] = {}
    for text, place in wanted:
        here = [one for one in expanded if _names(place, one)]
        chosen = [one if not place.is_send else _only(one, place, ledger) for one in here]
        if not any(one.sends for one in chosen) and (place.is_send or not here):
            hint = did_you_mean(text, (one.message.address for one in expanded))
            detail = f"{text} names nothing in the files"
            raise InputError(Diagnostic(code=codes.ADDRESS_UNKNOWN, detail=detail, suggestion=hint))
        for one in chosen:
            found[one.message.name] = _together(found.get(one.message.name), one, here[0].sends)
    return [found[one.message.name] for one in expanded if one.message.name in found]


def without_numbers(targets: Iterable[str], ledger: Ledger) -> tuple[str, ...]:
    """The targets as a plan may hold them: a send by its ref, or before a state exists by its masked number."""
    named, secret = [], ledger.secret
    for text in targets:
        place = parse(text)
        if place.number is None or place.revision is None:
            named.append(text)
        elif secret is None:
            named.append(f"message.{place.message}@{place.revision}/{mask_number(place.number)}")
        else:
            short = ref(secret, place.message, place.revision, ledger.names(place.number)[0])
            named.append(f"message.{place.message}@{place.revision}#{short}")
    return tuple(named)


def names_only_sends_of(message: Message, targets: Iterable[str]) -> bool:
    """Whether the targets name single sends of a message and not the message itself."""
    mine = [place for place in map(parse, targets) if place.message == message.name]
    return bool(mine) and all(place.is_send for place in mine)


def check_savable(targets: Iterable[str], secret: bytes | None) -> None:
    """Raises InputError where a saved plan could not name its targets again."""
    if secret is None and any(parse(text).number is not None for text in targets):
        detail = "a target names a number, and before the first apply there are no refs to write instead"
        raise InputError(Diagnostic(code=codes.CANT_SAVE, detail=detail))


def _names(place: Address, one: MessageSends) -> bool:
    return place.message == one.message.name and place.revision in (None, one.message.revision)


def _only(one: MessageSends, place: Address, ledger: Ledger) -> MessageSends:
    secret = ledger.secret

    def is_meant(number: str) -> bool:
        if place.number is not None:
            return number == place.number
        return secret is not None and any(
            place.ref == ref(secret, one.message.name, one.message.revision, name) for name in ledger.names(number)
        )

    rows = [row for row, number in enumerate(one.sends.numbers) if is_meant(number)]
    return replace(one, sends=one.sends.chosen(rows), findings=Findings())


def _together(first: MessageSends | None, second: MessageSends, everybody: Sends) -> MessageSends:
    if first is None:
        return second
    return replace(first, sends=everybody.to({*first.sends.numbers, *second.sends.numbers}))
