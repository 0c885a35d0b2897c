"""Contract: the states of a send, the legal moves between them, and what a ledger must do."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

_CROCKFORD = str.maketrans("abcdefghijklmnopqrstuvwxyz234567", "0123456789abcdefghjkmnpqrstvwxyz")


class State(StrEnum):
    """Where a send stands."""

    #: Claimed by a run; the POST may be on its way.
    INTENDED = "intended"
    #: The POST may have been accepted; nobody knows yet. Never posted again until evidence ends the doubt.
    UNKNOWN = "unknown"
    #: Proved not to have been sent, and that it will not be; free to be claimed again.
    NOT_SENT = "notSent"
    #: The provider took it.
    ACCEPTED = "accepted"
    #: The provider took it and holds it until its time.
    SCHEDULED = "scheduled"
    #: Being taken back; the provider has not confirmed.
    CANCELLING = "cancelling"
    #: Taken back; free to be claimed again.
    CANCELLED = "cancelled"
    #: The provider refused this receiver, for good.
    REJECTED = "rejected"
    #: Its time passed before it could be sent, for good.
    MISSED = "missed"
    #: The operator reports delivery.
    DELIVERED = "delivered"
    #: The operator reports failure.
    FAILED = "failed"


_AFTER_DOUBT = frozenset({State.ACCEPTED, State.SCHEDULED, State.REJECTED, State.NOT_SENT})

#: The legal moves. Every move is conditional on the job that the evidence is about.
MOVES: Mapping[State, frozenset[State]] = {
    State.INTENDED: _AFTER_DOUBT | {State.UNKNOWN},
    State.UNKNOWN: _AFTER_DOUBT,
    State.ACCEPTED: frozenset({State.DELIVERED, State.FAILED, State.NOT_SENT}),
    State.SCHEDULED: frozenset({State.ACCEPTED, State.DELIVERED, State.FAILED, State.CANCELLING}),
    State.CANCELLING: frozenset({State.CANCELLED, State.ACCEPTED}),
    State.NOT_SENT: frozenset({State.INTENDED, State.ACCEPTED}),
    State.CANCELLED: frozenset({State.INTENDED}),
    State.DELIVERED: frozenset({State.NOT_SENT}),
    State.FAILED: frozenset({State.NOT_SENT}),
    State.REJECTED: frozenset({State.NOT_SENT}),
    State.MISSED: frozenset({State.NOT_SENT}),
}
#: Those a claim may take.
FREE = frozenset(state for state, after in MOVES.items() if State.INTENDED in after)
#: Those that `resend` may free: what became of them is known, and the provider holds nothing of it.
ENDED = frozenset({State.ACCEPTED, State.DELIVERED, State.FAILED, State.REJECTED, State.MISSED})
#: Those whose fate at the provider is open.
IN_DOUBT = frozenset({State.INTENDED, State.UNKNOWN, State.CANCELLING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a ledger belongs to; fixed by its first write."""

    project: str
    provider: str
    endpoint: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A stop: nothing more is posted until somebody resumes."""

    reason: str
    #: Who, as far as the machine knows.
    actor: str
    #: RFC 3339 in UTC.
    at: str


class Key(NamedTuple):
    """What a send is known by."""

    message: str
    revision: int
    #: E.164.
    number: str


class Tally(NamedTuple):
    """How many sends of a revision stand in one state."""

    message: str
    revision: int
    state: State
    sends: int


class Known(NamedTuple):
    """What comparing needs of a send on record. A tuple, since there may be a million."""

    number: str
    state: State
    #: How often `resend` freed it.
    resends: int
    #: Digest of the text of its latest job.
    text_digest: str
    #: Digest of the plan under which it was last claimed.
    plan_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is on record of one send, for people."""

    message: str
    revision: int
    number: str
    state: State
    #: How often it was claimed.
    attempts: int
    reason: str | None
    #: The provider's id, where it is certain which id is whose.
    id: int | None
    credits: float | None
    #: RFC 3339 in UTC, as are the next two.
    claimed_at: str
    accepted_at: str | None
    delivered_at: str | None
    send_at: str | None

    @property
    def address(self) -> str:
        """The address of its message, `message.order-shipped@1`."""
        return f"message.{self.message}@{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a run wants to post; written down before the POST."""

    message: str
    revision: int
    #: E.164, ascending: rows are taken in one order by all, so that two claims never wait for each other.
    numbers: tuple[str, ...]
    text_digest: str
    #: Digest of the message's text as written.
    template_digest: str
    #: Canonical JSON of the options.
    options: str
    plan_digest: str
    #: RFC 3339 in UTC.
    claimed_at: str
    #: Credits that it will take, by the plan; counted until the provider says its own figure.
    estimate: float = 0.0
    #: When the provider lets it go, where it holds it. RFC 3339 in UTC.
    send_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Sends that are this run's alone, under one job."""

    message: str
    revision: int
    #: Counts the jobs of a message's revision from 1; with these two it is the job's key.
    ordinal: int
    tag: str
    numbers: tuple[str, ...]
    #: When the provider lets it go, where it holds it. RFC 3339 in UTC.
    send_at: str | None = None


class Fenced(Protocol):
    """A request that is ready to go, as far as the ledger keeps it."""

    @property
    def not_after(self) -> int:
        """The signature's own time: the provider takes the request only shortly after it. Epoch seconds."""
        ...

    @property
    def body_digest(self) -> str:
        """sha256 of the very bytes of the body, hexadecimal."""
        ...


Request = TypeVar("Request", bound=Fenced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a claim."""

    #: Each number of the claim with its new state.
    states: Mapping[str, State]
    #: RFC 3339 in UTC.
    at: str
    #: Why, for each state that needs a reason.
    reasons: Mapping[State, str] = field(default_factory=dict)
    credits: float | None = None
    ids: Sequence[int] = field(default=())
    query_id: str | None = None


class Ledger(Protocol):
    """The record of sends and jobs. Every method may raise StateError."""

    @property
    def binding(self) -> Binding | None:
        """What it belongs to; None before its first write."""
        ...

    @property
    def secret(self) -> bytes | None:
        """Keys the refs; None before its first write."""
        ...

    @property
    def epoch(self) -> int:
        """Raised by whatever changes keys or history; a claim made for an older one is refused."""
        ...

    @property
    def stopped(self) -> Stopped | None:
        """Who stopped it, read anew; None where nobody did. No claim is given out while it is stopped."""
        ...

    def stop(self, stopped: Stopped) -> None:
        """Give out no claim until `resume`, durably and at once for every run."""
        ...

    def resume(self, at: str) -> None:
        """Give out claims again."""
        ...

    def resend(self, keys: Sequence[Key], reason: str, at: str) -> int:
        """Free sends for one more attempt, as one durable transaction that raises the epoch; how many.

        Raises StateError, and frees none, where one of them is in doubt or held by the provider.
        """
        ...

    def tallies(self) -> Sequence[Tally]:
        """How many sends stand where, for each revision of each message."""
        ...

    def bind(self, binding: Binding) -> None:
        """Make it belong to `binding`, durably; raises StateError where it belongs elsewhere."""
        ...

    def left_texts(self, names: Collection[str]) -> Mapping[str, str]:
        """Of every message on record that is not among `names`: digest of its latest text as written → its name."""
        ...

    def rename(self, old: str, new: str, at: str) -> None:
        """Give all that is on record of one message to another name, as one durable transaction.

        Raises the epoch. Raises StateError where something of it is in doubt: its evidence goes by the old name.
        """
        ...

    def revisions(self, message: str) -> Sequence[int]:
        """Which revisions of a message are on record, ascending."""
        ...

    def first_sent(self, message: str, revision: int) -> str | None:
        """When the first send of a revision was claimed that was taken, or may have been; RFC 3339 in UTC, or None."""
        ...

    def is_complete(self, message: str, revision: int) -> bool:
        """Whether a run had once nothing left of a revision, so that whoever is not on record joined later."""
        ...

    def complete(self, revisions: Iterable[tuple[str, int]], at: str) -> None:
        """Note that nothing is left of these revisions of messages."""
        ...

    def known(self, message: str, revision: int) -> Iterator[Known]:
        """Every send of a revision, ordered by number."""
        ...

    def credits_taken(self, message: str, revision: int, *, but: str | None = None) -> float:
        """Credits that the jobs of a revision took, those claimed under the plan digest `but` left out."""
        ...

    def in_doubt(self) -> Iterator[Record]:
        """Every send whose fate is open, ordered by key."""
        ...

    def claim(self, intent: Intent, prepare: Callable[[Claim], Request], *, epoch: int) -> tuple[Claim, Request] | None:
        """Take what is free of the intended numbers, as one durable transaction.

        `prepare` builds and signs the request from the claim, inside the transaction; what it raises undoes it.
        None where nothing was free. Raises PlanStale where the ledger's epoch is not `epoch`.
        """
        ...

    def miss(self, intent: Intent, *, epoch: int) -> int:
        """Record the free ones of the intended numbers as missed, for good, as one durable transaction; how many.

        Refused like a claim.
        """
        ...

    def record(self, claim: Claim, outcome: Outcome) -> int:
        """Write an outcome, as one durable transaction; how many sends moved.

        Only sends that still belong to the claim's job and are in doubt move: who is not was settled by another.
        """
        ...

    def records(self, message: str | None = None, revision: int | None = None) -> Iterator[Record]:
        """What is on record, ordered by message, revision and number."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def ref(secret: bytes, message: str, revision: int, number: str) -> str:
    """The short name of a send beside its masked number: eight characters of Crockford's base32."""
    digest = hmac.new(secret, f"{message}@{revision}/{number}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:5]).decode().lower().translate(_CROCKFORD)
