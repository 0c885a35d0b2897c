"""What every ledger in a relational database does alike; an engine brings the connection and the transaction."""

from __future__ import annotations

import itertools
import json
from abc import abstractmethod
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, PlanStale, StateError
from smsdeclare.jobs import tag
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.meta import FIRST_EPOCH, FORMAT, foreign
from smsdeclare.ledgers.reading import ReadingLedger, named
from smsdeclare.ledgers.upkeep import Run, read_stopped, stopped_by
from smsdeclare.ledgers.writes import at_once, may_wait
from smsdeclare.records import HASH_MARK, Binding, Claim
from smsdeclare.states import FREE, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from smsdeclare.ledger import Request
    from smsdeclare.ledgers.copies import Contents, Pushed
    from smsdeclare.records import Intent, Outcome


class RelationalLedger(ReadingLedger):
    """The statements of a ledger, in order; safe by the claim alone, whatever the engine's locks."""

    #: How the engine says what `statements.TABLES` leaves open.
    words: Mapping[str, str]

    @abstractmethod
    def _create(self, binding: Binding) -> None:
        """Make the tables with `fresh_meta` in them, all or nothing; where another run was faster, its own stay."""

    @abstractmethod
    def pull(self, target: Path) -> Contents:
        """Write a copy, a SQLite file, under a name that is free: what is committed at this moment, looked through.

        Runs go on. Raises InputError where it can't be written, StateError where it would be damaged.
        """

    @abstractmethod
    def push(self, copy: Path, wanted: Binding, at: str) -> Pushed:
        """Put the copy in place of all that is on record, as one durable transaction that raises the epoch.

        An empty service of `wanted` is any. Raises StateError where the copy is damaged, belongs elsewhere or lacks
        something that is on record, or where something is in doubt; InputError where it can't be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    # — what it is —

    @may_wait
    def bind(self, binding: Binding) -> None:
        """Make it belong to `binding`, durably; raises StateError where it belongs elsewhere."""
        if self.binding is None:
            self._create(binding)
            # Where another run was faster: what it has changed since is not in a plan that began with nothing.
            self._meta["epoch"] = FIRST_EPOCH
            self._check_numbers()
        self.check_not_moved()
        if self.binding != binding:
            raise StateError(foreign(self.binding, binding))

    def _upgrade(self) -> None:
        """Bring a state of an older format up to this one's, each step as a transaction."""
        while self._meta and int(self._meta["format"]) < FORMAT:
            before = int(self._meta["format"])
            with self._transaction() as run:
                # Another process may have been faster.
                if run(statements.READ_FORMAT, {}).fetchone()[0] == str(before):
                    for statement in statements.MIGRATIONS[before]:
                        run(statement.format(**self.words), {})
                    run(statements.SET_FORMAT, {"format": str(before + 1)})
            self._meta = self._read_meta()

    @property
    def binding(self) -> Binding | None:
        """What it belongs to; None before its first write."""
        if "project" not in self._meta:
            return None
        meta = self._meta
        return Binding(
            project=meta["project"],
            provider=meta["provider"],
            endpoint=meta["endpoint"],
            service=meta["service"],
        )

    @property
    def secret(self) -> bytes | None:
        """Keys the refs; None before its first write."""
        return bytes.fromhex(self._meta["secret"]) if "secret" in self._meta else None

    @property
    def epoch(self) -> int:
        """Raised by whatever changes keys or history."""
        return int(self._meta.get("epoch", 0))

    def next_tags(self, message: str, revision: int, count: int) -> Sequence[str]:
        """The marks of the next jobs of a revision; none before it is bound."""
        binding = self.binding
        if binding is None:
            return ()
        ((ordinal,),) = self._rows(statements.NEXT_ORDINAL, {"message": message, "revision": revision})
        tags = (_tag(binding, message, revision, place) for place in itertools.count(ordinal))
        return tuple(itertools.islice((one for one in tags if not self._has_job(one)), count))

    def has_given_out(self, tag: str) -> bool:
        """Whether a job on record has this mark."""
        return self._has_job(tag)

    def _has_job(self, tag: str) -> bool:
        return any(True for _ in self._rows(statements.TAG_TAKEN, {"tag": tag}))

    # — writing —

    def claim(self, intent: Intent, prepare: Callable[[Claim], Request], *, epoch: int) -> tuple[Claim, Request] | None:
        """Take what is free of the intended numbers, as one durable transaction."""
        return self.claim_all([(intent, prepare)], epoch=epoch)[0]

    @at_once
    def claim_all(
        self,
        wanted: Sequence[tuple[Intent, Callable[[Claim], Request]]],
        *,
        epoch: int,
        outcomes: Sequence[tuple[Claim, Outcome]] = (),
    ) -> Sequence[tuple[Claim, Request] | None]:
        """As `claim` for several jobs, and what became of earlier ones, as one durable transaction."""
        claimed: list[tuple[Claim, Request] | None] = []
        with self._transaction() as run:
            self._check(run, epoch)
            for earlier, became in outcomes:
                self._answer(run, earlier, became)
            for intent, prepare in wanted:
                claim = self._take(run, intent, State.INTENDED)
                if claim is None:
                    claimed.append(None)
                    continue
                request = prepare(claim)
                self._add_job(run, intent, claim, request.body_digest, request.not_after)
                claimed.append((claim, request))
        return claimed

    @may_wait
    def miss(self, intent: Intent, *, epoch: int) -> int:
        """Record the free ones of the intended numbers as missed, for good, as one durable transaction; how many."""
        with self._transaction() as run:
            self._check(run, epoch)
            claim = self._take(run, intent, State.MISSED)
            if claim is None:
                return 0
            # A job that was never posted: it keeps the text and the plan that the sends belong to.
            self._add_job(run, intent, claim, body_digest="", not_after=0)
        return len(claim.numbers)

    @staticmethod
    def _check(run: Run, epoch: int) -> None:
        """Nothing is taken for an older epoch, nor while somebody has stopped it."""
        if int(run(statements.READ_EPOCH, {}).fetchone()[0]) != epoch:
            raise PlanStale(Diagnostic(code=codes.STATE_MOVED_ON, detail="another run changed its history"))
        stopped = run(statements.READ_STOPPED, {}).fetchone()
        if stopped is not None:
            raise Held(stopped_by(read_stopped(stopped[0])))

    def _take(self, run: Run, intent: Intent, state: State) -> Claim | None:
        """Move the free ones of the intended numbers to `state` under the next job; None where none is free."""
        binding = self.binding
        if binding is None:
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail="nothing can be claimed before it is bound"))
        key = {"message": intent.message, "revision": intent.revision}
        ordinal = run(statements.NEXT_ORDINAL, key).fetchone()[0]
        # Jobs of an earlier message of this name may live on under its new one: no tag is ever given out twice.
        mark = _tag(binding, intent.message, intent.revision, ordinal)
        while run(statements.TAG_TAKEN, {"tag": mark}).fetchone():
            ordinal += 1
            mark = _tag(binding, intent.message, intent.revision, ordinal)
        called = self._called(run, intent)
        numbers = {f"number{place}": name for place, name in enumerate(called)}
        upsert = statements.claim(len(called), tuple(sorted(FREE))) if called else ""
        rows = run(upsert, {**key, **numbers, "state": state.value, "ordinal": ordinal}).fetchall() if called else []
        if not rows:
            return None
        return Claim(
            message=intent.message,
            revision=intent.revision,
            ordinal=ordinal,
            tag=mark,
            numbers=tuple(sorted(called[row[0]] for row in rows)),
            send_at=intent.send_at,
        )

    def _called(self, run: Run, intent: Intent) -> dict[str, str]:
        """What stands on record → the intended number, in the order in which all take rows; without who was erased."""
        if not self.has_hashes:
            return {number: number for number in sorted(intent.numbers)}
        called = {name: number for number in intent.numbers for name in self.names(number)}
        if len(called) > len(intent.numbers):
            key = {"message": intent.message, "revision": intent.revision}
            hashes = [name for name in called if name.startswith(HASH_MARK)]
            for some in named(hashes):
                erased = run(statements.on_record(len(some)), {**key, **some}).fetchall()
                for number in [called[name] for (name,) in erased]:
                    del called[number]
            for name in hashes:
                del called[name]
        return dict(sorted(called.items()))

    def _add_job(self, run: Run, intent: Intent, claim: Claim, body_digest: str, not_after: int) -> None:
        job = {
            "message": claim.message,
            "revision": claim.revision,
            "ordinal": claim.ordinal,
            "tag": claim.tag,
            "provider": self._meta["provider"],
            "endpoint": self._meta["endpoint"],
            "service": self._meta["service"],
            "receivers": len(claim.numbers),
            "text_digest": intent.text_digest,
            "template_digest": intent.template_digest,
            "options": intent.options,
            "body_digest": body_digest,
            "plan_digest": intent.plan_digest,
            "claimed_at": intent.claimed_at,
            "not_after": not_after,
            "estimate": intent.estimate,
            "send_at": intent.send_at,
            "times": intent.times,
        }
        run(statements.INSERT_JOB, job)

    @may_wait
    def complete(self, revisions: Iterable[tuple[str, int]], at: str) -> None:
        """Note that nothing is left of these revisions of messages."""
        news = [(message, revision) for message, revision in revisions if not self.is_complete(message, revision)]
        if news:
            with self._transaction() as run:
                for message, revision in news:
                    run(statements.COMPLETE, {"message": message, "revision": revision, "at": at})

    def record(self, claim: Claim, outcome: Outcome) -> int:
        """Write an outcome, as one durable transaction; how many sends moved."""
        return self.record_all([(claim, outcome)])

    @may_wait
    def record_all(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> int:
        """As `record` for several claims, as one durable transaction; how many sends moved."""
        try:
            with self._transaction() as run:
                return sum(self._answer(run, claim, outcome) for claim, outcome in outcomes)
        except Held as error:
            # To be told as what it is: who waits for the other run does not learn what became of these.
            raise StateError(*error.diagnostics) from error

    def _answer(self, run: Run, claim: Claim, outcome: Outcome) -> int:
        by_state: dict[State, list[str]] = {}
        for number, state in sorted(outcome.states.items()):
            by_state.setdefault(state, []).append(self.names(number)[0])
        key = {"message": claim.message, "revision": claim.revision, "ordinal": claim.ordinal}
        answer = {
            **key,
            "at": outcome.at,
            "accepted": sum(len(by_state.get(state, ())) for state in (State.ACCEPTED, State.SCHEDULED)),
            "credits": outcome.credits,
            "ids": json.dumps(list(outcome.ids)),
            "query_id": outcome.query_id,
        }
        run(statements.ANSWER_JOB, answer)
        reasons = {state: self._said(reason) for state, reason in outcome.reasons.items()}
        return sum(
            run(
                statements.move(len(some)), {**key, **some, "state": state.value, "reason": reasons.get(state)}
            ).rowcount
            for state, numbers in by_state.items()
            for some in named(numbers)
        )


def _tag(binding: Binding, message: str, revision: int, ordinal: int) -> str:
    return tag(binding.project, binding.service, message, revision, ordinal)
