"""`smsdeclare preview`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smsdeclare import codes, preview
from smsdeclare.address import Address, parse
from smsdeclare.cli import opening
from smsdeclare.cli.session import Explained, Session, format_option, shared_options
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from smsdeclare.definitions import Definitions, Message


@click.command(
    cls=Explained,
    examples="""
        smsdeclare preview
        # One message
        smsdeclare preview message.order-shipped
        # What one receiver gets, word for word
        smsdeclare preview message.order-shipped@1/+33639980001 --show-numbers
    """,
)
@click.argument("wanted", required=False, metavar="[ADDRESS]")
@format_option("text", "json")
@shared_options
def command(session: Session, wanted: str | None, *, format_name: str) -> None:
    """Show each text as a phone would: encoding, parts, STOP clause and credits. Offline.

    ADDRESS is a message, or one send of it; without it, all messages that are enabled. The example is a receiver whose
    text takes the most parts. Counts and splits are those of the real text; shown it has the receiver's own values as
    ‹names›, unless numbers are shown.
    """
    definitions = opening.definitions(session)
    place = parse(wanted) if wanted else None
    messages = [message for message in definitions.messages if place is None or _names(place, message)]
    is_meant = _receiver_test(definitions, place, wanted) if wanted and place and place.is_send else None
    found = preview.preview_all(definitions, messages, is_meant, opening.known_rates(definitions))
    if place and not any(one.receivers or not place.is_send for one in found):
        raise InputError(_unknown(definitions, place, wanted))
    if format_name == "json":
        from smsdeclare.formats.json import previews  # noqa: PLC0415 - a preview has to be there at once
    else:
        from smsdeclare.formats.bubble import previews  # noqa: PLC0415 - as above
    session.out(previews(found, session.style))


def _names(place: Address, message: Message) -> bool:
    return place.message == message.name and place.revision in (None, message.revision)


def _receiver_test(definitions: Definitions, place: Address, wanted: str) -> Callable[[Message, str], bool]:
    """Whether a number of a message is the one that the address names."""
    if place.number is not None:
        return lambda _, number: number == place.number
    from smsdeclare.records import ref  # noqa: PLC0415 - as above

    # Only a ref needs the state: the secret that refs are made with.
    ledger = opening.ledger(definitions)
    try:
        secret = ledger.secret
    finally:
        ledger.close()
    if secret is None:
        raise InputError(
            Diagnostic(
                code=codes.ADDRESS_UNKNOWN,
                detail=f"{wanted}: there are no refs before the first apply",
                suggestion="Name the receiver by number: message.NAME@REVISION/NUMBER.",
            )
        )
    return lambda message, number: place.ref == ref(secret, message.name, message.revision, number)


def _unknown(definitions: Definitions, place: Address, wanted: str | None) -> Diagnostic:
    """What the files have instead."""
    here = next((message for message in definitions.messages if message.name == place.message), None)
    if here is not None and not _names(place, here):
        why = f"the files have `{here.address}`"
    elif here is not None:
        why = "it is no receiver of the message"
    elif place.message in definitions.names:
        why = "the message is not enabled"
    else:
        why = "the files have no message of that name"
    return Diagnostic(
        code=codes.ADDRESS_UNKNOWN,
        detail=f"{wanted}: {why}",
        suggestion="`smsdeclare preview` shows all messages with their addresses.",
    )
