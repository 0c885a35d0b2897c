"""An ovh.conf as it is written: one section changed, every other line as it stood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smsdeclare.providers import credentials
from smsdeclare.providers.endpoints import NAMED

if TYPE_CHECKING:
    from smsdeclare.providers.credentials import ApplicationKeys

_SECTION = re.compile(r"^\[(?P<name>.*)\]\s*$")
_OPTION = re.compile(r"^(?P<name>[A-Za-z_]+)\s*[=:]")
_OURS = ("application_key", "application_secret", "consumer_key", "client_id", "client_secret")


def with_keys(text: str, endpoint: str, keys: ApplicationKeys) -> str:
    """`text` with these keys in the section of the endpoint, in place of all that stood there."""
    lines = text.splitlines()
    written = [
        f"application_key={keys.application_key}",
        f"application_secret={keys.application_secret}",
        f"consumer_key={keys.consumer_key}",
    ]
    kept: list[str] = []
    is_inside = is_written = drops = False
    for line in lines:
        if section := _SECTION.match(line):
            is_inside, drops = section["name"] == endpoint, False
            kept.append(line)
            if is_inside and not is_written:
                kept += written
                is_written = True
            continue
        if is_inside and not line[:1].isspace():
            option = _OPTION.match(line)
            drops = option is not None and option["name"].lower() in _OURS
        # A line that is indented goes on with the value before it.
        if not (is_inside and drops and line.strip()):
            kept.append(line)
    if not is_written:
        begin = [] if lines else ["[default]", f"endpoint={endpoint}"] if endpoint in NAMED else []
        kept += [*begin, *([""] if lines or begin else []), f"[{endpoint}]", *written]
    return "\n".join(kept) + "\n"


def others(text: str, name: str, endpoint: str, application_key: str) -> bool:
    """Whether the section of the endpoint holds credentials that are not of this application."""
    section = credentials.read_conf([(name, text)])
    found = {option: section.get(endpoint, option, fallback="").strip() for option in _OURS}
    mine = found["application_key"] in ("", application_key) and not (found["client_id"] or found["client_secret"])
    return any(found.values()) and not (mine and found["application_key"])


def reads_as(text: str, name: str, endpoint: str) -> credentials.Credentials:
    """What a client finds in it."""
    return credentials.find({}, credentials.read_conf([(name, text)]), endpoint)
