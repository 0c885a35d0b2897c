"""Addresses on the command line → records of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare import address
from smsdeclare.records import ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Record


def records_of(ledger: Ledger, wanted: str | None) -> Iterator[Record]:
    """The records that an address names; all of them without one. Raises InputError where it is none."""
    if wanted is None:
        yield from ledger.records()
        return
    place = address.parse(wanted)
    secret = ledger.secret or b""
    names = ledger.names(place.number) if place.number is not None else None
    for record in ledger.records(place.message, place.revision):
        if names is not None and record.number not in names:
            continue
        if place.ref in (None, ref(secret, record.message, record.revision, record.number)):
            yield record
