"""What is known of the account when a plan is worked out, and whose sender it would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.reporter import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from smsdeclare.definitions import Message

#: OVHcloud's word for a sender that may be used; and its others, in words.
_READY = "enable"
_STATES = {
    "waitingValidation": "waits for validation",
    "refused": "was refused",
    "disable": "is switched off",
}


class Facts(NamedTuple):
    """What was asked of the account, and what could not be; by default nothing."""

    #: None where the credentials may not ask.
    credits_left: float | None = None
    #: Sender → its status, None where that was not asked for or not told; None: not known, or any will do.
    senders: Mapping[str, str | None] | None = None
    #: Who answered STOP, in E.164.
    blacklist: Collection[str] = frozenset()
    #: What could not be checked.
    unchecked: tuple[Diagnostic, ...] = ()

    def warnings(self, provider: str, service: str) -> Iterator[Diagnostic]:
        """What a plan can't say for want of it."""
        yield from self.unchecked
        if self.credits_left is None and provider != "sandbox":
            detail = f"showing them takes the network, and the right to GET /sms/{service or 'NAME'}"
            yield Diagnostic(code=codes.CREDITS_UNKNOWN, detail=detail)


def sender_problems(messages: Iterable[Message], account: Mapping[str, str | None] | None) -> Iterator[Diagnostic]:
    """What of messages that are to be posted would be refused, by the account's senders as `Facts` has them."""
    if account is None:
        return
    known = {_folded(name): (name, status) for name, status in account.items()}
    for message in messages:
        sender = message.sender
        if sender is None:
            continue
        span = message.option_spans.get("sender", message.span)
        found = known.get(_folded(sender))
        if found is None:
            near = did_you_mean(sender, account) or _same_letters(sender, account)
            yield Diagnostic(
                code=codes.SENDER_UNKNOWN, detail=f"`{sender}` of {message.address}", span=span, suggestion=near
            )
        elif found[1] not in (_READY, None):
            state = _STATES.get(str(found[1]), f"has the status {found[1]}")
            yield Diagnostic(code=codes.SENDER_NOT_READY, detail=f"`{sender}` of {message.address} {state}", span=span)


def _folded(sender: str) -> str:
    """One spelling for a number that is a sender, `0033…` and `+33…`; names stay as they are, case and all."""
    digits = sender.removeprefix("+")
    return digits.removeprefix("00") if digits.isdigit() else sender


def _same_letters(sender: str, account: Iterable[str]) -> str:
    return next((f"Did you mean `{name}`?" for name in account if name.casefold() == sender.casefold()), "")
