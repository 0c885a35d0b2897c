"""Contract: what a ledger must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from smsdeclare.records import (
        Binding,
        Claim,
        Evidence,
        Intent,
        Key,
        Known,
        Lease,
        Moved,
        Outcome,
        Posted,
        Receipt,
        Record,
        Spending,
        Stopped,
        Taken,
        Tally,
    )
    from smsdeclare.states import State


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


class Claims(Protocol):
    """What a run that posts asks of a ledger. Every method may raise StateError."""

    @property
    def epoch(self) -> int:
        """Raised by whatever changes keys or history; a claim made for an older one is refused."""
        ...

    def next_tags(self, message: str, revision: int, count: int) -> Sequence[str]:
        """The marks of the next jobs of a revision; none before it is bound."""
        ...

    def has_given_out(self, tag: str) -> bool:
        """Whether a job on record has this mark, read anew."""
        ...

    def claim_all(
        self,
        wanted: Sequence[tuple[Intent, Callable[[Claim], Request]]],
        *,
        epoch: int,
        outcomes: Sequence[tuple[Claim, Outcome]] = (),
    ) -> Sequence[tuple[Claim, Request] | None]:
        """As `claim` for several jobs, in this order, as one durable transaction: all of it holds or nothing.

        What became of earlier claims is written in the same transaction, and first. Where this raises, record it again:
        what is on record already does not move.
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

    def record_all(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> int:
        """As `record` for several claims, as one durable transaction; how many sends moved."""
        ...


class Ledger(Claims, Protocol):
    """The record of sends and jobs. Every method may raise StateError."""

    @property
    def binding(self) -> Binding | None:
        """What it belongs to; None before its first write."""
        ...

    @property
    def signs_within(self) -> timedelta | None:
        """For so long after a claim its requests may be signed; None where each is signed in its claim."""
        ...

    def gathering(self) -> AbstractContextManager[None]:
        """Inside, what is learned (outcomes, evidence) may come on record with the next claim, or at the end.

        So a ledger that is kept elsewhere is written once. Lost, it is only to be found out again.
        """
        ...

    @property
    def has_hashes(self) -> bool:
        """Whether hashes stand in place of numbers, of all or of some; what is read has them then, and no order."""
        ...

    def names(self, number: str) -> tuple[str, ...]:
        """What stands on record in place of a number; the first is what a claim writes.

        Raises InputError where that takes a key and there is none, and StateError where it is another one.
        """
        ...

    @property
    def secret(self) -> bytes | None:
        """Keys the refs; None before its first write."""
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

    def reasons(self, message: str, revision: int) -> Sequence[tuple[State, str, int]]:
        """Why sends of a revision failed, were refused or are unknown, and how many; the most frequent first."""
        ...

    def bind(self, binding: Binding) -> None:
        """Make it belong to `binding`, durably; raises StateError where it belongs elsewhere."""
        ...

    def left_texts(self, names: Collection[str]) -> Mapping[str, str]:
        """Of every message on record that is not among `names`: digest of its latest text as written → its name."""
        ...

    def rename(self, old: str, new: str, at: str) -> None:
        """Give all that is on record of one message, or nothing yet, to another name, as one durable transaction.

        Raises the epoch, so that nobody who planned under the old name claims anything; where another run was faster,
        its epoch is taken over. Raises StateError where something of it is in doubt: its evidence goes by the old
        name. Raises PlanStale where both names have a history by now.
        """
        ...

    def renamed_to(self, message: str) -> str | None:
        """Which name a message was given last; None for one that was never renamed, or is called so again."""
        ...

    def held_revisions(self) -> Sequence[tuple[str, int]]:
        """Messages and revisions of which the provider holds something, or something was taken back."""
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

    def taken(self, message: str, revision: int, numbers: Sequence[str]) -> Sequence[str]:
        """Which of these numbers no claim would get at this moment."""
        ...

    def known(self, message: str, revision: int) -> Iterator[Known]:
        """Every send of a revision, ordered by what stands for its number."""
        ...

    def credits_taken(self, message: str, revision: int, *, but: str | None = None) -> float:
        """Credits that the jobs of a revision took, those claimed under the plan digest `but` left out."""
        ...

    def spendings(self) -> Sequence[Spending]:
        """Credits by revision and day, as `credits_taken` counts them; ordered by message, revision, and day."""
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

    def posted_in_doubt(self) -> Sequence[Posted]:
        """Every job with sends in doubt, with these."""
        ...

    def posted_held(self) -> Sequence[Posted]:
        """Every job of which the provider holds sends, with these."""
        ...

    def posted_taken(self) -> Sequence[Posted]:
        """Every job with accepted sends that lack a receipt, with these."""
        ...

    def posted_released(self) -> Sequence[Posted]:
        """Every job from which sends were given back for want of a trace, with these."""
        ...

    def control(self, before: str) -> Posted | None:
        """The job to compare with: one that was surely taken, and sent until `before`; whom it took."""
        ...

    def is_on_record(self, key: Key) -> bool:
        """Whether there is such a send."""
        ...

    @property
    def trusts_absence(self) -> bool:
        """Whether what the provider does not list may count as not sent, read anew."""
        ...

    def settle(self, job: Posted, evidence: Evidence) -> Moved:
        """Write down what a look proved, as one durable transaction, conditional on the job.

        A send is given back for want of a trace once and never again, and none where absence is not trusted.
        """
        ...

    def late(self, job: Posted, taken: Mapping[str, Taken], at: str) -> Sequence[str]:
        """Note that the provider lists what was given back for want of a trace; whose. Absence never counts again."""
        ...

    def resolve(self, jobs: Sequence[Posted], *, sent: bool, by: Mapping[str, str], at: str) -> int:
        """Take a person's word for sends in doubt, as one durable transaction; how many.

        `by` holds `actor` and `reason`, and stays on record. Raises StateError, and moves none, where one was settled.
        """
        ...

    def take_back(self, job: Posted, by: str) -> frozenset[str]:
        """Mark held sends as being taken back, durably, before the provider is asked to; whose were still held.

        `by` is the digest of the plan, or STOP. Raises PlanStale where the history was changed since it was opened.
        """
        ...

    def end_take_back(self, job: Posted, *, gone: Collection[str], out: Mapping[str, Taken], reason: str) -> Moved:
        """Write down who was taken back, and who went out after all, as one durable transaction."""
        ...

    def receive(self, job: Posted, receipts: Mapping[str, tuple[Taken, Receipt | None]]) -> int:
        """Write down that held sends went out, and what the operator says, as one durable transaction; how many."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether several runs may carry out one plan together."""
        ...

    @property
    def leases(self) -> Sequence[Lease]:
        """Who is at work, as far as it is written down; each may have run out."""
        ...

    def hold(self, lease: Lease, is_over: Callable[[Lease], bool]) -> Lease | None:
        """Take a lease, unless another run has one that is not over; that one, or None.

        Where the ledger is shared, runs with the same plan stand beside one another.
        """
        ...

    def renew(self, lease: Lease, is_over: Callable[[Lease], bool]) -> Lease | None:
        """As `hold`, for who has it; may wait while gathering."""
        ...

    def let_go(self, holder: str | None, at: str) -> Sequence[Lease]:
        """Give the lease of `holder` back, or with None whoever has one, which goes on record; what was there."""
        ...

    def records(self, message: str | None = None, revision: int | None = None) -> Iterator[Record]:
        """What is on record, ordered by message, revision and number."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
