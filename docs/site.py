# ruff: noqa: INP001 - a script beside pages, no package
"""Lay out in build/pages what the site is made of: docs/, the pages beside it, and the schemas."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_PAGES = _ROOT / "build" / "pages"
#: Pages that stand beside docs/, since people and hosts look for them there.
_BESIDE = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


def main() -> None:
    """Copy, with each link as it has to be where docs/ is the top."""
    shutil.rmtree(_PAGES, ignore_errors=True)
    shutil.copytree(_ROOT / "docs", _PAGES, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(_ROOT / "schemas", _PAGES / "schemas")
    for page in _PAGES.rglob("*.md"):
        up = "../" * len(page.relative_to(_PAGES).parts)
        text = re.sub(rf"\]\({re.escape(up)}(?=[A-Z]|schemas/)", f"]({up[3:]}", page.read_text("utf-8"))
        # Only the first word behind a fence is a language; with a second one it is no fence to the site.
        page.write_text(re.sub(r"^```(\w+) .*$", r"```\1", text, flags=re.MULTILINE), "utf-8")
    for name in _BESIDE:
        (_PAGES / name).write_text((_ROOT / name).read_text("utf-8").replace("](docs/", "]("), "utf-8")


if __name__ == "__main__":
    main()
