"""`smsdeclare status`."""

from __future__ import annotations

from dataclasses import replace

import click

from smsdeclare import address
from smsdeclare.cli import opening
from smsdeclare.cli.rows import shown
from smsdeclare.cli.session import Explained, Session, format_option, shared_options
from smsdeclare.format import Standing
from smsdeclare.formats import json as json_format
from smsdeclare.formats.text import standings


@click.command(
    cls=Explained,
    examples="""
        smsdeclare status
        smsdeclare status message.order-shipped --json
    """,
)
@click.argument("wanted", required=False, metavar="[ADDRESS]")
@format_option("text", "json")
@shared_options
def command(session: Session, wanted: str | None, *, format_name: str) -> None:
    """Show how many sends of each message stand where, and why some failed, by what the state knows.

    `smsdeclare refresh` asks the provider first.
    """
    place = address.parse(wanted) if wanted else None
    ledger = opening.ledger(opening.definitions(session))
    try:
        found: dict[tuple[str, int], dict[str, int]] = {}
        for tally in ledger.tallies():
            counts = found.setdefault((tally.message, tally.revision), {})
            counts[shown(tally.state)] = counts.get(shown(tally.state), 0) + tally.sends
        rows = [
            Standing(
                address=f"message.{message}@{revision}",
                counts=counts,
                credits=ledger.credits_taken(message, revision),
                reasons=[
                    (shown(state), session.style.masked(why), count)
                    for state, why, count in ledger.reasons(message, revision)
                ],
            )
            for (message, revision), counts in found.items()
            if place is None or (place.message == message and place.revision in (None, revision))
        ]
        stopped = ledger.stopped and replace(ledger.stopped, reason=session.style.masked(ledger.stopped.reason))
    finally:
        ledger.close()
    session.out(json_format.standings(rows, stopped) if format_name == "json" else standings(rows, stopped))
