"""The ledger in a schema of a PostgreSQL database, for several runs at once on machines that come and go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers import postgresql_copies, statements
from smsdeclare.ledgers.evidence import damaged
from smsdeclare.ledgers.meta import checked, fresh_meta
from smsdeclare.ledgers.naming import AS_KEPT
from smsdeclare.ledgers.postgresql_server import WORDS, CommitInDoubt, Server
from smsdeclare.ledgers.relational import RelationalLedger
from smsdeclare.ledgers.sqlite_file import empty
from smsdeclare.records import Outcome
from smsdeclare.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from smsdeclare.clock import Clock
    from smsdeclare.ledger import Request
    from smsdeclare.ledgers.copies import Contents, Pushed
    from smsdeclare.ledgers.naming import Numbers
    from smsdeclare.ledgers.upkeep import Run
    from smsdeclare.records import Binding, Claim, Intent

#: How many of the ledger's tables there are.
_TABLES = """
    SELECT COUNT(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname IN ('meta', 'sends', 'jobs', 'completions', 'events')"""
_SCHEMA = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :schema"
_WRITER = "SELECT value FROM meta WHERE name = 'writer'"
#: An outcome is tried again after so many seconds: a server that restarts is back after a few.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)


class PostgresqlLedger(RelationalLedger):
    """A ledger in a schema; before its first write it reads as empty, and no table exists."""

    is_shared = True
    words = WORDS

    def __init__(self, url: str, schema: str, clock: Clock, numbers: Numbers = AS_KEPT) -> None:
        self._server = Server(url, schema)
        self._clock = clock
        self._numbers = numbers
        self._is_kept = False
        #: What is read before the first write.
        self._nothing = empty()
        try:
            self._meta = self._read_meta()
            self._upgrade()
            self._check_numbers()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._server.close()
        self._nothing.close()

    # — commits whose end is not known —

    def claim_all(
        self,
        wanted: Sequence[tuple[Intent, Callable[[Claim], Request]]],
        *,
        epoch: int,
        outcomes: Sequence[tuple[Claim, Outcome]] = (),
    ) -> Sequence[tuple[Claim, Request] | None]:
        """As `claim` for several jobs, and what became of earlier ones, as one durable transaction.

        Where it is not known whether that was committed, nothing is returned that could be posted: what is surely on
        record is given back, anything else stays in doubt. Raises CommitInDoubt then.
        """
        made: list[Claim] = []

        def remembering(prepare: Callable[[Claim], Request]) -> Callable[[Claim], Request]:
            def remember(claim: Claim) -> Request:
                made.append(claim)
                return prepare(claim)

            return remember

        try:
            watched = [(intent, remembering(prepare)) for intent, prepare in wanted]
            return super().claim_all(watched, epoch=epoch, outcomes=outcomes)
        except CommitInDoubt as doubt:
            self._give_back(made, doubt.writer, wanted[0][0].claimed_at)
            raise

    def record_all(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> int:
        """Write outcomes, as one durable transaction; how many sends moved.

        Once more where the connection was lost: what is on record already does not move again.
        """
        for pause in _PAUSES:
            try:
                return super().record_all(outcomes)
            except StateError as error:
                if error.diagnostics[0].code not in (codes.STATE_UNREACHABLE, codes.STATE_COMMIT_UNKNOWN):
                    raise
            self._clock.sleep(pause)
        return super().record_all(outcomes)

    def _give_back(self, claims: list[Claim], writer: str, at: str) -> None:
        """Free what was claimed and never posted, if its commit is seen; another's commit since hides it."""
        reasons = {State.NOT_SENT: "the connection to the state was lost before it was posted"}
        unposted = [
            (claim, Outcome(states=dict.fromkeys(claim.numbers, State.NOT_SENT), at=at, reasons=reasons))
            for claim in claims
        ]
        try:
            if self._server.rows(_WRITER, {}) == [(writer,)]:
                super().record_all(unposted)
        except StateError:
            # It stays in doubt, which is safe.
            return

    # — copies —

    def pull(self, target: Path) -> Contents:
        """Write a copy under a name that is free: what is committed at this moment, looked through, and durable."""
        if not self._is_kept:
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail=self._place))
        return postgresql_copies.pull(self._server, target)

    def push(self, copy: Path, wanted: Binding, at: str) -> Pushed:
        """Put the copy in place of all that is on record, as one durable transaction that raises the epoch."""
        lay = None if self._is_kept else self._lay
        try:
            pushed = postgresql_copies.push(self._server, copy, wanted, at, lay=lay)
        except StateError:
            if self._is_kept or not self._read_meta():
                raise
            detail = f"{self._place}: another run made it"
            raise StateError(Diagnostic(code=codes.STATE_MOVED_ON, detail=detail, suggestion="Push again.")) from None
        self._meta = self._read_meta()
        return pushed

    # — the schema —

    @property
    def _place(self) -> str:
        return f"PostgreSQL schema {self._server.schema}"

    def _create(self, binding: Binding) -> None:
        try:
            with self._server.unlocked() as run:
                self._lay(run)
                for name, value in fresh_meta(binding, self._numbers).items():
                    run(statements.INSERT_META, {"name": name, "value": value})
        except StateError:
            # Another run may have been faster: then its tables are the state.
            self._meta = self._read_meta()
            if not self._meta:
                raise
        else:
            self._meta = self._read_meta()

    def _lay(self, run: Run) -> None:
        """Make the schema, where nobody has made it for us, and its tables."""
        if not run(_SCHEMA, {"schema": self._server.schema}).fetchone():
            run(f'CREATE SCHEMA "{self._server.schema}"', {})
        for table in statements.TABLES:
            run(table.format(**WORDS), {})

    def _read_meta(self) -> dict[str, str]:
        ((tables,),) = self._server.rows(_TABLES, {"schema": self._server.schema})
        if not tables:
            return {}
        if tables != len([table for table in statements.TABLES if "CREATE TABLE" in table]):
            raise damaged(f"{self._place}: it has some of the tables of a state, but not all")
        self._is_kept = True
        return checked(dict(self._server.rows(statements.READ_META, {})), self._place)

    @contextmanager
    def _transaction(self) -> Iterator[Run]:
        with self._server.writing() as run:
            yield run

    def _rows(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        if not self._is_kept:
            return iter(self._nothing.execute(statement, values).fetchall())
        if statement in statements.LONG:
            return self._server.stream(statement, values)
        return iter(self._server.rows(statement, values))
