"""`smsdeclare state`: prune, forget and hash-numbers."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import click

from smsdeclare import codes, phone
from smsdeclare.cli import environment, opening
from smsdeclare.cli.addressing import records_of
from smsdeclare.cli.lease import Holder
from smsdeclare.cli.session import DURATION, Explained, Session, agree, shared_options
from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError, StateError
from smsdeclare.formats.phrases import count
from smsdeclare.ledgers.naming import Numbers
from smsdeclare.records import ERASED, Key, ref

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import timedelta

    from smsdeclare.ledger import Ledger
    from smsdeclare.ledgers.relational import RelationalLedger

#: A ref without its address.
_REF = re.compile(r"#?([0-9a-z]{8})")
_APPROVE = click.option("--auto-approve", is_flag=True, help="Do not ask.")


@click.command(
    cls=Explained,
    examples="""
        # In a job that runs once a month
        smsdeclare state prune --older-than 90d --auto-approve
    """,
)
@click.option("--older-than", "age", type=DURATION, required=True, help="Of sends from before that, such as 90d.")
@_APPROVE
@shared_options
def prune(session: Session, *, age: timedelta, auto_approve: bool) -> None:
    """Erase who got the SMS of long ago.

    Of each send stays a hash, keyed by SMSDECLARE_NUMBERS_KEY, so that nobody gets it again. From then on every command
    that compares numbers with the state needs that key. Counted from when a send was posted or, where the provider held
    it, went out. Refused where one that old is unknown or still scheduled. What was never sent and may still be, stays.
    """
    clock = SystemClock()
    with closing(opening.ledger(opening.definitions(session))) as ledger, Holder(ledger, clock):
        _check_there_is_one(ledger)
        keys = ledger.over(timestamp(clock.now() - age))
        if not keys:
            session.words("Nothing to erase.\n")
            return
        _erase(session, ledger, keys, "prune", auto_approve=auto_approve)


@click.command(
    cls=Explained,
    examples="""
        smsdeclare state forget +33639980001
        # One send alone
        smsdeclare state forget message.order-shipped@1/+33639980002 --auto-approve
    """,
)
@click.argument("whom", nargs=-1, required=True, metavar="NUMBER|REF...")
@_APPROVE
@shared_options
def forget(session: Session, whom: tuple[str, ...], *, auto_approve: bool) -> None:
    """Erase who got these SMS: all of a number, or the one of a ref or an address.

    As `state prune` does: a keyed hash stays, so that nobody gets them again. What was not sent yet is never sent.
    Refused where one is unknown or still scheduled. It erases nothing from the files, from copies of the state, or at
    the provider: take the number off the lists yourself.
    """
    with closing(opening.ledger(opening.definitions(session))) as ledger, Holder(ledger, SystemClock()):
        _check_there_is_one(ledger)
        keys: set[Key] = set()
        for place, one in enumerate(whom, 1):
            found = set(_sends_of(ledger, one))
            if not found:
                named = "a number" if one.startswith("+") else one
                detail = f"{named}: no send of this is on record (argument {place})"
                raise InputError(Diagnostic(code=codes.ADDRESS_UNKNOWN, detail=detail))
            keys |= found
        _erase(session, ledger, keys, "forget", auto_approve=auto_approve)


@click.command(
    "hash-numbers",
    cls=Explained,
    examples="""
        smsdeclare state hash-numbers
    """,
)
@_APPROVE
@shared_options
def hash_numbers(session: Session, *, auto_approve: bool) -> None:
    """Put keyed hashes in place of all numbers in the state, once and for good.

    Then write `state.numbers: hashed` into the files. The key is SMSDECLARE_NUMBERS_KEY: keep it where you keep
    passwords, since without it nobody can tell any more who was sent what. Refs change with the numbers. Refused while
    a send is unknown.
    """
    numbers, clock = Numbers(key=environment.numbers_key()), SystemClock()
    with closing(opening.ledger_as(opening.definitions(session), numbers)) as ledger, Holder(ledger, clock):
        _check_there_is_one(ledger)
        if not ledger.are_hashed:
            agree("Hash all numbers? There is no way back.", auto_approve=auto_approve)
        hashed = ledger.hash_numbers(timestamp(clock.now()))
    held = f"The state holds {count(hashed, 'send')} under hashes now, and no number."
    session.words(f"{held} Write `state.numbers: hashed` into the files.\n")


def _check_there_is_one(ledger: RelationalLedger) -> None:
    ledger.check_not_moved()
    if ledger.binding is None:
        raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=""))


def _sends_of(ledger: Ledger, wanted: str) -> Iterator[Key]:
    """The sends of a number, a ref or an address whose receivers are not yet erased."""
    secret, named = ledger.secret or b"", _REF.fullmatch(wanted)
    if wanted.startswith("message."):
        records = records_of(ledger, wanted)
    elif named:
        records = (one for one in ledger.records() if ref(secret, one.message, one.revision, one.number) == named[1])
    else:
        try:
            names = ledger.names(phone.parse(wanted).e164)
        except phone.NotANumber as error:
            hint = "Give a number that begins with +, a ref such as 7k3q9f2m, or an address."
            raise InputError(
                Diagnostic(code=codes.USAGE, detail=f"that is no number: {error}", suggestion=hint)
            ) from None
        records = (one for one in ledger.records() if one.number in names)
    return (Key(one.message, one.revision, one.number) for one in records if one.reason != ERASED)


def _erase(session: Session, ledger: RelationalLedger, keys: Collection[Key], kind: str, *, auto_approve: bool) -> None:
    agree(f"Erase who got {count(len(keys), 'send')}? There is no way back.", auto_approve=auto_approve)
    erased = ledger.erase(keys, timestamp(SystemClock().now()), kind)
    session.words(f"Erased who got {count(erased, 'send')}. None of them is sent again.\n")
    session.note("Copies of the state still hold it, and so may your files, the provider, and the disk's backups.")
