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
from smsdeclare.errors import Held, StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.evidence import damaged
from smsdeclare.ledgers.relational import FEATURES, FORMAT, RelationalLedger, checked, foreign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smsdeclare.ledgers.upkeep import Run
    from smsdeclare.records import Binding


#: "SMSD", so that `file` and we know the kind of database before reading a row.
_APPLICATION_ID = 0x534D5344
#: How long to wait for another process that is writing. Seconds.
_BUSY_SECONDS = 30.0


class SqliteLedger(RelationalLedger):
    """A ledger in a file; before its first write it reads as empty and no file exists."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_kept = os.path.lexists(path)
        self._connection = self._open() if self._is_kept else _empty()
        try:
            self._meta = self._read_meta()
            self._upgrade()
        except BaseException:
            self._connection.close()
            raise

    def bind(self, binding: Binding) -> None:
        """Make it belong to `binding`, durably; raises StateError where it belongs elsewhere."""
        if self.binding is None:
            self._create(binding)
        if self.binding != binding:
            raise StateError(foreign(self.binding, binding))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # — the file —

    def _create(self, binding: Binding) -> None:
        """Make the file whole under another name, then give it its own: a kill leaves all of it or nothing."""
        path = self._path
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        meta = {
            "format": str(FORMAT),
            "features": json.dumps(FEATURES),
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
                    _make_durable(connection)
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
        self._connection, self._is_kept = self._open(), True
        self._meta = self._read_meta()

    def _open(self) -> sqlite3.Connection:
        with _named(self._path):
            if self._path.is_symlink() or not self._path.is_file():
                raise damaged(f"{self._path.name} is not a plain file")
            if self._path.stat().st_size == 0:
                raise damaged(f"{self._path.name} is empty; an empty state would send everything again")
            connection = _connect(self._path)
            try:
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                if application != _APPLICATION_ID:
                    raise damaged(f"{self._path.name} is not a state of smsdeclare")
                _make_durable(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def _read_meta(self) -> dict[str, str]:
        with _named(self._path):
            meta = dict(self._connection.execute(statements.READ_META).fetchall())
        if not meta and not self._is_kept:
            return meta
        try:
            return checked(meta)
        except (KeyError, ValueError) as error:
            raise damaged(f"{self._path.name}: its meta can't be read ({type(error).__name__})") from None

    def _upgrade(self) -> None:
        """Bring a state of an older format up to this one's, each step as a transaction."""
        while self._meta and int(self._meta["format"]) < FORMAT:
            before = int(self._meta["format"])
            with self._transaction() as run:
                # Another process may have been faster.
                if run(statements.READ_FORMAT, {}).fetchone()[0] == str(before):
                    for statement in statements.MIGRATIONS[before]:
                        run(statement, {})
                    run(statements.SET_FORMAT, {"format": str(before + 1)})
            self._meta = self._read_meta()

    @contextmanager
    def _transaction(self) -> Iterator[Run]:
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
            # Not `yield from`, which would close the cursor of a state that was closed before it was read to the end.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _make_durable(connection: sqlite3.Connection) -> None:
    # DELETE and not WAL: after a kill the one file holds all that was committed. EXTRA also syncs the folder.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")


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
        raise damaged(f"{path.name}: {error}") from error
    except OSError as error:
        raise StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail=f"{path.name}: {error.strerror}")) from error
