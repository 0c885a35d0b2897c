"""Renamed messages: whose history is whose, before anybody gets an SMS twice for a new name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.ledger import Ledger


def renames(definitions: Definitions, messages: Sequence[Message], ledger: Ledger) -> dict[str, str]:
    """New name → the name its history still has in the ledger.

    Raises InputError for a name that is new to the ledger and has the text of one that has left the files or is not
    enabled, since it would go to everybody again, and for names among which it is not clear whose history is whose.
    """
    found: dict[str, str] = {}
    problems: list[Diagnostic] = []
    left = ledger.left_texts(definitions.enabled)
    for message in messages:
        old, has_history = message.renamed_from, bool(ledger.revisions(message.name))
        if old is None and not has_history and message.template_digest in left:
            gone = left[message.template_digest]
            how = "is not enabled" if gone in definitions.names else "has left the files"
            detail = f"`{message.name}` has the text of `{gone}`, which {how}"
            problems.append(Diagnostic(code=codes.RENAMED, detail=detail, span=message.span))
        if old is None or old == "none":
            continue
        why = ""
        if old in definitions.names:
            why = f"`{old}` is still in the files"
        elif old in found.values():
            why = f"`{old}` is taken by another message"
        elif has_history and ledger.revisions(old):
            why = f"`{message.name}` and `{old}` both have a history"
        if why:
            problems.append(Diagnostic(code=codes.RENAME_UNCLEAR, detail=why, span=message.span))
        elif not has_history and ledger.revisions(old):
            found[message.name] = old
    if problems:
        raise InputError(*problems)
    return found
