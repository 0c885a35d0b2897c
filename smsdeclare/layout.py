"""YAML laid out in one way: the same data, every comment, the same quotes; refused where that can't be had."""

from __future__ import annotations

import io
import re
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import yaml

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic
from smsdeclare.document import parse
from smsdeclare.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: No line is broken.
_WIDTH = 1 << 30
_NULL = "tag:yaml.org,2002:null"
_COMMENT = re.compile(r"(?:^|(?<=[\s,\[\]{}]))#[^\r\n]*", re.MULTILINE)


def lay_out(data: bytes, *, file: str) -> str:
    """The text of a file, laid out; `file` is its name in diagnostics.

    Two spaces a level, list items in from their key, no blank lines but single ones, LF. Raises InputError where it is
    no YAML of ours, and where laid out it would say something else, lose a comment, or not come to rest.
    """
    before = parse(data, file=file)
    text = before.text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        laid_out = _at_rest(text)
        if repr(parse(laid_out.encode(), file=file).data) != repr(before.data):
            why = "it would say something else"
        elif _remarks(laid_out) != _remarks(text):
            why = "a comment or an anchor would be lost"
        else:
            return laid_out
    except (
        InputError,
        yaml.YAMLError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        IndexError,
        RecursionError,
        AssertionError,
    ) as e:
        why = type(e).__name__
    raise InputError(Diagnostic(code=codes.LAYOUT_REFUSED, detail=f"{file}: {why}"))


def _at_rest(text: str) -> str:
    """What laying out once more changes nothing about; raises ValueError where that never comes."""
    for _ in range(4):
        before, text = text, _once(text)
        if text == before:
            return text
    raise ValueError


def _once(text: str) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - 0.1 s, only where a file is laid out
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above
    from ruamel.yaml.resolver import VersionedResolver  # noqa: PLC0415 - as above

    class AsWritten(VersionedResolver):
        """Takes every plain scalar for text, so that it stays as it stands; but nothing is nothing."""

        @property
        def versioned_resolver(self) -> Any:
            return {first: [(_NULL, re.compile(r"^(?:~|null|Null|NULL|)$"))] for first in ("", "~", "n", "N")}

    reader = YAML(typ="rt")
    reader.Resolver = AsWritten
    reader.preserve_quotes = True
    reader.width = _WIDTH
    reader.indent(mapping=2, sequence=4, offset=2)
    written = io.StringIO()
    try:
        with warnings.catch_warnings():
            # An anchor that stands twice, say, which our own reader has let pass.
            warnings.simplefilter("ignore")
            data = reader.load(text)
        _keep_anchors(data)
        reader.dump(data, written)
    except YAMLError as error:
        raise ValueError(type(error).__name__) from error
    return _indented(_calm(written.getvalue()), text)


def _keep_anchors(data: Any) -> None:
    """An anchor stays where nothing refers to it, too."""
    waiting, seen = [data], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        anchor = getattr(one, "anchor", None)
        if anchor is not None and anchor.value:
            anchor.always_dump = True
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()


def _calm(text: str) -> str:
    """Single blank lines, none at the ends, and nothing behind the last sign of a line, outside of texts."""
    inside = {line for first, last, _ in _scalars(text) for line in range(first, last)}
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        kept = line if number in inside else line.rstrip(" ")
        if kept or number in inside or (lines and lines[-1]):
            lines.append(kept)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n" if lines else ""


def _indented(laid_out: str, original: str) -> str:
    """Comments on lines of their own begin where the line begins that they are about, as they did."""
    lines = laid_out.split("\n")
    own, before = list(_own_lines(laid_out)), list(_own_lines(original))
    if len(own) != len(before):
        return laid_out
    for (number, _, above, below), (_, column, above_then, below_then) in zip(own, before, strict=True):
        # That of the line above only where it stood as deep: it ends what stands above, and begins nothing.
        is_of_above = column != below_then and column >= above_then > below_then
        lines[number] = " " * (above if is_of_above else below) + lines[number].lstrip(" ")
    return "\n".join(lines)


def _own_lines(text: str) -> Iterator[tuple[int, int, int, int]]:
    """Each comment on a line of its own: its line and column, and where the content above and below it begins."""
    inside = {line for first, last, _ in _scalars(text) for line in range(first + 1, last)}
    lines = text.split("\n")
    columns = [len(line) - len(line.lstrip(" ")) for line in lines]

    def is_content(number: int) -> bool:
        bare = lines[number].strip()
        return number in inside or (bool(bare) and not bare.startswith("#"))

    for number, line in enumerate(lines):
        if number in inside or not line.lstrip(" ").startswith("#"):
            continue
        above = next((one for one in range(number - 1, -1, -1) if is_content(one) and one not in inside), None)
        below = next((one for one in range(number + 1, len(lines)) if is_content(one)), None)
        yield (
            number,
            columns[number],
            0 if above is None else columns[above],
            0 if below is None else columns[below],
        )


def _scalars(text: str) -> Iterator[tuple[int, int, Any]]:
    """Lines of each text that takes several, from the first to the one before its last; and its token."""
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken) and token.end_mark.line > token.start_mark.line:
            yield token.start_mark.line, token.end_mark.line, token


def _remarks(text: str) -> tuple[list[str], list[str]]:
    """Every comment, and every anchor and alias, in their order, by another reader than the one that lays out."""
    hidden, marks = [(0, 0)], []
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            start = token.start_mark.index
            # Behind the sign of a block text a comment may stand.
            begin = text.find("\n", start) if token.style in ("|", ">") else start
            hidden.append((begin, token.end_mark.index))
        elif isinstance(token, yaml.AnchorToken | yaml.AliasToken):
            marks.append(token.value)
    hidden.append((len(text), len(text)))
    gaps = "\n".join(text[end:start] for (_, end), (start, _) in pairwise(hidden))
    return [match.group().rstrip() for match in _COMMENT.finditer(gaps)], marks
