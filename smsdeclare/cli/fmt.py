"""`smsdeclare fmt`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smsdeclare import codes, files, project
from smsdeclare.cli import whole_file
from smsdeclare.cli.session import Explained, Session, shared_options
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.errors import InputError
from smsdeclare.formats.phrases import Color, line, paint
from smsdeclare.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smsdeclare.format import Style

#: Of the lines of a difference, by their first sign.
_COLORS = {"+": Color.GOOD, "-": Color.BACK}


@click.command(
    cls=Explained,
    examples="""
        smsdeclare fmt
        # In CI: the exit code is 1 where something is not laid out
        smsdeclare fmt --check
        # What it would change
        smsdeclare fmt --diff
        # From an editor
        smsdeclare fmt - < messages.sms.yaml
    """,
)
@click.argument("named", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where something would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@shared_options
def command(session: Session, named: tuple[Path, ...], *, check: bool, diff: bool) -> int:
    """Lay out the project's YAML files in one way: two spaces a level, single blank lines, one space around.

    Comments, quotes, the order of keys and every value stay as they are; a file that could not be laid out without
    changing one of them is left alone and named. Without FILE all files of the project; `-` is standard input, whose
    layout goes to standard output.
    """
    if Path("-") in named:
        if len(named) > 1:
            raise InputError(Diagnostic(code=codes.USAGE, detail="`-` stands alone"))
        return _filter(session, check=check, diff=diff)
    found: list[Diagnostic] = []
    changed = 0
    for path, shown in _chosen(session, named):
        try:
            data = files.read_bytes(path, root=session.project_folder, shown=shown, limit=project.YAML_LIMIT)
            laid_out = lay_out(data, file=shown)
        except InputError as error:
            found += error.diagnostics
            continue
        if laid_out.encode() == data:
            continue
        changed += 1
        if diff:
            session.out(_difference(data, laid_out, shown, session.style))
        elif not check:
            whole_file.write(path, laid_out.encode())
        if not diff:
            session.out(f"{'not laid out' if check else 'laid out'} {line(shown)}\n")
    if found:
        raise InputError(*found)
    return 1 if check and changed else 0


def _filter(session: Session, *, check: bool, diff: bool) -> int:
    """Standard input to standard output: for editors, so it is nobody's screen, and nothing in it is masked."""
    data = sys.stdin.buffer.read(project.YAML_LIMIT + 1)
    if len(data) > project.YAML_LIMIT:
        raise InputError(Diagnostic(code=codes.FILE_TOO_LARGE, detail="standard input"))
    laid_out = lay_out(data, file="standard input")
    if diff:
        session.out(_difference(data, laid_out, "standard input", session.style))
    elif not check:
        session.out(laid_out)
    return 1 if check and laid_out.encode() != data else 0


def _chosen(session: Session, named: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """The files that were named, or all, with their names in the project; raises InputError for any other."""
    folder = session.project_folder
    ours = {path: path.relative_to(folder).as_posix() for path in project.paths(session.folder, session.root_file)}
    for one in named:
        path = one.parent.resolve() / one.name
        if path not in ours:
            raise InputError(Diagnostic(code=codes.NOT_OF_PROJECT, detail=str(one)))
    wanted = [one.parent.resolve() / one.name for one in named] or list(ours)
    yield from ((path, ours[path]) for path in dict.fromkeys(wanted))


def _difference(data: bytes, laid_out: str, shown: str, style: Style) -> str:
    import difflib  # noqa: PLC0415 - only where a difference is shown

    before, after = data.decode("utf-8-sig").splitlines(), laid_out.splitlines()
    lines = difflib.unified_diff(before, after, shown, shown, lineterm="")
    return "".join(f"{paint(line(style.masked(one)), _COLORS.get(one[:1], Color.QUIET), style)}\n" for one in lines)
