"""The ledger in one SQLite file: mode 0600, rollback journal, every commit durable against power loss."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import uuid
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from smsdeclare import __version__, codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, PlanStale, StateError
from smsdeclare.jobs import tag
from smsdeclare.ledger import FREE, Binding, Claim, Known, Record, Request, State
from smsdeclare.ledgers import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from smsdeclare.ledger import Intent, Outcome

#: "SMSD", so that `file` and we know the kind of database before reading a row.
_APPLICATION_ID = 0x534D5344
_FORMAT = 1
#: What a version must understand to keep this ledger whole.
_FEATURES: tuple[str, ...] = ()
_BINDING = ("project", "provider", "endpoint", "service")
_META = ("format", "features", "version", "lineage", "serial", "epoch", "secret", *_BINDING)
#: How long to wait for another process that is writing. Seconds.
_BUSY_SECONDS = 30.0


class SqliteLedger:
    """A ledger in a file; before its first write it reads as empty and no file exists."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._open() if os.path.lexists(path) else _empty()
        self._meta = self._read_meta()

    # — what it is —

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

    def bind(self, binding: Binding) -> None:
        """Make it belong to `binding`, durably; raises StateError where it belongs elsewhere."""
        if self.binding is None:
            self._create(binding)
        if self.binding != binding:
            raise StateError(foreign(self.binding, binding))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # — reading —

    def revisions(self, message: str) -> Sequence[int]:
        """Which revisions of a message are on record, ascending."""
        return [row[0] for row in self._rows(statements.REVISIONS, {"message": message})]

    def known(self, message: str, revision: int) -> Iterator[Known]:
        """Every send of a revision, ordered by number."""
        for number, state, *rest in self._rows(statements.KNOWN, {"message": message, "revision": revision}):
            yield Known(number, self._state(state), *rest)

    def credits_taken(self, message: str, revision: int, *, but: str | None = None) -> float:
        """Credits that the jobs of a revision took, those claimed under the plan digest `but` left out."""
        key = {"message": message, "revision": revision, "but": but or ""}
        ((taken,),) = self._rows(statements.CREDITS_TAKEN, key)
        return float(taken)

    def in_doubt(self) -> Iterator[Record]:
        """Every send whose fate is open, ordered by key."""
        return map(self._record, self._rows(statements.RECORDS_IN_DOUBT, {}))

    def records(self, message: str | None = None, revision: int | None = None) -> Iterator[Record]:
        """What is on record, ordered by message, revision and number."""
        if message is None:
            statement = statements.RECORDS
        else:
            statement = statements.RECORDS_OF_MESSAGE if revision is None else statements.RECORDS_OF_REVISION
        return map(self._record, self._rows(statement, {"message": message, "revision": revision}))

    # — writing —

    def claim(self, intent: Intent, prepare: Callable[[Claim], Request], *, epoch: int) -> tuple[Claim, Request] | None:
        """Take what is free of the intended numbers, as one durable transaction."""
        binding = self.binding
        if binding is None:
            raise StateError(Diagnostic(code=codes.STATE_ABSENT, detail="nothing can be claimed before it is bound"))
        key = {"message": intent.message, "revision": intent.revision}
        with self._transaction() as run:
            if int(run(statements.READ_EPOCH, {}).fetchone()[0]) != epoch:
                raise PlanStale(Diagnostic(code=codes.STATE_MOVED_ON, detail="another run changed its history"))
            ordinal = run(statements.NEXT_ORDINAL, key).fetchone()[0]
            numbers = {f"number{place}": number for place, number in enumerate(intent.numbers)}
            upsert = statements.claim(len(intent.numbers), tuple(sorted(FREE)))
            ours = tuple(sorted(row[0] for row in run(upsert, {**key, **numbers, "ordinal": ordinal}).fetchall()))
            if not ours:
                return None
            claim = Claim(
                message=intent.message,
                revision=intent.revision,
                ordinal=ordinal,
                tag=tag(binding.project, binding.service, intent.message, intent.revision, ordinal),
                numbers=ours,
            )
            request = prepare(claim)
            job = {
                **key,
                "ordinal": ordinal,
                "tag": claim.tag,
                "provider": binding.provider,
                "endpoint": binding.endpoint,
                "service": binding.service,
                "receivers": len(ours),
                "text_digest": intent.text_digest,
                "options": intent.options,
                "body_digest": request.body_digest,
                "plan_digest": intent.plan_digest,
                "claimed_at": intent.claimed_at,
                "not_after": request.not_after,
                "send_at": intent.send_at,
            }
            run(statements.INSERT_JOB, job)
        return claim, request

    def record(self, claim: Claim, outcome: Outcome) -> int:
        """Write an outcome, as one durable transaction; how many sends moved."""
        key = {"message": claim.message, "revision": claim.revision, "ordinal": claim.ordinal}
        accepted = sum(state in (State.ACCEPTED, State.SCHEDULED) for state in outcome.states.values())
        answer = {
            **key,
            "at": outcome.at,
            "accepted": accepted,
            "credits": outcome.credits,
            "ids": json.dumps(list(outcome.ids)),
            "query_id": outcome.query_id,
        }
        moved = 0
        with self._transaction() as run:
            run(statements.ANSWER_JOB, answer)
            for number, state in outcome.states.items():
                values = {**key, "number": number, "state": state.value, "reason": outcome.reasons.get(state)}
                moved += run(statements.MOVE, values).rowcount
        return moved

    # — the file —

    def _create(self, binding: Binding) -> None:
        """Make the file whole under another name, then give it its own: a kill leaves all of it or nothing."""
        path = self._path
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        meta = {
            "format": str(_FORMAT),
            "features": json.dumps(_FEATURES),
            "version": __version__,
            "lineage": str(uuid.uuid4()),
            "serial": "1",
            "epoch": "1",
            "secret": secrets.token_hex(32),
            **asdict(binding),
        }
        with _named(path):
            try:
                os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
                connection = _connect(draft)
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    _lay_tables(connection)
                    connection.executemany(
                        statements.INSERT_META,
                        [{"name": name, "value": value} for name, value in meta.items()],
                    )
                    connection.execute("COMMIT")
                finally:
                    connection.close()
                with suppress(FileExistsError):  # then another run was faster, and its file is the state
                    os.link(draft, path)
                _sync_folder(path.parent)
            finally:
                draft.unlink(missing_ok=True)
        self._connection.close()
        self._connection = self._open()
        self._meta = self._read_meta()

    def _open(self) -> sqlite3.Connection:
        with _named(self._path):
            if self._path.is_symlink() or not self._path.is_file():
                raise _damaged(f"{self._path.name} is not a plain file")
            if self._path.stat().st_size == 0:
                raise _damaged(f"{self._path.name} is empty; an empty state would send everything again")
            connection = _connect(self._path)
            try:
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                if application != _APPLICATION_ID:
                    raise _damaged(f"{self._path.name} is not a state of smsdeclare")
            except BaseException:
                connection.close()
                raise
            return connection

    def _read_meta(self) -> dict[str, str]:
        with _named(self._path):
            meta = dict(self._connection.execute(statements.READ_META).fetchall())
        if not meta:
            return meta
        missing = [name for name in _META if name not in meta]
        if missing:
            raise _damaged(f"{self._path.name} lacks {', '.join(missing)}")
        unknown = [feature for feature in json.loads(meta["features"]) if feature not in _FEATURES]
        if int(meta["format"]) > _FORMAT or unknown:
            detail = f"format {meta['format']}, features {', '.join(unknown) or 'none'}, written by {meta['version']}"
            raise StateError(Diagnostic(code=codes.STATE_NEWER, detail=detail))
        return meta

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[str, dict[str, Any]], sqlite3.Cursor]]:
        with _named(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute(statements.RAISE_SERIAL)
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _rows(self, statement: str, values: dict[str, Any]) -> Iterator[Any]:
        with _named(self._path):
            yield from self._connection.execute(statement, values)

    def _record(self, row: Any) -> Record:
        (message, revision, number, state, attempts, reason, ids, taken, accepted, receivers, *times) = row
        claimed_at, answered_at, delivered_at, send_at = times
        state = self._state(state)
        took = state in (State.ACCEPTED, State.SCHEDULED, State.DELIVERED, State.FAILED)
        known_ids = json.loads(ids) if ids else []
        return Record(
            message=message,
            revision=revision,
            number=number,
            state=state,
            attempts=attempts,
            reason=reason,
            # Which id is whose is certain only where there is one of each: the order of `ids` is not documented.
            id=known_ids[0] if took and receivers == 1 and len(known_ids) == 1 else None,
            credits=taken / accepted if took and taken is not None and accepted else None,
            claimed_at=claimed_at,
            accepted_at=answered_at if took else None,
            delivered_at=delivered_at,
            send_at=send_at,
        )

    def _state(self, word: str) -> State:
        try:
            return State(word)
        except ValueError:
            raise _damaged(f"{word!r} is no state of a send") from None


def foreign(found: Binding | None, wanted: Binding) -> Diagnostic:
    """The diagnostic for a ledger that belongs to `found` where `wanted` is asked for."""
    differ = [
        f"its {name} is {getattr(found, name)}, not {getattr(wanted, name)}"
        for name in _BINDING
        if getattr(found, name, None) != getattr(wanted, name)
    ]
    return Diagnostic(code=codes.STATE_FOREIGN, detail="; ".join(differ))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    # DELETE and not WAL: after a kill the one file holds all that was committed. EXTRA also syncs the folder.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _lay_tables(connection)
    return connection


def _lay_tables(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    for table in statements.TABLES:
        connection.execute(table.format(clustered="WITHOUT ROWID"))


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(detail: str) -> StateError:
    return StateError(Diagnostic(code=codes.STATE_CORRUPT, detail=detail))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk raise into errors with a code."""
    try:
        yield
    except sqlite3.OperationalError as error:
        detail = f"{path.name}: {error}"
        if "locked" in str(error) or "busy" in str(error):
            raise Held(Diagnostic(code=codes.STATE_BUSY, detail=detail)) from error
        code = codes.STATE_CORRUPT if "no such" in str(error) else codes.STATE_UNWRITABLE
        raise StateError(Diagnostic(code=code, detail=detail)) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(f"{path.name}: {error}") from error
    except OSError as error:
        raise StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail=f"{path.name}: {error.strerror}")) from error
