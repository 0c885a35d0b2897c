"""Credentials as the official OVHcloud clients read them: the environment, then ovh.conf."""

from __future__ import annotations

import re
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.providers.endpoints import NAMED, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationKeys:
    """The three keys of signed requests; they hide themselves."""

    application_key: str = field(repr=False)
    application_secret: str = field(repr=False)
    consumer_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """An OAuth2 service account; it hides itself."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    #: Where tokens are given out, where it is not the endpoint's own place.
    token_url: str | None = None


Credentials = ApplicationKeys | ClientCredentials

#: Where no browser makes keys.
_HERE = "`smsdeclare sandbox` prints three lines that set the keys of its endpoint: paste them into this terminal."
#: What an HTTP header can carry without being taken for something else.
_HEADER_TEXT = re.compile("[!-~]+")
_KEYS = ("application_key", "application_secret", "consumer_key")
_CLIENT = ("client_id", "client_secret")


def read_conf(files: Iterable[tuple[str, str]]) -> ConfigParser:
    """Merge `(name, text)` of ovh.conf files, the weakest first. Raises InputError where one is no INI file."""
    # Percent signs are plain characters in the official clients' files too.
    parser = ConfigParser(interpolation=None, default_section="")
    for name, text in files:
        try:
            parser.read_string(text, source=name)
        except Error as error:
            # The error quotes the line, which may hold a secret.
            detail = f"{name}: {type(error).__name__}"
            raise InputError(Diagnostic(code=codes.CREDENTIALS_UNREADABLE, detail=detail)) from None
    return parser


def endpoint_of(environment: Mapping[str, str], conf: ConfigParser) -> str | None:
    """The endpoint that goes with the credentials; None where nothing names one.

    A file may lie in a repository, so it names one of the known places or loopback; a URL comes by OVH_ENDPOINT only.
    """
    written = conf.get("default", "endpoint", fallback=None) or None
    if written and not environment.get("OVH_ENDPOINT") and written not in NAMED and not is_loopback(written):
        raise InputError(
            Diagnostic(code=codes.ENDPOINT_REFUSED, detail="the one in ovh.conf is neither known nor loopback")
        )
    return environment.get("OVH_ENDPOINT") or written


def find(environment: Mapping[str, str], conf: ConfigParser, endpoint: str) -> Credentials:
    """The credentials for an endpoint; raises InputError where there are none, half of them, or two kinds.

    Each value by itself comes from the environment or else from the files, as the official clients have it; whatever
    stands in the environment says which kind it is.
    """
    around = {name: environment.get(f"OVH_{name.upper()}", "").strip() for name in (*_KEYS, *_CLIENT)}
    filed = {name: conf.get(endpoint, name, fallback="").strip() for name in (*_KEYS, *_CLIENT)}
    given = {name for name, value in around.items() if value} or {name for name, value in filed.items() if value}
    if not given:
        detail = "neither in the environment nor in an ovh.conf"
        raise InputError(
            Diagnostic(code=codes.NO_CREDENTIALS, detail=detail, suggestion=_HERE if is_loopback(endpoint) else "")
        )
    if given & set(_KEYS[:2]) and given & set(_CLIENT):
        detail = "an application key and an OAuth2 client stand side by side"
        raise InputError(Diagnostic(code=codes.CREDENTIALS_MIXED, detail=detail))
    wanted = _CLIENT if given & set(_CLIENT) else _KEYS
    values = {name: around[name] or filed[name] for name in wanted}
    if missing := [f"OVH_{name.upper()}" for name, value in values.items() if not value]:
        raise InputError(Diagnostic(code=codes.NO_CREDENTIALS, detail=f"{', '.join(missing)} not set"))
    if odd := [f"OVH_{name.upper()}" for name, value in values.items() if not _HEADER_TEXT.fullmatch(value)]:
        detail = f"{', '.join(odd)}: holds a character that no key has"
        raise InputError(Diagnostic(code=codes.NO_CREDENTIALS, detail=detail))
    if wanted is _KEYS:
        return ApplicationKeys(**values)
    return ClientCredentials(**values, token_url=environment.get("OVH_TOKEN_URL") or None)
