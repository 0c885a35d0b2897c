"""The state on a branch of a Git repository: which one by the files, keys and credentials by the environment."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from smsdeclare import codes
from smsdeclare.cli import environment
from smsdeclare.clock import SystemClock
from smsdeclare.definitions import StateSettings
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import StateError
from smsdeclare.ledgers import sealing
from smsdeclare.ledgers.git import GitLedger, in_clear
from smsdeclare.ledgers.git_branch import Branch, Label
from smsdeclare.ledgers.git_command import Git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smsdeclare.definitions import Definitions
    from smsdeclare.ledgers.git import Seal
    from smsdeclare.ledgers.naming import Numbers


def settings_of(wanted: Definitions) -> StateSettings:
    """Where a project's state is: the sandbox has a branch of its own, so that trying never mixes with sending."""
    return _own(wanted.state, is_sandbox=wanted.provider.name == "sandbox")


def settings_of_broken_files(written: Mapping[str, Any]) -> StateSettings | None:
    """Where a root file says that the state is, whatever else is wrong in it; None where it does not say."""
    state: Any = written.get("state")
    provider: Any = written.get("provider")
    try:
        found = StateSettings(
            backend="git",
            path=None,
            schema=None,
            allow_local_in_ci=False,
            remote=str(state.get("remote", "origin")),
            branch=str(state.get("branch", "smsdeclare-state")),
            is_encrypted=state.get("encryption") != "none",
        )
        return _own(found, is_sandbox=provider.get("name") == "sandbox")
    except (AttributeError, TypeError):
        return None


def open_branch(folder: Path, settings: StateSettings, numbers: Numbers) -> GitLedger:
    """The state on its branch, fetched; raises InputError or StateError."""
    name = f"branch {settings.branch}"
    seal, unseal = sealing_by_environment(name) if settings.is_encrypted else (in_clear, not_sealed)
    clock = SystemClock()
    git = Git(folder, settings.remote, environment.whole())
    return GitLedger(Branch(git, settings.branch, clock), clock, seal, unseal, numbers)


def _own(settings: StateSettings, *, is_sandbox: bool) -> StateSettings:
    return settings._replace(branch=f"{settings.branch}-sandbox") if is_sandbox else settings


def sealing_by_environment(name: str) -> tuple[Seal, Seal]:
    """What encrypts a state and opens it; bound to its lineage and serial. Errors call it `name`."""
    keys = environment.state_keys()

    def seal(content: bytes, label: Label) -> bytes:
        # Small before it is encrypted: afterwards nothing makes it smaller.
        return sealing.seal(zlib.compress(content, 1), lineage=label.lineage, serial=label.serial, keys=keys)

    def unseal(content: bytes, label: Label) -> bytes:
        found = sealing.unseal(content, keys, name=name)
        if (found.lineage, found.serial) != label:
            detail = f"{name}: sealed with serial {found.serial}, its commit says {label.serial}"
            raise StateError(Diagnostic(code=codes.STATE_PUT_BACK, detail=detail))
        return zlib.decompress(found.content)

    return seal, unseal


def not_sealed(content: bytes, _label: Label) -> bytes:
    """A state as it is; raises StateError for one that is encrypted."""
    if sealing.is_sealed(content):
        detail = "it is encrypted, and `state.encryption` is `none`"
        raise StateError(Diagnostic(code=codes.STATE_KEY_WRONG, detail=detail))
    return content
