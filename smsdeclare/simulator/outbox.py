"""The simulator's journal in a file, one SMS a line, shared by any number of processes."""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from smsdeclare.simulator.history import Record
    from smsdeclare.simulator.messages import Response

#: An SMS as `_write` writes it: most lines of a POST differ in id and receiver alone, and those need no JSON reader.
_SMS = re.compile(rb'{"id":([0-9]+),("service":"[^"\\]*"),"receiver":"(\+[0-9]+)",(.*\n)')


class Outbox:
    """A `Simulator` that remembers. Threads and processes take turns by a lock on a file beside it."""

    def __init__(self, path: Path, settings: Settings = Settings()) -> None:  # noqa: B008 - frozen
        self.path = path
        self.settings = settings
        self._forget()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, now: float) -> Response:
        """The answer; what happened stands in the file before this returns."""
        if method == "GET" and not self.path.exists():
            # Looking leaves no file behind.
            return Simulator(self.settings).handle(method, path, headers, body, now)
        with self._turn() as file:
            self._catch_up(file)
            known = len(self._simulator.history)
            response = self._simulator.handle(method, path, headers, body, now)
            self._write(file, self._simulator.history.since(known))
            return response

    def sms(self) -> list[Record]:
        """Every SMS accepted and not cancelled, oldest first."""
        with self._turn() as file:
            self._catch_up(file)
            return self._simulator.history.alive()

    def _forget(self) -> None:
        self._simulator = Simulator(self.settings)
        self._read_up_to = 0
        self._lines = 0
        self._inode = 0

    @contextmanager
    def _turn(self) -> Iterator[int]:
        """The open file, while nobody else reads or writes it."""
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                yield file
            except BaseException:
                self._forget()  # what was handled and not written did not happen
                raise
            finally:
                os.close(file)
        finally:
            os.close(lock)

    def _catch_up(self, file: int) -> None:
        """Take in what others appended; a last line without its end is what a kill left, and goes."""
        status = os.fstat(file)
        if status.st_ino != self._inode or status.st_size < self._read_up_to:
            self._forget()
            self._inode = status.st_ino
        if status.st_size == self._read_up_to:
            return
        with open(file, "rb", closefd=False) as news:
            news.seek(self._read_up_to)
            shared = None
            for line in news:
                if not line.endswith(b"\n"):
                    os.ftruncate(file, self._read_up_to)
                    return
                self._lines += 1
                sms = _SMS.fullmatch(line)
                try:
                    if sms and sms.group(2, 4) == shared:
                        self._simulator.history.append_like(int(sms[1]), sms[3].decode())
                    else:
                        self._simulator.history.append(json.loads(line))
                        shared = sms and sms.group(2, 4)
                except (ValueError, KeyError, TypeError, OverflowError):
                    raise ValueError(f"{self.path}:{self._lines}: this line is no record of the simulator") from None
                self._read_up_to += len(line)

    def _write(self, file: int, records: list[Record]) -> None:
        """All lines of one request in one write, so that no line of another request comes between."""
        lines = b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(file, rest) :]
        self._read_up_to += len(lines)
        self._lines += len(records)
