"""`smsdeclare status`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from smsdeclare import address
from smsdeclare.cli import opening
from smsdeclare.cli.rows import row_of, shown
from smsdeclare.cli.session import Explained, Session, format_option, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.format import Overview, Standing
from smsdeclare.formats import json as json_format
from smsdeclare.formats.text import standings

if TYPE_CHECKING:
    from collections.abc import Callable

    from smsdeclare.definitions import Definitions
    from smsdeclare.ledger import Ledger

#: So many sends in doubt are listed on a page; the rest is counted.
_LISTED = 100


@click.command(
    cls=Explained,
    examples="""
        smsdeclare status
        smsdeclare status message.order-shipped --json
        # One page for a browser, without a script or anything from elsewhere
        smsdeclare status --format html > status.html
    """,
)
@click.argument("wanted", required=False, metavar="[ADDRESS]")
@format_option("text", "json", "html")
@shared_options
def command(session: Session, wanted: str | None, *, format_name: str) -> None:
    """Show how many sends of each message stand where, and why some failed, by what the state knows.

    `smsdeclare refresh` asks the provider first.
    """
    place = address.parse(wanted) if wanted else None

    def is_wanted(message: str, revision: int) -> bool:
        return place is None or (place.message == message and place.revision in (None, revision))

    definitions = opening.definitions(session)
    ledger = opening.ledger(definitions)
    try:
        found: dict[tuple[str, int], dict[str, int]] = {}
        for tally in ledger.tallies():
            if is_wanted(tally.message, tally.revision):
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
        ]
        stopped = ledger.stopped and ledger.stopped._replace(reason=session.style.masked(ledger.stopped.reason))
        if format_name == "html":
            from smsdeclare.formats import html  # noqa: PLC0415 - only for its own output

            seen = _overview(session, definitions, ledger, is_wanted)
            session.out(html.overview(seen._replace(standings=rows, stopped=stopped)))
            return
    finally:
        ledger.close()
    session.out(
        json_format.standings(rows, stopped) if format_name == "json" else standings(rows, stopped, session.style)
    )


def _overview(
    session: Session, definitions: Definitions, ledger: Ledger, is_wanted: Callable[[str, int], bool]
) -> Overview:
    """What a page shows beside the standings."""
    spent: dict[str, float] = {}
    for one in ledger.spendings():
        if is_wanted(one.message, one.revision) and one.credits:
            spent[one.day] = spent.get(one.day, 0) + one.credits
    doubtful = (record for record in ledger.in_doubt() if is_wanted(record.message, record.revision))
    secret = ledger.secret or b""
    return Overview(
        project=definitions.project,
        provider=definitions.provider.name,
        at=timestamp(SystemClock().now()),
        standings=(),
        in_doubt=[
            row_of(record, secret, show_numbers=session.style.show_numbers) for record in islice(doubtful, _LISTED)
        ],
        spent=sorted(spent.items()),
        stopped=None,
    )
