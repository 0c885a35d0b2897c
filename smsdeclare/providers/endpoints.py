"""Where OVHcloud's API is: names and URLs, and which are allowed."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The names of the official clients. SMS is sold by the European API; the others exist for completeness.
NAMED: Mapping[str, str] = MappingProxyType(
    {
        "ovh-eu": "https://eu.api.ovh.com/1.0",
        "ovh-ca": "https://ca.api.ovh.com/1.0",
        "ovh-us": "https://api.us.ovhcloud.com/1.0",
    }
)
_DEFAULT = "ovh-eu"
#: An https URL with a plain host, perhaps a port, and a path: no user, no query.
_REMOTE = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One place of the API."""

    #: As people name it, and as the state is bound to it: `ovh-eu` or a URL.
    name: str
    #: Without a slash at its end.
    url: str

    @property
    def is_loopback(self) -> bool:
        """Whether it never leaves this machine."""
        return is_loopback(self.url)


def resolve(written: str | None, environment: str | None, source: str = "OVH_ENDPOINT") -> Endpoint:
    """The endpoint of a project, from YAML and from where the credentials come; raises InputError where they differ.

    A URL that is not loopback is only taken from the environment, which is where the credentials come from:
    whoever edits YAML must not be able to send them elsewhere.
    """
    if written is not None and written not in NAMED and not is_loopback(written):
        detail = f"`{written}` in YAML"
        raise InputError(Diagnostic(code=codes.ENDPOINT_REFUSED, detail=detail))
    chosen = [_endpoint(name) for name in (written, environment) if name]
    if len({endpoint.url for endpoint in chosen}) > 1:
        detail = f"`{written}` in YAML, `{environment}` in {source}"
        raise InputError(Diagnostic(code=codes.ENDPOINT_CONFLICT, detail=detail))
    return chosen[0] if chosen else _endpoint(_DEFAULT)


_TOKEN_URLS: Mapping[str, str] = MappingProxyType(
    {
        "https://eu.api.ovh.com/1.0": "https://www.ovh.com/auth/oauth2/token",
        "https://ca.api.ovh.com/1.0": "https://ca.ovh.com/auth/oauth2/token",
        "https://api.us.ovhcloud.com/1.0": "https://us.ovhcloud.com/auth/oauth2/token",
    }
)


def token_url(url: str, given: str | None) -> str:
    """Where OAuth2 tokens for an endpoint are given out; `given` (OVH_TOKEN_URL) for all that have no name.

    Raises InputError where it is missing or would send the client's secret in clear.
    """
    found = _TOKEN_URLS.get(url) or given
    if found is None or not (found.startswith("https://") or is_loopback(found)):
        detail = "OAuth2 at an endpoint without a name needs OVH_TOKEN_URL, by https"
        raise InputError(Diagnostic(code=codes.ENDPOINT_REFUSED, detail=detail))
    return found


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine itself: 127.0.0.0/8, ::1 or localhost, by http or https."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment or not has_port:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _endpoint(name: str) -> Endpoint:
    if name in NAMED:
        return Endpoint(name=name, url=NAMED[name])
    url = name.rstrip("/")
    if not is_loopback(url) and not _REMOTE.fullmatch(url):
        detail = "OVH_ENDPOINT is neither a known name nor an https URL"
        raise InputError(Diagnostic(code=codes.ENDPOINT_REFUSED, detail=detail))
    return Endpoint(name=url, url=url)
