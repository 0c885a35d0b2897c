"""OVHcloud's senders and blacklist: who may write as whom, and to whom nothing may be sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from smsdeclare.provider import Forbidden
from smsdeclare.providers.ovh_answers import Gone, e164, unreadable
from smsdeclare.redaction import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def read_senders(
    get: Callable[[str], Any], service: str, wanted: Collection[str] | None = None
) -> dict[str, str | None]:
    """The senders of an account, each of the wanted ones (by default all) with its status.

    None stands for a status that was not asked for, or may not be. Raises ProviderError, Forbidden without the right
    to list them.
    """
    path = f"/sms/{quote(service, safe='')}/senders"
    names = _texts(get(path), "a list of senders")
    asked = {e164(name) for name in (names if wanted is None else wanted)}
    found = {name: _status(get, f"{path}/{quote(name, safe='')}") if e164(name) in asked else None for name in names}
    return {visible(name, newline=" "): status for name, status in found.items()}


def _status(get: Callable[[str], Any], path: str) -> str | None:
    try:
        detail = get(path)
    except (Forbidden, Gone):
        return None
    status = detail.get("status") if isinstance(detail, dict) else None
    return visible(status, newline=" ") if isinstance(status, str) else None


def read_numbers(answer: Any) -> frozenset[str]:
    """The numbers of a list in E.164; what is none can't be a receiver. Raises ProviderError."""
    numbers = map(e164, _texts(answer, "a list of numbers"))
    return frozenset(number for number in numbers if _E164.fullmatch(number))


def _texts(answer: Any, wanted: str) -> list[str]:
    if not isinstance(answer, list) or not all(isinstance(one, str) for one in answer):
        raise unreadable(f"{wanted} was expected")
    return answer
