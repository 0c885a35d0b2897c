"""Files that are written whole or not at all, and never through a link to somewhere else."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError


def write(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Put `data` under this name once all of it is on the disk; raises InputError where that fails.

    Links are resolved, so that what they name is replaced. A file that was there keeps its mode, unless `mode` is
    given, which then holds from the first byte on.
    """
    real = Path(os.path.realpath(path))
    draft = real.with_name(f".{real.name}.{uuid.uuid4().hex}")
    try:
        if mode is None and real.exists():
            mode = real.stat().st_mode & 0o777
        descriptor = os.open(
            draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else 0o600
        )
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                if mode is not None:
                    os.fchmod(stream.fileno(), mode)
            draft.replace(real)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        detail = f"{path}: {error.strerror}"
        raise InputError(Diagnostic(code=codes.CANT_WRITE, detail=detail)) from error
