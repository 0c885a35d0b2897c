"""What the tool asks of an account, call by call, what for, and whether the rules of a key cover it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from smsdeclare.providers.endpoints import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One call that a key may make."""

    method: str
    #: `*` stands for an id, or for the account where none is named.
    path: str
    #: What does not work without it.
    purpose: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


#: Without it nothing works at all.
SENDING = "sending"
#: To send, to see what became of it, and to take back what still waits. Never to delete what was sent, which is the
#: evidence.
_LEAST = (
    ("POST", "/sms/{service}/jobs", SENDING),
    ("GET", "/sms/{service}", "the credits left"),
    ("GET", "/sms/{service}/senders", "checking senders"),
    ("GET", "/sms/{service}/senders/*", "checking senders"),
    ("GET", "/sms/{service}/blacklists", "leaving out who answered STOP"),
    ("GET", "/sms/{service}/jobs", "settling, and taking back"),
    ("GET", "/sms/{service}/jobs/*", "settling, and taking back"),
    ("DELETE", "/sms/{service}/jobs/*", "taking back what waits"),
    ("GET", "/sms/{service}/outgoing", "settling, receipts, and the guard"),
    ("GET", "/sms/{service}/outgoing/*", "settling, receipts, and the guard"),
    ("POST", "/sms/estimate", "counting parts where the rules leave doubt"),
    ("GET", "/auth/currentCredential", "looking at the key itself"),
)


def least(service: str | None) -> list[Right]:
    """The rights for one service, or for all where none is named, which then have to be listed."""
    rights = [
        Right(method=method, path=path.format(service=service or "*"), purpose=purpose)
        for method, path, purpose in _LEAST
    ]
    return rights if service else [Right(method="GET", path="/sms", purpose="finding the account"), *rights]


def lacking(wanted: Iterable[Right], rules: Iterable[tuple[str, str]]) -> list[Right]:
    """The rights that no rule covers. `*` in a rule is any run of characters; `/sms/*` does not cover `/sms`."""
    known = [(method, re.compile(re.escape(pattern).replace(r"\*", ".*"))) for method, pattern in rules]
    return [
        right
        for right in wanted
        if not any(method == right.method and pattern.fullmatch(right.path) for method, pattern in known)
    ]


#: Where keys are made, and applications. The American page is not known; SMS is sold by the European API.
_PAGES: Mapping[str, str] = MappingProxyType({"ca.api.ovh.com": "https://ca.api.ovh.com/{page}/"})
_PAGES_ELSEWHERE = "https://auth.eu.ovhcloud.com/api/{page}"


def login_link(endpoint: Endpoint, service: str | None) -> str:
    """The page that makes all three keys at once, with the least rights."""
    return _link(endpoint.url, least(service))


def application_link(endpoint: Endpoint) -> str:
    """The page that makes an application: its key and secret."""
    return _page(endpoint.url, "createApp")


def create_token_link(url: str, method: str) -> str:
    """The page that makes keys with the right to call `url`; ids in it become `*`."""
    path = "/" + urlsplit(url).path.partition("/1.0/")[2]
    return _link(url, [Right(method=method, path=re.sub(r"/[0-9]+$", "/*", path))])


def _link(url: str, rights: Sequence[Right]) -> str:
    return f"{_page(url, 'createToken')}?{'&'.join(f'{right.method}={right.path}' for right in rights)}"


def _page(url: str, name: str) -> str:
    return _PAGES.get(urlsplit(url).hostname or "", _PAGES_ELSEWHERE).format(page=name)
