"""What is on record in a relational ledger, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smsdeclare.ledgers import erasing_statements, statements
from smsdeclare.ledgers.evidence import EvidenceLedger, damaged, read_ids
from smsdeclare.records import ERASED, Key, Known, Record, Spending, Tally
from smsdeclare.states import FREE, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

#: So many numbers go into one statement.
_AT_ONCE = 500
#: So many jobs of a revision are kept at hand while its sends are read: some megabytes. Beyond, each has few sends.
_FEW_JOBS = 20_000
_LACKS_JOB = "a send lacks its job"


class ReadingLedger(EvidenceLedger):
    """Nothing here writes; whatever may be as long as the list of receivers comes as a stream."""

    def revisions(self, message: str) -> Sequence[int]:
        """Which revisions of a message are on record, ascending."""
        found: list[int] = []
        while True:
            after = {"message": message, "after": found[-1] if found else 0}
            ((revision,),) = self._rows(statements.NEXT_REVISION, after)
            if revision is None:
                return found
            found.append(revision)

    def first_sent(self, message: str, revision: int) -> str | None:
        """When the first send of a revision was claimed that was taken, or may have been; RFC 3339 in UTC, or None."""
        ((first,),) = self._rows(statements.FIRST_SENT, {"message": message, "revision": revision})
        return None if first is None else str(first)

    def is_complete(self, message: str, revision: int) -> bool:
        """Whether a run had once nothing left of a revision, so that whoever is not on record joined later."""
        return any(True for _ in self._rows(statements.COMPLETED, {"message": message, "revision": revision}))

    def taken(self, message: str, revision: int, numbers: Sequence[str]) -> Sequence[str]:
        """Which of these numbers no claim would get at this moment."""
        key, free = {"message": message, "revision": revision}, tuple(sorted(FREE))
        called = {name: number for number in numbers for name in self.names(number)}
        return [
            called[name]
            for some in named(list(called))
            for (name,) in self._rows(statements.taken(len(some), free), {**key, **some})
        ]

    def known(self, message: str, revision: int) -> Iterator[Known]:
        """Every send of a revision, ordered by what stands for its number."""
        key = {"message": message, "revision": revision}
        jobs = {job[0]: job for job in self._rows(statements.KNOWN_JOBS, {**key, "limit": _FEW_JOBS + 1})}
        if len(jobs) > _FEW_JOBS:
            for number, state, resends, text, *others in self._rows(statements.KNOWN, key):
                if text is None:
                    raise damaged(_LACKS_JOB)
                yield Known(number, self._state(state), resends, text, *others)
            return
        for number, state, resends, taken_back, ordinal in self._rows(statements.KNOWN_SENDS, key):
            job = jobs.get(ordinal)
            if job is None:
                # Another run may have claimed since.
                job = jobs[ordinal] = next(iter(self._rows(statements.KNOWN_JOB, {**key, "ordinal": ordinal})), None)
            if job is None:
                raise damaged(_LACKS_JOB)
            _, text, plan, options, times, send_at = job
            yield Known(number, self._state(state), resends, text, plan, taken_back, options, times, send_at)

    def credits_taken(self, message: str, revision: int, *, but: str | None = None) -> float:
        """Credits that the jobs of a revision took, those claimed under the plan digest `but` left out."""
        key = {"message": message, "revision": revision, "but": but or ""}
        is_open = any(True for _ in self._rows(statements.HAS_OPEN_JOBS, key))
        ((taken,),) = self._rows(statements.CREDITS_TAKEN if is_open else statements.CREDITS_KNOWN, key)
        return float(taken)

    def spendings(self) -> Sequence[Spending]:
        """Credits by revision and day, as `credits_taken` counts them; ordered by message, revision, and day."""
        return [
            Spending(message, revision, day, float(taken))
            for message, revision, day, taken in self._rows(statements.SPENDINGS, {})
        ]

    def in_doubt(self) -> Iterator[Record]:
        """Every send whose fate is open, ordered by key."""
        return map(self._record, self._rows(statements.RECORDS_IN_DOUBT, {}))

    def over(self, before: str) -> Sequence[Key]:
        """The sends of until that moment whose receivers are still on record, whatever became of them but those free.

        What is open is among them: who erases has to be told.
        """
        rows = self._rows(erasing_statements.OVER, {"before": before, "erased": ERASED})
        return [Key(*row) for row in rows]

    def records(self, message: str | None = None, revision: int | None = None) -> Iterator[Record]:
        """What is on record, ordered by message, revision and number."""
        if message is None:
            statement = statements.RECORDS
        else:
            statement = statements.RECORDS_OF_MESSAGE if revision is None else statements.RECORDS_OF_REVISION
        return map(self._record, self._rows(statement, {"message": message, "revision": revision}))

    def tallies(self) -> Sequence[Tally]:
        """How many sends stand where, for each revision of each message."""
        return [
            Tally(message, revision, self._state(state), count)
            for message, revision, state, count in self._rows(statements.TALLIES, {})
        ]

    def reasons(self, message: str, revision: int) -> Sequence[tuple[State, str, int]]:
        """Why sends of a revision failed, were refused or are unknown, and how many; the most frequent first."""
        key = {"message": message, "revision": revision}
        return [(self._state(state), why, count) for state, why, count in self._rows(statements.REASONS, key)]

    def left_texts(self, names: Collection[str]) -> Mapping[str, str]:
        """Of every message on record that is not among `names`: digest of its latest text as written → its name."""
        found: dict[str, str] = {}
        message = ""
        while True:
            ((message,),) = self._rows(statements.NEXT_MESSAGE, {"after": message})
            if message is None:
                return found
            if message not in names:
                ((digest,),) = self._rows(statements.LATEST_TEMPLATE, {"message": message})
                found[digest] = message

    def _record(self, row: Any) -> Record:
        (message, revision, number, state, attempts, reason, ids, taken, accepted, receivers, sms, *times) = row
        claimed_at, answered_at, delivered_at, send_at = times
        if claimed_at is None:
            raise damaged(_LACKS_JOB)
        state = self._state(state)
        took = state in (State.ACCEPTED, State.SCHEDULED, State.DELIVERED, State.FAILED)
        known_ids = read_ids(ids)
        return Record(
            message=message,
            revision=revision,
            number=number,
            state=state,
            attempts=attempts,
            reason=reason,
            # Which id is whose is certain only where there is one of each: the order of `ids` is not documented.
            id=sms or (known_ids[0] if took and receivers == 1 and len(known_ids) == 1 else None),
            credits=taken / accepted if took and taken is not None and accepted else None,
            claimed_at=claimed_at,
            accepted_at=answered_at if took else None,
            delivered_at=delivered_at,
            send_at=send_at,
        )


def named(numbers: Sequence[str]) -> Iterator[dict[str, str]]:
    """Numbers by the names that they have in a statement, so many at a time."""
    for start in range(0, len(numbers), _AT_ONCE):
        yield {f"number{place}": one for place, one in enumerate(numbers[start : start + _AT_ONCE])}
