"""Renamed messages: whose history is whose, before anybody gets an SMS twice for a new name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from smsdeclare.definitions import Definitions, Message
    from smsdeclare.ledger import Ledger


class Renames(NamedTuple):
    """New name → old name of messages."""

    #: Whose history the ledger still has under the old name.
    histories: Mapping[str, str]
    #: Of which nothing is on record.
    early: Mapping[str, str]

    def due(self, posted: Collection[str]) -> tuple[tuple[str, str], ...]:
        """Old and new names that are put on record before anything is posted, of messages of which something is.

        The early ones too: else a run with older files, at the same moment, posts the same under the old name.
        """
        early = [(old, new) for new, old in self.early.items() if new in posted]
        return (*((old, new) for new, old in self.histories.items()), *early)


def renames(definitions: Definitions, messages: Sequence[Message], ledger: Ledger) -> Renames:
    """What of the files' renamings is not in the ledger yet.

    Raises InputError for a name that is new to the ledger and has the text of one that has left the files or is not
    enabled, since it would go to everybody again; for a name that was given up for one that the files lack; and for
    names among which it is not clear whose history is whose.
    """
    histories: dict[str, str] = {}
    early: dict[str, str] = {}
    problems: list[Diagnostic] = []
    left = ledger.left_texts(definitions.enabled)
    for message in messages:
        old = message.renamed_from
        if old is None:
            problems += _seems_renamed(message, definitions, left, ledger)
            continue
        if old == "none":
            continue
        has_history, had_history = bool(ledger.revisions(message.name)), bool(ledger.revisions(old))
        if why := _unclear(old, definitions, taken={*histories.values(), *early.values()}):
            problems.append(Diagnostic(code=codes.RENAME_UNCLEAR, detail=why, span=message.span))
        elif has_history and had_history:
            why = f"`{message.name}` and `{old}` both have a history"
            problems.append(Diagnostic(code=codes.RENAME_UNCLEAR, detail=why, span=message.span))
        elif had_history:
            histories[message.name] = old
        elif not has_history and ledger.renamed_to(old) != message.name:
            early[message.name] = old
    if problems:
        raise InputError(*problems)
    return Renames(histories=histories, early=early)


def _unclear(old: str, definitions: Definitions, taken: Collection[str]) -> str:
    """Why nobody can have the history of a name; empty where somebody can."""
    if old in definitions.names:
        return f"`{old}` is still in the files"
    return f"`{old}` is taken by another message" if old in taken else ""


def _seems_renamed(
    message: Message, definitions: Definitions, left: Mapping[str, str], ledger: Ledger
) -> Iterator[Diagnostic]:
    """Whether a name may be another name of what is on record."""
    if ledger.revisions(message.name):
        return
    gone, later = left.get(message.template_digest), ledger.renamed_to(message.name)
    if gone is not None:
        how = "is not enabled" if gone in definitions.names else "has left the files"
        detail = f"`{message.name}` has the text of `{gone}`, which {how}"
        yield Diagnostic(code=codes.RENAMED, detail=detail, span=message.span)
    elif later is not None and later not in definitions.enabled:
        detail = f"`{message.name}` was renamed to `{later}` by newer files than these"
        yield Diagnostic(code=codes.RENAMED, detail=detail, span=message.span)
