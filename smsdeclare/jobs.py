"""Sends → jobs: equal text and options, at most receiversPerJob; the tag."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smsdeclare.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from smsdeclare.definitions import Message, Times
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


def group(message: Message, sends: Iterable[Send], receivers_per_job: int) -> Iterator[Job]:
    """Jobs in the order in which their first receiver comes; `sends` must be ordered by number."""
    by_text: dict[str, list[Send]] = {}
    for send in sends:
        by_text.setdefault(send.text.digest, []).append(send)
    for equal in by_text.values():
        for start in range(0, len(equal), receivers_per_job):
            chunk = equal[start : start + receivers_per_job]
            yield Job(
                message=message.name,
                revision=message.revision,
                text=chunk[0].text,
                template_digest=message.template_digest,
                options=message.options,
                times=message.times,
                credits=round(sum(send.credits for send in chunk), 6),
                numbers=tuple(send.number for send in chunk),
            )


def tag(project: str, service: str, message: str, revision: int, ordinal: int) -> str:
    """The provider-side mark of the `ordinal`-th job of a message's revision: 20 characters.

    OVHcloud's http2sms guide gives 20 as the longest tag. The mark follows from the ordinal alone, so that a
    state that is old, or not the only one, finds marks at the provider that it has not given out.
    """
    digest = hashlib.sha256(canonical([project, service, message, revision, ordinal])).digest()
    return base64.b32encode(digest).decode().lower()[:20]
