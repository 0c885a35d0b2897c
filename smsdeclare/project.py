"""A root file and its include globs → documents, each checked against the schema."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from smsdeclare import codes, files
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.document import Document, parse
from smsdeclare.errors import InputError
from smsdeclare.schema import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT_NAME = "smsdeclare.yaml"
DEFAULT_INCLUDE = ("**/*.sms.yaml", "**/*.sms.yml")
YAML_LIMIT = 5_000_000
#: In a glob, with the file; and in bytes, which is what file systems take. pathlib raises beyond some of either.
_MOST_FOLDERS, _LONGEST_NAME = 50, 255


#: Where names may stand, in any file.
_SECTIONS = ("receivers", "options", "messages")


class Project(NamedTuple):
    """The documents of one project, as far as they are sound, and what is wrong with the others."""

    #: The folder of the root file, links resolved.
    folder: Path
    #: None where the root file itself is not sound.
    root: Document | None
    parts: tuple[Document, ...]
    found: tuple[Diagnostic, ...]
    #: Names that stand in files that are not sound: referring to them is no mistake of its own.
    elsewhere: frozenset[tuple[str, str]]
    #: Whether every file could be read at all; if not, any name may stand in one that could not.
    is_complete: bool


def read(folder: Path, root_name: str | None = None) -> Project:
    """Read the root file in `folder` and all that it includes; raises InputError where there is no root file."""
    root_path = folder.resolve() / (root_name or ROOT_NAME)
    # -f may name a file of another folder; that folder is the project's then.
    folder = root_path.parent.resolve()
    root_path = folder / root_path.name
    if not os.path.lexists(root_path):
        raise InputError(Diagnostic(code=codes.NO_PROJECT, detail=f"{root_name or ROOT_NAME} does not exist"))
    found: list[Diagnostic] = []
    root = _parse(root_path, folder, found)
    globs = _globs(root) if root else DEFAULT_INCLUDE
    if root:
        found += [
            Diagnostic(
                code=codes.WRONG_VALUE,
                detail=problem,
                span=root.span(("include", place)),
                path=f"include[{place}]",
            )
            for place, glob in enumerate(globs)
            if (problem := _refusal(glob))
        ]
    parts = [_parse(path, folder, found) for path in _included(folder, root_path, globs)]
    is_complete = root is not None and None not in parts
    sound: list[Document] = []
    elsewhere: set[tuple[str, str]] = set()
    kinds: list[tuple[Document | None, Literal["root", "part"]]] = [
        (root, "root"),
        *((part, "part") for part in parts),
    ]
    for document, kind in kinds:
        if document is None:
            continue
        problems = validate(document, kind=kind)
        found.extend(problems)
        if any(problem.is_error for problem in problems):
            elsewhere.update(_names(document))
        else:
            sound.append(document)
    return Project(
        folder=folder,
        root=root if root in sound else None,
        parts=tuple(document for document in sound if document is not root),
        found=tuple(found),
        elsewhere=frozenset(elsewhere),
        is_complete=is_complete,
    )


def paths(folder: Path, root_name: str | None = None) -> list[Path]:
    """The files of a project, whatever stands in them, the root file first; raises InputError where there is none."""
    path = folder.resolve() / (root_name or ROOT_NAME)
    folder = path.parent.resolve()
    path = folder / path.name
    if not os.path.lexists(path):
        raise InputError(Diagnostic(code=codes.NO_PROJECT, detail=f"{root_name or ROOT_NAME} does not exist"))
    root = _parse(path, folder, [])
    return [path, *_included(folder, path, _globs(root) if root else DEFAULT_INCLUDE)]


def message_names(folder: Path, root_name: str | None = None) -> list[str]:
    """The names of messages in all files that can be read, in their order; nothing else is looked at."""
    found = paths(folder, root_name)
    documents = [_parse(one, found[0].parent, []) for one in found]
    names = (pair for document in documents if document is not None for pair in _names(document))
    return list(dict.fromkeys(name for section, name in names if section == "messages"))


def read_policy(path: Path) -> Document:
    """A policy that lies outside the project: rules, with or without the key `policy` above them; raises InputError."""
    real = Path(os.path.realpath(path))
    document = parse(files.read_bytes(real, root=real.parent, shown=str(path), limit=YAML_LIMIT), file=str(path))
    if not document.data:
        raise InputError(Diagnostic(code=codes.POLICY_EMPTY, detail=str(path)))
    is_wrapped = isinstance(document.data, dict) and "policy" in document.data
    if problems := validate(document, kind="policyFile" if is_wrapped else "policy"):
        raise InputError(*problems)
    return document


def _parse(path: Path, folder: Path, found: list[Diagnostic]) -> Document | None:
    shown = path.relative_to(folder).as_posix()
    try:
        return parse(files.read_bytes(path, root=folder, shown=shown, limit=YAML_LIMIT), file=shown)
    except InputError as error:
        found.extend(error.diagnostics)
        return None


def _names(document: Document) -> Iterator[tuple[str, str]]:
    """Section and name of everything that a document seems to name."""
    data = document.data if isinstance(document.data, dict) else {}
    for section in _SECTIONS:
        named = data.get(section)
        yield from ((section, name) for name in named) if isinstance(named, dict) else ()


def _globs(root: Document) -> tuple[str, ...]:
    """The include globs; the default where the root file gives none or gives nonsense (reported by the schema)."""
    given = root.data.get("include") if isinstance(root.data, dict) else None
    if isinstance(given, list) and all(isinstance(glob, str) for glob in given):
        return tuple(given)
    return DEFAULT_INCLUDE


def _included(folder: Path, root_path: Path, globs: tuple[str, ...]) -> Iterator[Path]:
    """Each file once, in the order of its name; hidden folders and nested projects are left out."""
    found = {path for glob in globs if not _refusal(glob) for path in folder.glob(glob)}
    for path in sorted(found):
        inside = path.relative_to(folder)
        hidden = any(name.startswith(".") for name in inside.parts)
        nested = any(
            (folder.joinpath(*inside.parts[:depth]) / ROOT_NAME).exists() for depth in range(1, len(inside.parts))
        )
        # A pipe or a broken link is no folder either: it is named and refused, not passed over.
        if path != root_path and not hidden and not nested and not path.is_dir():
            yield path


def _refusal(glob: str) -> str:
    """Why the glob is none, where pathlib would wander, raise, or find other files under another Python; else empty."""
    parts = Path(glob).parts
    if Path(glob).is_absolute() or ".." in parts or not glob:
        return "it points out of the project's folder"
    if not parts or parts[-1] == "**":
        return "it names no file; for all of a folder and those below it write `**/*.sms.yaml`"
    if any("**" in part and part != "**" for part in parts):
        return "`**` stands for folders and between slashes only, as in `**/*.sms.yaml`"
    if "\0" in glob or len(parts) > _MOST_FOLDERS or any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        return "no file can have such a name"
    return ""
