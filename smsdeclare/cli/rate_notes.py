"""The rates that the provider answered with last, dated, kept in the user's cache for when it can't be asked."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smsdeclare.clock import SystemClock, timestamp
from smsdeclare.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Younger answers count as exact: OVHcloud names no day on which its rates change.
_FRESH = timedelta(days=1)
#: Older ones are forgotten.
_KEPT = timedelta(days=90)
#: A larger file is none of ours. Bytes.
_LIMIT = 1_000_000


def read(endpoint: str, billed_in: str | None) -> dict[str, Rate]:
    """What an endpoint answered for accounts billed in a country, by destination; empty where nothing is noted."""
    now = SystemClock().now()
    notes = _notes().get(_key(endpoint, billed_in), {})
    return {
        country: Rate(note["credits"], exact=now - datetime.fromisoformat(note["asked"]) < _FRESH)
        for country, note in notes.items()
    }


def keep(endpoint: str, billed_in: str | None, answered: Mapping[str, float]) -> None:
    """Note answers with their date. That it can't be done is no failure: then nothing is noted."""
    path = _path()
    if path is None or not answered:
        return
    now = SystemClock().now()
    notes = _notes()
    found = notes.setdefault(_key(endpoint, billed_in), {})
    found.update({country: {"credits": rate, "asked": timestamp(now)} for country, rate in answered.items()})
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(notes, indent=1), encoding="ascii")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _key(endpoint: str, billed_in: str | None) -> str:
    return f"{endpoint} {billed_in or '-'}"


def _path() -> Path | None:
    """By the XDG Base Directory Specification; None where there is no home."""
    home = os.path.expanduser("~")  # noqa: PTH111 - never raises
    place = os.environ.get("XDG_CACHE_HOME") or (os.path.join(home, ".cache") if home != "~" else "")  # noqa: PTH118
    return Path(place) / "smsdeclare" / "rates.json" if os.path.isabs(place) else None  # noqa: PTH117


def _notes() -> dict[str, dict[str, Any]]:
    """Endpoint and country of billing → destination → credits and when they were asked for; what is odd is left out."""
    path = _path()
    try:
        if path is None or not path.is_file() or path.stat().st_size > _LIMIT:
            return {}
        document = json.loads(path.read_bytes())
        return {
            key: {country: note for country, note in notes.items() if _is_note(note)} for key, notes in document.items()
        }
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def _is_note(note: Any) -> bool:
    """Whether it is credits and a moment that is not too long ago."""
    try:
        asked = datetime.fromisoformat(note["asked"])
        is_young = timedelta() <= SystemClock().now() - asked < _KEPT
        return is_young and type(note["credits"]) in (int, float) and 0 <= note["credits"] < 1_000_000
    except (KeyError, TypeError, ValueError):
        return False
