"""Evidence in a relational ledger: what looks at the provider prove, and what people say, each in one transaction."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import PlanStale, StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.erasing import Erasing
from smsdeclare.ledgers.writes import at_once, may_wait
from smsdeclare.records import Moved, Posted
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from smsdeclare.records import Evidence, Key, Receipt, Taken

_STATES = {state.value: state for state in State}


class EvidenceLedger(Erasing):
    """Every write is conditional on the job that the evidence is about: who is first wins, the rest is no error."""

    # — looking up —

    def posted_in_doubt(self) -> list[Posted]:
        """Every job with sends in doubt, with these."""
        return list(self._posted(statements.POSTED_IN_DOUBT))

    def posted_held(self) -> list[Posted]:
        """Every job of which the provider holds sends, with these."""
        return list(self._posted(statements.POSTED_HELD))

    def posted_taken(self) -> list[Posted]:
        """Every job with accepted sends that lack a receipt, with these."""
        return list(self._posted(statements.POSTED_TAKEN))

    def posted_released(self) -> list[Posted]:
        """Every job from which sends were given back for want of a trace, with these."""
        return list(self._posted(statements.POSTED_RELEASED))

    def held_revisions(self) -> list[tuple[str, int]]:
        """Messages and revisions of which the provider holds something, or something was taken back."""
        return [(message, revision) for message, revision in self._rows(statements.HELD_REVISIONS, {})]

    def control(self, before: str) -> Posted | None:
        """The job to compare with: one that was surely taken, and sent until `before`; whom it took."""
        for message, revision, ordinal in self._rows(statements.CONTROL, {"before": before}):
            key = {"message": message, "revision": revision, "ordinal": ordinal}
            return next(self._posted(statements.POSTED_JOB, key), None)
        return None

    def is_on_record(self, key: Key) -> bool:
        """Whether there is such a send."""
        return any(
            True
            for name in self.names(key.number)
            for _ in self._rows(statements.IS_ON_RECORD, {**key._asdict(), "number": name})
        )

    @property
    def trusts_absence(self) -> bool:
        """Whether what the provider does not list may count as not sent: until once it listed it later after all."""
        return not any(True for _ in self._rows(statements.IS_DISTRUSTED, {}))

    # — settling —

    @may_wait
    def settle(self, job: Posted, evidence: Evidence) -> Moved:
        """Write down what a look proved, as one durable transaction.

        A send is given back for want of a trace once and never again, and none where absence is not trusted.
        """
        key = job.key
        with self._transaction() as run:
            taken = sum(
                run(statements.TAKEN, {**key, "number": number, "sms": sms.id}).rowcount
                for number, sms in evidence.taken.items()
            )
            freed = sum(
                run(statements.RELEASE, {**key, "number": number, "reason": evidence.reason}).rowcount
                for number in sorted(evidence.absent)
            )
            known = [sms.credits for sms in evidence.taken.values() if sms.credits is not None]
            closing = {**key, "at": evidence.at, "credits": sum(known) if known else None}
            bounds = {"first": min(job.states), "last": max(job.states), "receivers": len(job.states)}
            if not run(statements.CLOSE_WHOLE_JOB, {**closing, **bounds}).rowcount:
                run(statements.CLOSE_JOB, closing)
        return Moved(taken, freed)

    @may_wait
    def late(self, job: Posted, taken: Mapping[str, Taken], at: str) -> tuple[str, ...]:
        """Note that the provider lists what was given back for want of a trace; whose.

        What is still free is marked as taken; from then on absence never counts again.
        """
        found: list[str] = []
        with self._transaction() as run:
            for number, sms in sorted(taken.items()):
                values = {**job.key, "number": number, "sms": sms.id, "reason": "listed late by the provider"}
                run(statements.LATE, values)
                if run(statements.END_RELEASE, values).rowcount:
                    found.append(number)
            if found:
                run(statements.DISTRUST, {})
                detail = json.dumps({"tag": job.tag, "sends": len(found)})
                run(statements.INSERT_EVENT, {"at": at, "kind": "late", "detail": detail})
        return tuple(found)

    @at_once
    def resolve(self, jobs: Sequence[Posted], *, sent: bool, by: Mapping[str, str], at: str) -> int:
        """Take a person's word for sends in doubt, as one durable transaction; how many moved.

        `by` says who and why; it stays on record. Raises StateError, and moves none, where one is not in doubt.
        """
        by = {name: self._said(text) for name, text in by.items()}
        reason = f"by {by['actor']}: {by['reason']}"
        with self._transaction() as run:
            for job in jobs:
                for number, state in job.states.items():
                    not_sent = statements.TAKEN_BACK if state is State.CANCELLING else statements.RESOLVE_NOT_SENT
                    statement = statements.RESOLVE_SENT if sent else not_sent
                    if run(statement, {**job.key, "number": number, "reason": reason}).rowcount != 1:
                        raise StateError(Diagnostic(code=codes.STATE_MOVED_ON, detail=f"{job.address} was settled"))
            detail = {**by, "sent": sent, "sends": [[*job.key.values(), sorted(job.states)] for job in jobs]}
            run(statements.INSERT_EVENT, {"at": at, "kind": "resolve", "detail": json.dumps(detail)})
        return sum(len(job.states) for job in jobs)

    # — taking back —

    @may_wait
    def take_back(self, job: Posted, by: str) -> frozenset[str]:
        """Mark held sends as being taken back, durably, before the provider is asked to; whose were still held.

        Refused, as a claim is, where the history was changed since this was opened: who is not asked for any more was
        found by what stood on record for them then.
        """
        with self._transaction() as run:
            if run(statements.READ_EPOCH, {}).fetchone()[0] != self._meta["epoch"]:
                raise PlanStale(Diagnostic(code=codes.STATE_MOVED_ON, detail="another run changed its history"))
            return frozenset(
                number
                for number in sorted(job.states)
                if run(statements.TAKE_BACK, {**job.key, "number": number, "by": by}).rowcount
            )

    @may_wait
    def end_take_back(self, job: Posted, *, gone: Collection[str], out: Mapping[str, Taken], reason: str) -> Moved:
        """Write down who was taken back, and who went out after all, as one durable transaction."""
        slipped = "it went out before it could be taken back"
        with self._transaction() as run:
            taken = sum(
                run(statements.SLIPPED_OUT, {**job.key, "number": number, "sms": sms.id, "reason": slipped}).rowcount
                for number, sms in sorted(out.items())
            )
            freed = sum(
                run(statements.TAKEN_BACK, {**job.key, "number": number, "reason": reason}).rowcount
                for number in sorted(gone)
            )
        return Moved(taken, freed)

    # — receipts —

    @may_wait
    def receive(self, job: Posted, receipts: Mapping[str, tuple[Taken, Receipt | None]]) -> int:
        """Write down that held sends went out, and what the operator says, as one durable transaction; how many."""
        moved = 0
        with self._transaction() as run:
            for number, (sms, receipt) in sorted(receipts.items()):
                state = State.ACCEPTED if receipt is None else State.DELIVERED if receipt.delivered else State.FAILED
                if state is job.states[number]:
                    continue
                values = {
                    **job.key,
                    "number": number,
                    "sms": sms.id,
                    "state": state.value,
                    "at": receipt.at if receipt else None,
                    "reason": receipt.reason if receipt else None,
                }
                moved += run(statements.DELIVERED, values).rowcount
        return moved

    def _posted(self, statement: str, values: dict[str, Any] | None = None) -> Iterator[Posted]:
        rows = self._rows(statement, values or {})
        for (message, revision, ordinal, *about), of_job in groupby(rows, key=lambda row: tuple(row[:9])):
            tag, claimed_at, not_after, send_at, answered_at, ids = about
            states = {number: self._state(state) for *_, number, state in of_job}
            self._notice_hashes(next(iter(states)))
            yield Posted(
                message=message,
                revision=revision,
                ordinal=ordinal,
                tag=tag,
                claimed_at=claimed_at,
                not_after=not_after,
                send_at=send_at,
                answered_at=answered_at,
                ids=read_ids(ids),
                states=states,
            )

    @staticmethod
    def _state(word: str) -> State:
        found = _STATES.get(word)
        if found is None:
            raise damaged(f"{word!r} is no state of a send")
        return found


def read_ids(written: str | None) -> tuple[int, ...]:
    """The ids of a report as they stand in `jobs`; raises StateError for what no version of this program writes."""
    try:
        found = json.loads(written) if written else []
    except (ValueError, TypeError):
        raise damaged("the ids of a job can't be read") from None
    if not isinstance(found, list):
        raise damaged("the ids of a job are no list")
    return tuple(found)


def damaged(detail: str) -> StateError:
    """The error for what no version of this program writes."""
    return StateError(Diagnostic(code=codes.STATE_CORRUPT, detail=detail))
