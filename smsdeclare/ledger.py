"""Contract: what a ledger must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from smsdeclare.records import Binding, Claim, Intent, Key, Known, Outcome, Record, Stopped, Tally


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
