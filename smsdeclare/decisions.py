"""What is to be done for each send of a message: decided in groups of sends that stand alike."""

from __future__ import annotations

from array import array
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from smsdeclare.schedule import is_too_close
from smsdeclare.states import FREE, IN_DOUBT, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from smsdeclare.codes import Code
    from smsdeclare.columns import Price, Sends, Wording
    from smsdeclare.ledger import Ledger


class Action(StrEnum):
    """What a run would do."""

    SEND = "send"
    CANCEL = "cancel"
    REPLACE = "replace"
    KEEP = "keep"
    SETTLE = "settle"


class Verdict(NamedTuple):
    """What is to be done for a send, and why."""

    #: What the plan says; the digest is over this, and so no clock has a say in it.
    action: Action
    #: How often `resend` freed it.
    resends: int
    #: Where it stands on record; None where it is not.
    state: State | None
    #: Whether the receiver had another text than today's.
    edited: bool = False
    #: Whether a higher revision than today's has reached the receiver, or may have.
    superseded: bool = False
    #: When what must be taken back first goes out: of this send, or of a lower revision. RFC 3339 in UTC.
    held_until: str | None = None
    #: Whether a lower revision is in doubt for the receiver, so that this one waits.
    waits: bool = False
    #: Whether `stop --cancel` took it back, so that only `resend` frees it.
    is_barred: bool = False
    #: Why nothing is posted to the receiver, whatever the message.
    left_out: Code | None = None
    #: Which of the names that the ledger may have in place of its number is on record.
    alias: int = 0

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be posted, or is done already under the approved plan."""
        return self.action in (Action.SEND, Action.REPLACE)

    @property
    def is_free(self) -> bool:
        """Whether a claim may take it now; false for a send already done under the approved plan."""
        return (
            self.is_wanted
            and not (self.waits or self.is_barred or self.held_until)
            and (self.state is None or self.state in FREE)
        )

    def can_be_freed(self, now: datetime) -> bool:
        """Whether it may be posted once what is held before it is taken back."""
        return (
            self.is_wanted
            and self.held_until is not None
            and not (self.waits or self.is_barred)
            and not is_too_close(self.held_until, now)
        )

    @property
    def is_doubtful(self) -> bool:
        """Whether nobody knows if it went out."""
        return self.action is Action.SETTLE or self.waits or self.state in IN_DOUBT


class Group(NamedTuple):
    """Sends of one message in which all is alike but their numbers and texts."""

    verdict: Verdict
    price: Price
    #: How many.
    size: int
    #: Where verdict, bill and place stand in their tables.
    cell: tuple[int, int, int]

    @property
    def credits(self) -> float:
        """What all of them take."""
        return self.price.credits * self.size


class Decisions:
    """A verdict on each send of a message, in their order."""

    def __init__(self, sends: Sends, verdicts: Sequence[Verdict], column: array[int]) -> None:
        self.sends = sends
        self.verdicts = verdicts
        #: Of each send the place of its verdict.
        self.column = column
        #: What was asked for before: the cells of groups → their sends.
        self._chosen: dict[frozenset[tuple[int, int, int]], Sends] = {}
        #: In the order of the first of each.
        self.groups = [
            Group(verdicts[verdict], sends.price(bill, place), size, (verdict, bill, place))
            for (verdict, bill, place), size in Counter(self._cells()).items()
        ]

    def __iter__(self) -> Iterator[Verdict]:
        """The verdict of each send."""
        return map(self.verdicts.__getitem__, self.column)

    def of(self, groups: Iterable[Group]) -> Sends:
        """The sends of some groups."""
        wanted = frozenset(one.cell for one in groups)
        if len(wanted) == len(self.groups):
            return self.sends
        found = self._chosen.get(wanted)
        if found is None:
            rows = (row for row, cell in enumerate(self._cells()) if cell in wanted)
            found = self._chosen[wanted] = self.sends.chosen(array("I", rows if wanted else ()))
        return found

    def named(self, groups: Sequence[Group], ledger: Ledger) -> Iterator[tuple[str, Verdict]]:
        """What the ledger has, or would have, in place of each number of some groups."""
        wanted = {group.cell[0] for group in groups}
        for number, place in zip(self.sends.numbers, self.column, strict=True) if wanted else ():
            if place in wanted:
                verdict = self.verdicts[place]
                yield ledger.names(number)[verdict.alias], verdict

    def swapped(self, groups: Iterable[Group]) -> Mapping[Wording, int]:
        """What `normalize` did to the texts of some groups, each with how many sends have it."""
        return self.of(groups).swapped() if self.sends.table.swapped else {}

    def _cells(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.column, self.sends.bills, self.sends.places, strict=True)
