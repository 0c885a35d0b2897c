"""The facts about a ledger, in its table `meta`: whose it is, in which format, and how far it has come."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from smsdeclare import __version__, codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers.evidence import damaged
from smsdeclare.ledgers.moving import MOVED
from smsdeclare.ledgers.naming import AS_KEPT, HASHES, hashing_meta

if TYPE_CHECKING:
    from smsdeclare.ledgers.naming import Numbers
    from smsdeclare.records import Binding

#: What a binding is made of, by its names in `meta`.
BINDING = ("project", "provider", "endpoint", "service")
FORMAT = 2
#: That of a ledger in which nothing was ever changed on purpose.
FIRST_EPOCH = "1"
#: What a version must understand to keep a ledger of this format whole.
FEATURES: tuple[str, ...] = (HASHES, MOVED)


def fresh_meta(binding: Binding, numbers: Numbers = AS_KEPT) -> dict[str, str]:
    """The rows of `meta` of a new ledger."""
    import secrets  # noqa: PLC0415 - most runs find a ledger

    lineage = str(uuid.uuid4())
    hashing = hashing_meta(numbers, lineage) if numbers.are_hashed else {}
    return {
        "format": str(FORMAT),
        "features": json.dumps([HASHES] if hashing else []),
        "version": __version__,
        "lineage": lineage,
        "serial": "1",
        "epoch": FIRST_EPOCH,
        "secret": secrets.token_hex(32),
        **hashing,
        **binding._asdict(),
    }


def foreign(found: Binding | None, wanted: Binding) -> Diagnostic:
    """The diagnostic for a ledger that belongs to `found` where `wanted` is asked for."""
    differ = [
        f"its {name} is {getattr(found, name)}, not {getattr(wanted, name)}"
        for name in BINDING
        if getattr(found, name, None) != getattr(wanted, name)
    ]
    return Diagnostic(code=codes.STATE_FOREIGN, detail="; ".join(differ))


def checked(meta: dict[str, str], name: str) -> dict[str, str]:
    """The rows of `meta` if this version can keep the ledger whole.

    Raises StateError, with the file's `name`, where a newer version wrote it or something is missing or odd.
    """
    try:
        unknown = [feature for feature in json.loads(meta["features"]) if feature not in FEATURES]
        if int(meta["format"]) > FORMAT or unknown:
            detail = f"format {meta['format']}, features {', '.join(unknown) or 'none'}, written by {meta['version']}"
            raise StateError(Diagnostic(code=codes.STATE_NEWER, detail=f"{name}: {detail}"))
        if int(meta["epoch"]) < 1 or int(meta["serial"]) < 1 or len(bytes.fromhex(meta["secret"])) < 32:
            raise ValueError("epoch, serial or secret")
        for wanted in ("lineage", *BINDING):
            meta[wanted]
    except (KeyError, ValueError, TypeError) as error:
        raise damaged(f"{name}: its meta can't be read ({type(error).__name__})") from None
    return meta
