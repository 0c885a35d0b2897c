"""What plans ask of the account: credits, senders, the blacklist; and what they could not ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.account import Facts
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smsdeclare.codes import Code
    from smsdeclare.definitions import Definitions
    from smsdeclare.provider import Provider


@dataclass(slots=True, kw_only=True)
class Account:
    """The account of one command: its senders are asked for once, credits and blacklist each time.

    What the credentials may not ask is noted, and no failure: planning takes read rights, and works with fewer.
    """

    provider: Provider
    _senders: Mapping[str, str | None] | None = None
    _asked: frozenset[str] = frozenset()
    _blacklist: frozenset[str] = frozenset()
    _unchecked: dict[Code, Diagnostic] = field(default_factory=dict)

    def look(self, definitions: Definitions) -> Facts:
        """What the messages need to be planned. The sandbox takes any sender and knows no blacklist."""
        left = self.provider.credits_left()
        if definitions.provider.name != "sandbox" and definitions.messages:
            wanted = frozenset(message.sender for message in definitions.messages if message.sender is not None)
            if not wanted <= self._asked:
                self._ask_senders(wanted)
            self._ask_blacklist()
        return Facts(
            credits_left=left,
            senders=self._senders,
            blacklist=self._blacklist,
            unchecked=tuple(self._unchecked.values()),
        )

    def _ask_senders(self, wanted: frozenset[str]) -> None:
        self._asked = wanted
        try:
            self._senders = self.provider.senders(wanted)
        except ProviderError as error:
            self._note(codes.SENDERS_UNCHECKED, error)
            return
        untold = sorted(name for name in wanted if self._senders.get(name, "") is None)
        if untold:
            detail = f"the status of {', '.join(f'`{name}`' for name in untold)}"
            self._unchecked[codes.SENDERS_UNCHECKED] = Diagnostic(code=codes.SENDERS_UNCHECKED, detail=detail)

    def _ask_blacklist(self) -> None:
        """An earlier answer stands where a later one fails: it may only leave out more."""
        try:
            self._blacklist = self.provider.blacklist()
        except ProviderError as error:
            self._note(codes.BLACKLIST_UNCHECKED, error)

    def _note(self, code: Code, error: ProviderError) -> None:
        cause = error.diagnostics[0]
        self._unchecked[code] = Diagnostic(code=code, detail=cause.detail, suggestion=cause.suggestion)
