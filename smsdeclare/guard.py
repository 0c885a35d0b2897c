"""The guard: notice, before anything is posted, that the state is old, copied, or not the only one.

A job's tag follows from its ordinal alone. So an SMS at the provider under a tag that this state has not given out yet
was sent by a state that knows more. Blind for what is not listed yet, and for what the provider still holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError

if TYPE_CHECKING:
    from smsdeclare.ledger import Claims
    from smsdeclare.provider import Provider

#: So many tags ahead are looked for: more than jobs may be missing in a row without one that was taken.
_DEPTH = 3


def check(ledger: Claims, provider: Provider, message: str, revision: int) -> None:
    """Raises StateError where the provider has SMS under tags to come; ProviderError, Forbidden where it can't say."""
    for tag in ledger.next_tags(message, revision, _DEPTH):
        # Another run on this state may have given it out since.
        if provider.sent(tag) and not ledger.has_given_out(tag):
            raise StateError(Diagnostic(code=codes.STATE_OLD, detail=f"message.{message}@{revision}"))
