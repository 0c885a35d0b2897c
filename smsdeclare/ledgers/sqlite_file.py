"""SQLite files: made whole or not at all, every commit durable, failures named."""

from __future__ import annotations

import os
import sqlite3
import sys
import uuid
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import Held, InputError, StateError
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.evidence import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smsdeclare.ledgers.upkeep import Run

#: "SMSD", so that `file` and we know the kind of database before reading a row.
APPLICATION_ID = 0x534D5344
#: How SQLite says what `statements.TABLES` leaves open.
WORDS = {"text": "TEXT", "counter": "INTEGER PRIMARY KEY", "clustered": "WITHOUT ROWID"}
#: The two bytes of a database's head that say that its latest pages may stand in another file.
_WRITES_AHEAD = b"\x02\x02"
#: What to do where a copy is not sound.
BAD_COPY = "This is about the copy; the state is as it was. Look for another copy."
#: How long to wait for another process that is writing. Seconds.
_BUSY_SECONDS = 30.0


def open_kept(path: Path) -> sqlite3.Connection:
    """The database of a ledger, for writing; raises StateError where the file is none."""
    with named(path.name):
        if path.is_symlink() or not path.is_file():
            raise damaged(f"{path.name} is not a plain file")
        if path.stat().st_size == 0:
            raise damaged(f"{path.name} is empty; an empty state would send everything again")
        connection = _connect(path)
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                raise damaged(f"{path.name} is not a state of smsdeclare")
            _make_durable(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def empty() -> sqlite3.Connection:
    """A database of a ledger in memory, without a row."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    lay_tables(connection)
    return connection


def from_bytes(content: bytes, name: str) -> sqlite3.Connection:
    """The database of a ledger in memory, out of what `serialize` made of one; raises StateError where it is none."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with named(name):
            if not content:
                raise damaged(f"{name}: it is empty; an empty state would send everything again")
            connection.deserialize(content)
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                raise damaged(f"{name} is not a state of smsdeclare")
    except BaseException:
        connection.close()
        raise
    return connection


def lay_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a ledger."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for table in statements.TABLES:
        connection.execute(table.format(**WORDS))


@contextmanager
def made_whole(path: Path) -> Iterator[sqlite3.Connection]:
    """A new database under another name, which gets its own when all is written: a kill leaves all of it or nothing.

    Raises FileExistsError where the name is taken, and StateError where SQLite would roll an old journal back into it.
    """
    left = _journals(path)
    if left and not os.path.lexists(path):
        advice = "It belongs to a state that is gone from here. Move it to where that one is."
        raise StateError(Diagnostic(code=codes.STATE_CORRUPT, detail=f"{left[0]} was left behind", suggestion=advice))
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        connection = _connect(draft)
        try:
            _make_durable(connection)
            yield connection
        finally:
            connection.close()
        try:
            os.link(draft, path)
        finally:
            # Also where another was faster: nobody builds on a name that power loss could take away.
            _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def check_copy(path: Path) -> None:
    """Raises InputError where a copy can't be read, and StateError where SQLite would find less in it than was written.

    Looks at the file alone, since SQLite writes beside some files even where it only reads.
    """
    if not path.is_file():
        what = "it is not a plain file" if os.path.lexists(path) else "it does not exist"
        raise InputError(Diagnostic(code=codes.FILE_UNREADABLE, detail=f"{path}: {what}"))
    try:
        with path.open("rb") as stream:
            head = stream.read(20)
    except OSError as error:
        raise InputError(Diagnostic(code=codes.FILE_UNREADABLE, detail=f"{path}: {error.strerror}")) from error
    with blaming_the_copy():
        if not head:
            raise damaged(f"{path.name} is empty")
        beside = _journals(path)
        if beside:
            raise damaged(f"{beside[0]} lies beside it: it is in use, or was copied in the middle of a write")
        if head[18:] == _WRITES_AHEAD:
            raise damaged(f"{path.name} was switched to a write-ahead log, which no copy is")


@contextmanager
def attached(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Attach a checked copy as `copy`, for reading only; raises StateError where it is no database."""
    with blaming_the_copy(), named(path.name):
        connection.execute("ATTACH ? AS copy", (_read_only(path),))
    try:
        yield
    finally:
        connection.execute("DETACH copy")


@contextmanager
def committed(connection: sqlite3.Connection) -> Iterator[Run]:
    """One transaction, alone in writing: commit what runs inside; undo all of it where something is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection.execute
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def named(name: str) -> Iterator[None]:
    """Turn what SQLite and the disk raise into errors with a code and the file's name."""
    try:
        yield
    except sqlite3.OperationalError as error:
        detail = f"{name}: {error}"
        if "locked" in str(error) or "busy" in str(error):
            raise Held(Diagnostic(code=codes.STATE_BUSY, detail=detail)) from error
        code = codes.STATE_CORRUPT if "no such" in str(error) else codes.STATE_UNWRITABLE
        raise StateError(Diagnostic(code=code, detail=detail)) from error
    except sqlite3.DatabaseError as error:
        raise damaged(f"{name}: {error}") from error
    except OSError as error:
        raise StateError(Diagnostic(code=codes.STATE_UNWRITABLE, detail=f"{name}: {error.strerror}")) from error


@contextmanager
def blaming_the_copy() -> Iterator[None]:
    """Who can't use a copy must not think that the state itself is damaged."""
    try:
        yield
    except StateError as error:
        found = error.diagnostics[0]
        if found.code is codes.STATE_CORRUPT:
            raise StateError(found._replace(suggestion=BAD_COPY)) from error
        raise


def read_format(path: Path) -> int:
    """Which format a ledger's file has, without touching it; a high number where that is not known."""
    with suppress(sqlite3.DatabaseError, OSError, ValueError), closing(_open_read_only(path)) as connection:
        ((found,),) = connection.execute(statements.READ_FORMAT).fetchall()
        return int(found)
    return sys.maxsize


def copy_bytes(path: Path, target: Path) -> None:
    """What a database holds at one moment, to a file of its own."""
    with closing(_open_read_only(path)) as source, closing(sqlite3.connect(target)) as made:
        source.backup(made)


def _open_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(_read_only(path), uri=True, timeout=_BUSY_SECONDS)


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


def _journals(path: Path) -> list[str]:
    """The names beside `path` that SQLite takes for a part of it."""
    names = [f"{path.name}{end}" for end in ("-journal", "-wal")]
    return [name for name in names if os.path.lexists(path.with_name(name))]


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _make_durable(connection: sqlite3.Connection) -> None:
    # DELETE and not WAL: after a kill the one file holds all that was committed. EXTRA also syncs the folder.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
