"""What a folder and its machine say of a project that is to begin there: a name, a time zone, a country, a CI."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from smsdeclare.schedule import zone_named

_ZONE = "Europe/Paris"
#: A file of Git's settings larger than this is none. Bytes.
_LIMIT = 100_000


def name(folder: Path) -> str:
    """The folder's name as a project's name."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return words[:60] if words[:1].isalpha() else "my-project"


def timezone() -> str:
    """The machine's, where it says one that everybody knows; else that of Paris."""
    found = [os.environ.get("TZ", "").lstrip(":")]
    with suppress(OSError, ValueError):
        found.append(Path("/etc/timezone").read_text("ascii").strip())
    found.append(os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2])
    return next((one for one in found if zone_named(one) and one not in ("localtime", "Factory")), _ZONE)


def country() -> str:
    """That of the user's language, `fr_FR`; empty where none is said."""
    said = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    found = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", said)
    return found[1] if found else ""


def repository(folder: Path) -> Path | None:
    """The folder of the Git repository around; None where there is none."""
    real = folder.resolve()
    return next((one for one in (real, *real.parents) if (one / ".git").exists()), None)


def ci(root: Path) -> str:
    """Which CI a repository uses: by its files, else by where its remotes are."""
    if (root / ".github").is_dir():
        return "github"
    if (root / ".gitlab-ci.yml").exists():
        return "gitlab"
    try:
        with (root / ".git" / "config").open(encoding="utf-8", errors="replace") as stream:
            settings = stream.read(_LIMIT)
    except OSError:
        return "none"
    remotes = " ".join(re.findall(r"^\s*url\s*=\s*(\S+)", settings, re.MULTILINE))
    return next((one for one in ("github", "gitlab") if one in remotes), "none")
