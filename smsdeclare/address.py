"""Addresses: `message.NAME@REVISION`, and for one send `/NUMBER` or `#REF` behind it."""

from __future__ import annotations

import re
from typing import NamedTuple

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

_ADDRESS = re.compile(
    r"message\.(?P<message>[a-z][A-Za-z0-9_-]{0,62})"
    r"(?:@(?P<revision>[1-9][0-9]{0,8})(?:/(?P<number>\+[1-9][0-9]{6,14})|#(?P<ref>[0-9a-z]{8}))?)?"
)

_FORMS = (
    "Write message.NAME or message.NAME@REVISION; for one send, message.NAME@REVISION#REF or "
    "message.NAME@REVISION/NUMBER with a number that begins with +."
)


class Address(NamedTuple):
    """A message, one of its revisions, or one send of it."""

    message: str
    revision: int | None = None
    #: E.164.
    number: str | None = None
    ref: str | None = None

    @property
    def is_send(self) -> bool:
        """Whether it names one send."""
        return self.number is not None or self.ref is not None


def parse(text: str) -> Address:
    """Read an address; raises InputError where it is none."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        meant = f"message.{text}"
        hint = f"Did you mean `{meant}`?" if _ADDRESS.fullmatch(meant) else _FORMS
        raise InputError(Diagnostic(code=codes.USAGE, detail=f"`{text}` is no address", suggestion=hint))
    revision = int(match["revision"]) if match["revision"] else None
    return Address(message=match["message"], revision=revision, number=match["number"], ref=match["ref"])
