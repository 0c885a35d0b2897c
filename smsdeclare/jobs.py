"""Sends → jobs: equal text and options, at most receiversPerJob; the tag."""

from __future__ import annotations

import base64
import hashlib
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

from smsdeclare import codes
from smsdeclare.canonical import canonical
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import PolicyRefused
from smsdeclare.quiet import NEVER_QUIET
from smsdeclare.schedule import Slot, slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from smsdeclare.columns import Place, Sends, Text
    from smsdeclare.definitions import Message, Times
    from smsdeclare.quiet import Quiet


class Job(NamedTuple):
    """One POST: one text to some receivers of one message."""

    message: str
    revision: int
    text: Text
    #: Digest of the message's text as written.
    template_digest: str
    #: OVHcloud's own option names → values.
    options: Mapping[str, Any]
    times: Times
    #: What it will take, by the plan.
    credits: float
    #: E.164, in ascending order.
    numbers: tuple[str, ...]
    #: The quiet hours that count for these receivers.
    quiet: Quiet = NEVER_QUIET
    #: When it goes out, once that is decided.
    slot: Slot | None = None

    def slot_at(self, now: datetime) -> Slot:
        """When it goes out if it is posted now, unless that is decided already."""
        return self.slot or slot(self.times, self.options, now, self.quiet)

    def placed(self, now: datetime, margin: timedelta) -> tuple[Job, bool]:
        """The job as it would be posted now, and whether that is too late.

        Raises PolicyRefused where quiet hours that refuse have begun.
        """
        found = slot(self.times, self.options, now, self.quiet)
        is_late = found.is_late(now, margin)
        if found.is_refused and not is_late:
            raise PolicyRefused(Diagnostic(code=codes.QUIET_NOW, detail=f"message.{self.message}@{self.revision}"))
        return self._replace(slot=found), is_late


def group(
    message: Message,
    sends: Sends,
    receivers_per_job: int,
    quiet_for: Callable[[Place], Quiet] = lambda _: NEVER_QUIET,
) -> Iterator[Job]:
    """Jobs in the order in which their first receiver comes.

    `quiet_for` gives the quiet hours for a place: one POST can be held until one moment only.
    """
    quiet_of = [quiet_for(place) for place in sends.every_place]
    counts = _counted(sends, quiet_of)
    # What goes to one receiver alone needs no list, and of personal texts there may be a million.
    rows_of: dict[tuple[int, Quiet], array[int]] = {}
    for row, (text, place) in enumerate(zip(sends.texts, sends.places, strict=True)):
        if counts[quiet_of[place]][text] > 1:
            rows_of.setdefault((text, quiet_of[place]), array("I")).append(row)
    for row, (text, place) in enumerate(zip(sends.texts, sends.places, strict=True)):
        quiet = quiet_of[place]
        rows = array("I", (row,)) if counts[quiet][text] == 1 else rows_of.pop((text, quiet), ())
        for start in range(0, len(rows), receivers_per_job):
            yield _job(message, sends, rows[start : start + receivers_per_job], quiet)


def _job(message: Message, sends: Sends, rows: Sequence[int], quiet: Quiet) -> Job:
    return Job(
        message=message.name,
        revision=message.revision,
        text=sends.text(sends.texts[rows[0]]),
        template_digest=message.template_digest,
        options=message.options,
        times=message.times,
        credits=round(sends.credits(rows), 6),
        numbers=tuple(f"+{sends.digits[row]}" for row in rows),
        quiet=quiet,
    )


class Jobs:
    """Jobs that are made as they are read: with a text for each of a million receivers they would be a million."""

    def __init__(
        self,
        sends: Sequence[tuple[Message, Sends]],
        receivers_per_job: int,
        quiet_for: Callable[[Place], Quiet] = lambda _: NEVER_QUIET,
    ) -> None:
        #: Messages, each with its sends.
        self._sends = sends
        self._receivers_per_job = receivers_per_job
        self._quiet_for = quiet_for

    def __iter__(self) -> Iterator[Job]:
        for message, sends in self._sends:
            yield from group(message, sends, self._receivers_per_job, self._quiet_for)

    def __len__(self) -> int:
        return sum(posts_of(sends, self._receivers_per_job, self._quiet_for) for _, sends in self._sends)

    def __bool__(self) -> bool:
        return any(sends for _, sends in self._sends)


def posts_of(sends: Sends, receivers_per_job: int, quiet_for: Callable[[Place], Quiet] = lambda _: NEVER_QUIET) -> int:
    """How many jobs `group` makes of these sends of one message."""
    counts = _counted(sends, [quiet_for(place) for place in sends.every_place])
    return sum(-(-equal // receivers_per_job) for column in counts.values() for equal in column)


def _counted(sends: Sends, quiet_of: Sequence[Quiet]) -> dict[Quiet, array[int]]:
    """Of each text how many sends have it, those with other quiet hours apart."""
    empty = array("I", bytes(4 * len(sends.table.bill_of)))
    counts = dict.fromkeys(quiet_of, empty[:])
    columns = [counts[quiet] for quiet in quiet_of]
    for text, place in zip(sends.texts, sends.places, strict=True):
        columns[place][text] += 1
    return counts


def tag(project: str, service: str, message: str, revision: int, ordinal: int) -> str:
    """The provider-side mark of the `ordinal`-th job of a message's revision: 20 characters.

    OVHcloud's http2sms guide gives 20 as the longest tag. The mark follows from the ordinal alone, so that a
    state that is old, or not the only one, finds marks at the provider that it has not given out.
    """
    digest = hashlib.sha256(canonical([project, service, message, revision, ordinal])).digest()
    return base64.b32encode(digest).decode().lower()[:20]
