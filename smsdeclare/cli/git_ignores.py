"""What Git would take along: files that must not be committed and that no .gitignore holds back."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Git answers at once; a hook or a file system that hangs must not hang us. Seconds.
_PATIENCE = 5.0


def would_commit(path: Path) -> bool:
    """Whether the file lies in a Git repository that does not ignore it, or tracks it. Writes nothing."""
    git = shutil.which("git")
    if git is None:
        return False
    words = [git, "--no-optional-locks", "-C", str(path.parent), "check-ignore", "--quiet", "--", path.name]
    try:
        # 0: ignored, 1: not, 128: no repository.
        return subprocess.run(words, capture_output=True, check=False, timeout=_PATIENCE).returncode == 1  # noqa: S603 - a list, no shell
    except (OSError, subprocess.TimeoutExpired):
        return False
