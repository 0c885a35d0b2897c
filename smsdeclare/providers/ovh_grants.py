"""OVHcloud's consumer keys: asked for, granted by somebody in a browser, and what one may."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from requests import Request
from requests.exceptions import RequestException

from smsdeclare import codes
from smsdeclare.canonical import canonical
from smsdeclare.clock import timestamp
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import ProviderError
from smsdeclare.providers.endpoints import is_loopback
from smsdeclare.providers.ovh_answers import moment, read_result, unreadable
from smsdeclare.providers.transport import AnswerTooLarge, Line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from smsdeclare.providers.rights import Right

#: Nothing in it that a terminal or a shell would take for something else.
_URL = re.compile(r"https?://[A-Za-z0-9:._~/?&=%\[\]-]+")
#: Credentials that end sooner are worth a warning.
_SOON = timedelta(days=14)
_KEY = re.compile(r"[A-Za-z0-9]{8,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A consumer key that is good once somebody has granted it; it hides itself."""

    consumer_key: str = field(repr=False)
    #: Where that is done.
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a consumer key may, until when, and from where."""

    #: OVHcloud's word: `validated`, `pendingValidation`, `refused`, `expired`.
    status: str
    #: Method and path.
    rules: Sequence[tuple[str, str]]
    #: None: it does not end.
    ends: datetime | None
    #: Blocks of addresses; None: from anywhere.
    addresses: Sequence[str] | None


def ask(
    url: str, application_key: str, rights: Sequence[Right], addresses: Sequence[str], headers: Mapping[str, str]
) -> Asked:
    """Ask for a consumer key with these rights, good from these addresses only where there are some.

    Raises ProviderError. The request needs no signature, and asks for what nobody has granted yet.
    """
    body = canonical(
        {
            "accessRules": [{"method": right.method, "path": right.path} for right in rights],
            "allowedIPs": list(addresses) or None,
            "redirection": None,
        }
    )
    sent = {**headers, "X-Ovh-Application": application_key, "Content-Type": "application/json;charset=utf-8"}
    request = Request("POST", f"{url}/auth/credential", data=body, headers=sent).prepare()
    try:
        response, content = Line().send(request)
    except (RequestException, AnswerTooLarge, OSError) as error:
        detail = f"{request.method} {request.url}: {type(error).__name__}"
        raise ProviderError(Diagnostic(code=codes.PROVIDER_UNREACHABLE, detail=detail)) from error
    answer = read_result(response, content, request)
    key, page = (answer.get(name) if isinstance(answer, dict) else None for name in ("consumerKey", "validationUrl"))
    if not isinstance(key, str) or not isinstance(page, str) or not _KEY.fullmatch(key) or not _URL.fullmatch(page):
        raise unreadable("a consumer key and its page were expected")
    if not page.startswith("https://") and not is_loopback(page.partition("?")[0]):
        raise unreadable("the page of the consumer key is not https")
    return Asked(consumer_key=key, page=page)


def read_grant(answer: Any) -> Grant:
    """An `auth.ApiCredential`; raises ProviderError where it is none."""
    rules = answer.get("rules") if isinstance(answer, dict) else None
    blocks = answer.get("allowedIPs") if isinstance(answer, dict) else None
    if not isinstance(rules, list) or not isinstance(answer.get("status"), str):
        raise unreadable("a credential with its rules was expected")
    return Grant(
        status=answer["status"],
        rules=[(str(rule.get("method")), str(rule.get("path"))) for rule in rules if isinstance(rule, dict)],
        ends=moment(answer.get("expiration")),
        addresses=[str(block) for block in blocks] if isinstance(blocks, list) and blocks else None,
    )


def not_granted(right: Right) -> Diagnostic:
    """A right that a key lacks, with what it is for."""
    return Diagnostic(code=codes.RIGHTS_LACKING, detail=f"{right}, for {right.purpose}")


def ends_soon(grant: Grant, now: datetime) -> list[Diagnostic]:
    """An end that is near; none where it is not."""
    if grant.ends is None or grant.ends - now >= _SOON:
        return []
    return [Diagnostic(code=codes.CREDENTIALS_END, detail=timestamp(grant.ends))]
