"""What `smsdeclare doctor` finds: ok, a warning or an error, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from smsdeclare.diagnostics import Diagnostic

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `message` and `fix` are raw: whoever shows them masks and escapes."""

    #: What was looked at: `files`, `credentials`, and so on.
    check: str
    status: Status
    message: str
    #: What to do; empty where nothing is to be done.
    fix: str = ""
    #: The diagnostic's, where there is one.
    code: str | None = None


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check=check, status="ok", message=message)


def trouble(check: str, status: Status, message: str, fix: str) -> Finding:
    """Something that no other command would say."""
    return Finding(check=check, status=status, message=message, fix=fix)


def told(check: str, one: Diagnostic, status: Status | None = None) -> Finding:
    """What another command would say as well, with its code; as bad as its code, or as `status`."""
    place = f"{one.span.file}:{one.span.line}: " if one.span else ""
    return Finding(
        check=check,
        status=status or one.code.severity,
        message=f"{place}{one.message}",
        fix=one.suggestion or one.code.help,
        code=one.code.id,
    )
