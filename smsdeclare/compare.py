"""Sends + ledger → decisions: what is to be done for each send."""

from __future__ import annotations

from array import array
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare.canonical import canonical
from smsdeclare.decisions import Action, Decisions, Verdict
from smsdeclare.records import STOP
from smsdeclare.schedule import resolved
from smsdeclare.states import FREE, IN_DOUBT, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from smsdeclare.codes import Code
    from smsdeclare.columns import Sends
    from smsdeclare.definitions import Message
    from smsdeclare.ledger import Ledger
    from smsdeclare.records import Known, Posted
    from smsdeclare.sends import MessageSends

_NOBODY: Mapping[str, Code] = {}


class Withdrawal(NamedTuple):
    """One send that the provider holds and the files no longer ask for, or one taken back under the approved plan."""

    message: str
    revision: int
    known: Known

    @property
    def is_held(self) -> bool:
        """Whether it is still to be taken back."""
        return self.known.state is State.SCHEDULED


def compare(
    expanded: MessageSends,
    ledger: Ledger,
    now: datetime,
    approved: str | None = None,
    on_record: str | None = None,
    left_out: Mapping[str, Code] = _NOBODY,
) -> Decisions:
    """Decide for every send of a message; `on_record` is the name it still has in the ledger.

    `approved` is the digest of an approved plan: sends claimed or taken back under it count as not yet done, so that
    the plan can be worked out anew in the middle of being carried out. `left_out` is why nothing is posted to a number.
    """
    message, sends = expanded.message, expanded.sends
    name = on_record or message.name
    revisions = ledger.revisions(name)
    verdicts = {Verdict(Action.SEND, 0, None): 0}
    column = array("I", bytes(4 * len(sends)))  # zeros
    if revisions:
        judge = _Judge(message, ledger, name, revisions, now, approved)
        recorded = ledger.known(name, message.revision) if message.revision in revisions else iter(())
        column = array("I", judge.column(sends, recorded, verdicts))
    if left_out:
        by_place = list(verdicts)
        for row, number in enumerate(sends.numbers):
            if number in left_out:
                verdict = by_place[column[row]]._replace(left_out=left_out[number])
                column[row] = verdicts.setdefault(verdict, len(verdicts))
    return Decisions(sends, list(verdicts), column)


class _Judge:
    """Decides for the sends of one message that is on record; as one send is like many, each case is decided once."""

    def __init__(
        self,
        message: Message,
        ledger: Ledger,
        name: str,
        revisions: Sequence[int],
        now: datetime,
        approved: str | None,
    ) -> None:
        self._ledger = ledger
        self._approved = approved
        self._options, self._times = canonical(dict(message.options)).decode(), resolved(message.times)
        higher = [revision for revision in revisions if revision > message.revision]
        lower = [revision for revision in revisions if revision < message.revision]
        self._higher = _taken(ledger, name, higher)
        # Who is in doubt at a lower revision waits, and who has it scheduled until it is taken back: two revisions
        # never reach a receiver by mistake.
        self._waiting = _in_doubt(ledger, name, lower)
        self._held = _still_held(ledger, name, lower, now)

    def column(self, sends: Sends, recorded: Iterator[Known], verdicts: dict[Verdict, int]) -> Iterator[int]:
        """The place of each send's verdict among `verdicts`, which grow.

        One pass over two ordered streams: never a query for each receiver.
        """
        found: dict[tuple[Any, ...], int] = {}
        higher, waiting, held = self._higher, self._waiting, self._held
        for text, (names, known) in zip(sends.texts, _beside(sends, recorded, self._ledger), strict=True):
            case: tuple[Any, ...] = (
                # All but the number and the digest of the text.
                known and (names.index(known.number), *known[1:3], *known[4:]),
                known is not None and known.text_digest == sends.digest(text),
                bool(higher) and not higher.isdisjoint(names),
                bool(waiting) and not waiting.isdisjoint(names),
                next((held[one] for one in names if one in held), None) if held else None,
            )
            place = found.get(case)
            if place is None:
                alias = names.index(known.number) if known else 0
                verdict = self._verdict(known, *case[1:])._replace(alias=alias)
                place = found[case] = verdicts.setdefault(verdict, len(verdicts))
            yield place

    def _verdict(
        self, known: Known | None, is_same: bool, superseded: bool, waits: bool, held_until: str | None
    ) -> Verdict:
        approved = self._approved
        resends, state = (known.resends, known.state) if known else (0, None)
        if superseded:
            return Verdict(Action.KEEP, resends, state, superseded=True)
        is_edited = known is not None and not (
            is_same and known.options == self._options and known.times in (None, self._times)
        )
        action = _action(known, approved, is_edited=is_edited, waits=waits)
        own = known.send_at if known and action is Action.REPLACE and _is_old(known, approved) else None
        return Verdict(
            action,
            resends,
            state,
            edited=known is not None and action is Action.KEEP and not is_same,
            held_until=own or held_until,
            waits=waits,
            is_barred=known is not None and _is_barred(known),
        )


def withdrawals(
    ledger: Ledger, message: str, revision: int, wanted: Collection[str], approved: str | None = None
) -> Iterator[Withdrawal]:
    """What the provider holds of a revision and must be taken back, since only the `wanted` are asked for.

    These are what the ledger has in place of numbers.
    """
    for known in ledger.known(message, revision):
        if known.number not in wanted and (known.state is State.SCHEDULED or _is_under(known.taken_back, approved)):
            yield Withdrawal(message, revision, known)


def held_jobs(ledger: Ledger, keys: Collection[tuple[str, int, str]]) -> Iterator[Posted]:
    """The jobs of these held sends, each with those of them that are its own."""
    for job in ledger.posted_held() if keys else ():
        mine = {one: state for one, state in job.states.items() if (job.message, job.revision, one) in keys}
        if mine:
            yield job._replace(states=mine)


def _action(known: Known | None, approved: str | None, *, is_edited: bool, waits: bool) -> Action:
    if known is None:
        return Action.SETTLE if waits else Action.SEND
    if _is_under(known.taken_back, approved):
        return Action.REPLACE
    if _is_under(known.plan_digest, approved):
        return Action.SEND
    if waits or known.state in IN_DOUBT:
        return Action.SETTLE
    if known.state in FREE:
        return Action.KEEP if _is_barred(known) else Action.SEND
    return Action.REPLACE if known.state is State.SCHEDULED and is_edited else Action.KEEP


def _is_under(digest: str | None, approved: str | None) -> bool:
    return approved is not None and digest == approved


def _is_old(known: Known, approved: str | None) -> bool:
    """Whether the provider holds what another plan had sent."""
    return known.state is State.SCHEDULED and not _is_under(known.plan_digest, approved)


def _is_barred(known: Known) -> bool:
    return known.state is State.CANCELLED and known.taken_back == STOP


def _beside(sends: Sends, recorded: Iterator[Known], ledger: Ledger) -> Iterator[tuple[tuple[str, ...], Known | None]]:
    """What the ledger may have in place of each number, and the record of its send."""
    if ledger.has_hashes:
        # Hashes have another order than the numbers that they stand for.
        by_name = {known.number: known for known in recorded}
        for number in sends.numbers:
            names = ledger.names(number)
            yield names, next((by_name[one] for one in names if one in by_name), None)
        return
    known = next(recorded, None)
    for number in sends.numbers:
        while known is not None and known.number < number:
            known = next(recorded, None)
        yield (number,), known if known is not None and known.number == number else None


def _taken(ledger: Ledger, message: str, revisions: Sequence[int]) -> frozenset[str]:
    """Who has had one of these revisions, or may have; a send that `resend` freed was had before."""
    return frozenset(
        known.number
        for revision in revisions
        for known in ledger.known(message, revision)
        if known.state not in FREE or known.resends
    )


def _in_doubt(ledger: Ledger, message: str, revisions: Sequence[int]) -> frozenset[str]:
    """Of whom nobody knows whether they had one of these revisions."""
    return frozenset(
        known.number for revision in revisions for known in ledger.known(message, revision) if known.state in IN_DOUBT
    )


def _still_held(ledger: Ledger, message: str, revisions: Sequence[int], now: datetime) -> Mapping[str, str]:
    """Whose SMS of one of these revisions the provider holds → when it goes out.

    Until somebody reads receipts, one whose time has passed stands on record as it was.
    """
    return {
        known.number: known.send_at
        for revision in revisions
        for known in ledger.known(message, revision)
        if known.state is State.SCHEDULED and known.send_at and datetime.fromisoformat(known.send_at) > now
    }
