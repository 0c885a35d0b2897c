"""The only reader of project files: regular, bounded, inside the project; and their text with its lines."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic, Related, Span
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from smsdeclare.codes import Code

#: Nobody reads further, and a file of mistakes must not fill the memory with them.
MOST_DIAGNOSTICS = 1_000

LINE_END = re.compile(r"\r\n|\r|\n")
#: C0 but tab, newline and return; DEL; C1 but NEL; the two that Unicode keeps for no character.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bytes(path: Path, *, root: Path, shown: str, limit: int) -> bytes:
    """The whole file, at most `limit` bytes.

    `shown` is what the user would type. Raises InputError where the file, links resolved, lies outside
    `root`, is no regular file, is larger than `limit` (found out before reading) or can't be read.
    """
    with _open(path, root=root, shown=shown, limit=limit) as stream:
        try:
            data = stream.read(limit + 1)
        except OSError as error:
            _refuse(codes.FILE_UNREADABLE, f"{shown}: {_reason(error)}")
    if len(data) > limit:
        # It has grown since its size was asked for.
        _refuse(codes.FILE_TOO_LARGE, _too_large(shown, len(data), limit))
    return data


def open_text(path: Path, *, root: Path, shown: str, limit: int) -> io.TextIOWrapper:
    """A stream over UTF-8 text, byte order mark or not, line ends untouched; the caller closes it.

    Raises InputError as `read_bytes` does. Reading from it raises UnicodeDecodeError where it is not UTF-8.
    """
    binary = _open(path, root=root, shown=shown, limit=limit)
    return io.TextIOWrapper(binary, encoding="utf-8-sig", errors="strict", newline="")


class Source(NamedTuple):
    """The text of one file and where its lines begin. Offsets count characters from 0."""

    file: str
    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, file: str, text: str) -> Source:
        """A line ends with LF, CR or both, as editors count; NEL and the Unicode separators end none."""
        return cls(file=file, text=text, starts=(0, *(match.end() for match in LINE_END.finditer(text))))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of the offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """The stretch between two offsets; what lies behind the text is drawn to its end."""
        start = min(start, len(self.text))
        line, column = self.place(start)
        end_line, end_column = self.place(min(max(end, start), len(self.text)))
        return Span(file=self.file, line=line, column=column, end_line=end_line, end_column=end_column)

    def finding(
        self,
        code: Code,
        start: int,
        end: int,
        detail: str = "",
        *,
        suggestion: str = "",
        first: tuple[int, int, str] | None = None,
    ) -> Diagnostic:
        """A diagnostic about the stretch; `first` is a second place and its label."""
        related = (Related(span=self.span(first[0], first[1]), label=first[2]),) if first else ()
        return Diagnostic(code=code, detail=detail, span=self.span(start, end), suggestion=suggestion, related=related)


def decode(data: bytes, *, file: str) -> Source:
    """The text of UTF-8 bytes, without a byte order mark.

    Raises InputError where it is not UTF-8, at the first byte that is not, and for every control character.
    """
    if len(data) >= 2 and (data[0] == 0) != (data[1] == 0):
        raise InputError(Source.of(file, "").finding(codes.NOT_UTF8, 0, 0, "it looks like UTF-16 or UTF-32"))
    try:
        source = Source.of(file, data.decode().lstrip("\ufeff"))
    except UnicodeDecodeError as error:
        source = Source.of(file, data[: error.start].decode().lstrip("\ufeff"))
        at = len(source.text)
        detail = f"the byte 0x{data[error.start]:02x} begins no character"
        raise InputError(source.finding(codes.NOT_UTF8, at, at, detail)) from None
    controls = islice(_CONTROL.finditer(source.text), MOST_DIAGNOSTICS)
    found = [
        source.finding(codes.CONTROL_CHARACTER, match.start(), match.end(), f"U+{ord(match.group()):04X}")
        for match in controls
    ]
    if found:
        raise InputError(*found)
    return source


def _open(path: Path, *, root: Path, shown: str, limit: int) -> io.BufferedReader:
    try:
        # Not strict: whether something exists outside the project is not for a project to learn.
        real = os.path.realpath(path)
        real_root = os.path.realpath(root)
        if os.path.commonpath((real, real_root)) != real_root:
            _refuse(codes.FILE_OUTSIDE, shown)
        # O_NONBLOCK: opening a pipe must not wait for its writer. O_NOFOLLOW: the links are resolved already.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW)
    except OSError as error:
        _refuse(codes.FILE_UNREADABLE, f"{shown}: {_reason(error)}")
    except ValueError:
        _refuse(codes.FILE_UNREADABLE, f"{shown}: a path can't hold a NUL character or half a character")
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "something else")
            _refuse(codes.FILE_UNREADABLE, f"{shown} is {kind}, not a file")
        if status.st_size > limit:
            _refuse(codes.FILE_TOO_LARGE, _too_large(shown, status.st_size, limit))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def short(text: str) -> str:
    """`text` as a diagnostic quotes it: at most 40 characters."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def _too_large(shown: str, size: int, limit: int) -> str:
    return f"{shown} has {_bytes(size)}, {_bytes(limit)} are allowed"


def _bytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size >= 1_000_000 else f"{size:,} bytes"


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return "it does not exist"
        case errno.EACCES | errno.EPERM:
            return "you may not read it"
        case errno.ELOOP:
            return "its links go round in a circle"
        case errno.ENXIO:
            return "it is not a plain file"
        case _:
            return (error.strerror or "the system refused").lower()


def _refuse(code: Code, detail: str) -> NoReturn:
    raise InputError(Diagnostic(code=code, detail=detail))
