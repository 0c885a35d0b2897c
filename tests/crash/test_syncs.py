"""A disk that says that it could not keep something: nothing may rest on what it was told then."""

import errno
import os
import sqlite3
import stat
from contextlib import closing

import pytest
from timed import BINDING, World, job

from smsdeclare.errors import StateError
from smsdeclare.ledgers.sqlite import SqliteLedger


class FailingCommits:
    """A connection whose next commit fails, as one does when the disk reports an error; the one after would succeed."""

    def __init__(self, connection):
        self._connection = connection
        self.has_failed = False

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, statement, *values):
        if statement == "COMMIT" and not self.has_failed:
            self.has_failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *values)


def test_a_commit_that_fails_is_not_tried_again_and_nothing_is_posted(tmp_path):
    """What the disk had lost once it may keep wrongly ever after: a second sync succeeds and proves nothing."""
    here = World(tmp_path)
    make = here._ledger

    def broken():
        ledger = make()
        ledger._connection = FailingCommits(ledger._connection)
        return ledger

    here._ledger = broken
    with pytest.raises(StateError):
        here.apply(job("+33639980001"))
    here._ledger = make
    assert ({}, []) == (here.states, here.received)


def test_a_folder_that_can_not_be_synced_makes_no_state_that_counts(tmp_path, monkeypatch):
    sync = os.fsync

    def fail_for_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_folders)
    with closing(SqliteLedger(tmp_path / "test.state")) as ledger, pytest.raises(StateError):
        ledger.bind(BINDING)


def test_the_folder_is_synced_after_the_state_has_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda folder: synced.append(os.listdir(folder)))  # noqa: PTH208 - no path
    with closing(SqliteLedger(tmp_path / "test.state")) as ledger:
        ledger.bind(BINDING)
    assert synced
    assert "test.state" in synced[-1]


def test_every_commit_waits_for_the_disk_and_its_folder(tmp_path):
    """`synchronous` 3 is EXTRA: the file, its journal, and the folder that held the journal's name."""
    with closing(SqliteLedger(tmp_path / "test.state")) as ledger:
        ledger.bind(BINDING)
        assert [("delete",)] == list(ledger._rows("PRAGMA journal_mode", {}))
        assert [(3,)] == list(ledger._rows("PRAGMA synchronous", {}))
