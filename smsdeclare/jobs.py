"""Sends → jobs: equal text and options, at most receiversPerJob; the tag."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.canonical import canonical
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import PolicyRefused
from smsdeclare.quiet import NEVER_QUIET
from smsdeclare.schedule import Slot, slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from smsdeclare.definitions import Message, Times
    from smsdeclare.quiet import Quiet
    from smsdeclare.sends import Send, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
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
        return replace(self, slot=found), is_late


def group(
    message: Message,
    sends: Iterable[Send],
    receivers_per_job: int,
    quiet_for: Callable[[Send], Quiet] = lambda _: NEVER_QUIET,
) -> Iterator[Job]:
    """Jobs in the order in which their first receiver comes; `sends` must be ordered by number.

    `quiet_for` gives the quiet hours for a receiver: one POST can be held until one moment only.
    """
    template_digest = message.template_digest
    by_text: dict[tuple[str, Quiet], list[Send]] = {}
    for send in sends:
        by_text.setdefault((send.text.digest, quiet_for(send)), []).append(send)
    for (_, quiet), equal in by_text.items():
        for start in range(0, len(equal), receivers_per_job):
            chunk = equal[start : start + receivers_per_job]
            yield Job(
                message=message.name,
                revision=message.revision,
                text=chunk[0].text,
                template_digest=template_digest,
                options=message.options,
                times=message.times,
                credits=round(sum(send.credits for send in chunk), 6),
                numbers=tuple(send.number for send in chunk),
                quiet=quiet,
            )


class Jobs:
    """Jobs that are made as they are read: with a text for each of a million receivers they would be a million."""

    def __init__(
        self,
        sends: Sequence[tuple[Message, Sequence[Send]]],
        receivers_per_job: int,
        quiet_for: Callable[[Send], Quiet] = lambda _: NEVER_QUIET,
    ) -> None:
        #: Messages, each with its sends, ordered by number.
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


def posts_of(
    sends: Iterable[Send], receivers_per_job: int, quiet_for: Callable[[Send], Quiet] = lambda _: NEVER_QUIET
) -> int:
    """How many jobs `group` makes of these sends of one message."""
    by_text = Counter((send.text.digest, quiet_for(send)) for send in sends)
    return sum(-(-equal // receivers_per_job) for equal in by_text.values())


def tag(project: str, service: str, message: str, revision: int, ordinal: int) -> str:
    """The provider-side mark of the `ordinal`-th job of a message's revision: 20 characters.

    OVHcloud's http2sms guide gives 20 as the longest tag. The mark follows from the ordinal alone, so that a
    state that is old, or not the only one, finds marks at the provider that it has not given out.
    """
    digest = hashlib.sha256(canonical([project, service, message, revision, ordinal])).digest()
    return base64.b32encode(digest).decode().lower()[:20]
