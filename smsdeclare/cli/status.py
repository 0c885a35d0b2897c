"""`smsdeclare status`."""

from __future__ import annotations

import click

from smsdeclare import address
from smsdeclare.cli import opening
from smsdeclare.cli.session import Session, shared_options
from smsdeclare.format import Standing
from smsdeclare.formats import json as json_format
from smsdeclare.formats.text import standings
from smsdeclare.states import State


@click.command()
@click.argument("wanted", required=False, metavar="[ADDRESS]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@shared_options
def command(session: Session, wanted: str | None, *, as_json: bool) -> None:
    """Show how many sends of each message stand where, by what the state knows."""
    place = address.parse(wanted) if wanted else None
    ledger = opening.ledger(opening.definitions(session))
    try:
        found: dict[tuple[str, int], dict[str, int]] = {}
        for tally in ledger.tallies():
            state = State.UNKNOWN if tally.state is State.INTENDED else tally.state
            counts = found.setdefault((tally.message, tally.revision), {})
            counts[state.value] = counts.get(state.value, 0) + tally.sends
        rows = [
            Standing(
                address=f"message.{message}@{revision}",
                counts=counts,
                credits=ledger.credits_taken(message, revision),
            )
            for (message, revision), counts in found.items()
            if place is None or (place.message == message and place.revision in (None, revision))
        ]
        stopped = ledger.stopped
    finally:
        ledger.close()
    session.out(json_format.standings(rows, stopped) if as_json else standings(rows, stopped))
