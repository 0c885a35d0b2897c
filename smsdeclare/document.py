"""Text → plain data + a side index from route to span; YAML 1.2 core; limits."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from smsdeclare import codes
from smsdeclare.diagnostics import Diagnostic, Span, by_place
from smsdeclare.errors import InputError
from smsdeclare.files import LINE_END, MOST_DIAGNOSTICS, Source, decode, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smsdeclare.codes import Code

#: The keys and indexes that lead to a value: `("messages", "welcome", "to", 0)`.
Route = tuple[str | int, ...]

#: Lists and mappings inside one another; values that aliases add to those written out; events of the parser.
MOST_LEVELS, MOST_ALIASED, MOST_EVENTS = 32, 10_000, 250_000

# libyaml is some ten times faster; a PyYAML built without it reads the same language.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SURROGATE = re.compile("[\ud800-\udfff]")
#: A tab before the first character of a line that is no comment.
_TAB_LINE = re.compile(r"(?:^|(?<=[\r\n])) *(\t)[ \t]*(?=[^ \t\r\n#])")
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+\s*")
_TAG = re.compile(r"(?:&[^\s,\[\]{}]+\s+)?(![^\s,\[\]{}]*)")
_BARE_TEMPLATE = re.compile(r"[:-]\s+\{\{")
_QUOTE_IT = 'Quote a text that holds a template: "{{ … }}".'

#: A phone number or another row of digits whose first character would be lost.
_DIGITS_AS_TEXT = re.compile(r"\+[0-9]{2,}|0[0-9]+")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

#: libyaml says "did not find expected ',' or ']'", PyYAML "expected ',' or ']', but got '<scalar>'".
_PARSER_WORDS = re.compile(r"^(?:(?:did|could) not find )?(?:expected |the |block )*'?")
_PLAIN_WORDS = (
    ("mapping values are not", "a colon stands where no key can be; quote a text that contains `: `"),
    ("sequence entries are not", "a list item can't begin here; put it on a line of its own"),
    ("found unexpected end of stream", "the file ends inside a quoted text"),
    ("found unknown escape", "this escape is not known; for a backslash write two, or use single quotes"),
    ("found character", "no value can begin with this character; quote the text"),
    (",' or", "a comma or the closing bracket is missing"),
    ("-' indicator", "this stands among list items but does not begin with `- `"),
    ("key", "a key is expected here; check the indentation, and the quotes before it"),
    ("<block end>", "this does not fit its indentation, or follows a value that has already ended"),
    (":'", "a `:` is missing after the key"),
    ("node content", "a value is expected here"),
    ("<document start>", "something follows where the document has already ended"),
)
#: What it was parsing, by the last word of "while scanning a simple key".
_CONTEXTS = {"sequence": "list", "collection": "list", "mapping": "mapping", "scalar": "text", "key": "key"}


@dataclass(slots=True, eq=False)
class _Node:
    """A value with its place; offsets count characters of the text."""

    data: Any
    start: int
    end: int
    #: A scalar as written; None for lists and mappings.
    written: str | None = None
    #: Nodes of a mapping by key, of a list by index; None for scalars.
    children: Any = None
    #: Where its key stands, for a value of a mapping.
    key: tuple[int, int] | None = None
    #: Values and keys in it, itself included, aliases expanded.
    size: int = 1
    #: Levels of lists and mappings in it, itself included, aliases expanded.
    height: int = 0
    #: The key that waits for its value, with its place; its text is None where the key is refused.
    waiting: tuple[str | None, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML file: plain data, which nobody may change, and where each of its values stands."""

    #: As the user would type it: relative to the project's folder.
    file: str
    data: Any
    _source: Source = field(repr=False)
    _root: _Node = field(repr=False)

    @property
    def text(self) -> str:
        """The source, without a byte order mark."""
        return self._source.text

    @property
    def lines(self) -> list[str]:
        """The source line by line, without line ends; `lines[span.line - 1]` is the line of a span."""
        return LINE_END.split(self.text)

    def span(self, route: Route) -> Span:
        """The place of the value; of the nearest one around it where there is none."""
        node = self._nearest(route)[0]
        return self._source.span(node.start, node.end)

    def key_span(self, route: Route) -> Span:
        """The place of the value's key; of the value where it has none; of the file's beginning for ()."""
        node = self._nearest(route)[0]
        return self._source.span(*(node.key or (node.start, node.end))) if route else self._source.span(0, 0)

    def written(self, route: Route) -> str:
        """The scalar's text as it stands in the file, quotes and escapes resolved: `1.50`, `true`, `007`.

        Raises KeyError where there is no scalar.
        """
        node, exact = self._nearest(route)
        if not exact or node.written is None:
            raise KeyError(route)
        return node.written

    def _nearest(self, route: Route) -> tuple[_Node, bool]:
        node = self._root
        for step in route:
            try:
                node = node.children[step]
            except (KeyError, IndexError, TypeError):
                return node, False
        return node, True


def parse(data: bytes, *, file: str) -> Document:
    """Read one YAML document; `file` is its name in diagnostics.

    Raises InputError with all that is wrong with it.
    """
    source = decode(data, file=file)
    tabs = _indenting_tabs(source.text)[:MOST_DIAGNOSTICS]
    if tabs:
        raise InputError(*(source.finding(codes.YAML_TAB, at, at + 1) for at in tabs))
    root = _Composer(source).compose()
    return Document(file=file, data=root.data, _source=source, _root=root)


def _indenting_tabs(text: str) -> list[int]:
    """Tabs before a line's first token. libyaml accepts them inside brackets; long texts may hold them."""
    candidates = {match.end(): match.start(1) for match in _TAB_LINE.finditer(text)}
    found: set[int] = set()
    if candidates:
        # A mistake that ends the scan ends the parser too, which reports it.
        with suppress(yaml.YAMLError, ValueError, OverflowError):
            for token in yaml.scan(text, Loader=_LOADER):
                found.add(candidates.get(token.start_mark.index, -1))
    return sorted(found - {-1})


class _Composer:
    """Builds nodes from the parser's events, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        #: The lists and mappings whose end has not come yet.
        self.stack: list[_Node] = []
        self.anchors: dict[str, _Node] = {}
        self.root: _Node | None = None
        self.aliased = 0
        #: Where the last event ended.
        self.last = 0

    def compose(self, loader: Any = None) -> _Node:
        try:
            self._follow(yaml.parse(self.source.text, Loader=loader or _LOADER))
        except yaml.YAMLError as error:
            if "nesting depth" in str(error) and loader is None:
                # Newer libyaml looks a thousand levels ahead, and gives up before our own limit is reached.
                return _Composer(self.source).compose(yaml.SafeLoader)
            self._syntax(error)
        except (ValueError, OverflowError):
            # PyYAML's own parser on `\U00110000` and the like, where libyaml reports.
            self._report(codes.CONTROL_CHARACTER, self.last, self.last, "an escape names no character")
        if self.found:
            raise InputError(*by_place(self.found))
        if self.root is None or (self.root.written == "" and self.root.start == self.root.end):
            return _Node({}, 0, 0, children={})
        return self.root

    def _follow(self, events: Iterable[Any]) -> None:
        for counted, event in enumerate(events):
            start, end = event.start_mark.index, event.end_mark.index
            if counted > MOST_EVENTS:
                self._report(codes.TOO_MANY_VALUES, start, start, stop=True)
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event, start, end)
                case yaml.CollectionStartEvent():
                    self._open(event, start, end)
                case yaml.CollectionEndEvent():
                    node = self.stack.pop()
                    # The mark of a block's end stands at the next token: it ends with its last value.
                    node.end = end if end > start else node.end
                    self._place(node)
                case yaml.AliasEvent():
                    self._alias(event.anchor, start, end)
                case yaml.DocumentStartEvent() if self.root is not None:
                    self._report(codes.SECOND_DOCUMENT, start, end, stop=True)
            self.last = end

    def _properties(self, event: Any, start: int, most: int) -> int:
        """Refuse a tag; where the value itself begins."""
        if event.tag is not None:
            tag = _TAG.match(self.source.text, start)
            at, end, detail = (tag.start(1), tag.end(1), f"`{short(tag[1])}`") if tag else (start, start, "")
            self._report(codes.YAML_TAG, at, end, detail)
        if event.anchor is not None and (anchor := _ANCHOR.match(self.source.text, start)):
            return min(anchor.end(), most)
        return start

    def _scalar(self, event: Any, start: int, end: int) -> None:
        written: str = event.value
        start = self._properties(event, start, end)
        if event.style in ("|", ">"):
            # The mark stands at the next token, behind lines that are not part of the text.
            end = start + len(self.source.text[start:end].rstrip())
        if event.style == '"' and _SURROGATE.search(written):
            self._report(codes.CONTROL_CHARACTER, start, end, "an escape names no character")
        data: Any = written
        if not event.style:
            try:
                data = _resolve(written)
            except OverflowError:
                self._report(codes.NUMBER_OUT_OF_RANGE, start, end, f"`{short(written)}`")
        node = _Node(data, start, end, written)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._place(node)

    def _open(self, event: Any, start: int, end: int) -> None:
        start = self._properties(event, start, len(self.source.text))
        if len(self.stack) == MOST_LEVELS:
            self._report(codes.TOO_DEEP, start, start + 1, stop=True)
        kind = dict if isinstance(event, yaml.MappingStartEvent) else list
        node = _Node(kind(), start, max(start, end), children=kind(), height=1)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.stack.append(node)

    def _alias(self, name: Any, start: int, end: int) -> None:
        target = self.anchors.get(name)
        if target is None:
            self._report(codes.BAD_ALIAS, start, end, f"`*{short(name)}` names no anchor before it")
        elif any(around is target for around in self.stack):
            self._report(codes.BAD_ALIAS, start, end, f"`*{short(name)}` stands inside what it names")
        else:
            self.aliased += target.size
            if self.aliased > MOST_ALIASED:
                self._report(codes.ALIASES_TOO_LARGE, start, end, stop=True)
            if len(self.stack) + target.height > MOST_LEVELS:
                self._report(codes.TOO_DEEP, start, end, stop=True)
            self._place(replace(target, start=start, end=end, key=None))
            return
        self._place(_Node(None, start, end, ""))

    def _place(self, node: _Node) -> None:
        """Hand a finished node to the list or mapping around it."""
        if not self.stack:
            self.root = node
            return
        around = self.stack[-1]
        around.size += node.size
        around.height = max(around.height, node.height + 1)
        around.end = max(around.end, node.end)
        if isinstance(around.data, list):
            around.data.append(node.data)
            around.children.append(node)
        elif around.waiting is None:
            around.waiting = (self._key(around.children, node), node.start, node.end)
        else:
            (key, *place), around.waiting = around.waiting, None
            if key is not None:
                node.key = (place[0], place[1])
                around.data[key] = node.data
                around.children[key] = node

    def _key(self, siblings: dict[str, _Node], node: _Node) -> str | None:
        """The key's text; None, reported, where it is no scalar or stands there already."""
        if node.written is None:
            template = self.source.text.startswith("{{", max(node.start - 1, 0))
            hint = _QUOTE_IT if template else ""
            self._report(codes.KEY_NOT_TEXT, node.start, node.end, suggestion=hint)
        elif (twin := siblings.get(node.written)) and twin.key:
            first = (*twin.key, "first given here")
            self._report(codes.DUPLICATE_KEY, node.start, node.end, f"`{short(node.written)}`", first=first)
            return None
        return node.written

    def _syntax(self, error: Any) -> None:
        """Report what stopped the parser, in words for who has never seen one."""
        text = self.source.text
        problem = str(getattr(error, "problem", "the parser gave up")).partition(", but ")[0]
        mark: Any = getattr(error, "problem_mark", None)
        context: Any = getattr(error, "context_mark", None)
        at = min(mark.index if mark else self.last, len(text))
        if text[at : at + 1] == "\t" and ("tab character" in problem or "cannot start any token" in problem):
            self._report(codes.YAML_TAB, at, at + 1)
        elif "invalid Unicode character escape" in problem:
            self._report(codes.CONTROL_CHARACTER, at, at + 1, "an escape names no character")
        else:
            core = _PARSER_WORDS.sub("", problem)
            detail = next((plain for begin, plain in _PLAIN_WORDS if core.startswith(begin)), problem)
            first = None
            if context is not None and context.index < at:
                what = _CONTEXTS.get(str(error.context).rsplit(" ", 1)[-1], "part")
                first = (context.index, context.index + 1, f"the {what} begins here")
            line = self.source.starts[self.source.place(at)[0] - 1]
            bare = _BARE_TEMPLATE.search(text, line, at + 2)
            hint = _QUOTE_IT if bare else ""
            self._report(codes.YAML_SYNTAX, at, at + 1, detail, suggestion=hint, first=first)

    def _report(self, code: Code, start: int, end: int, detail: str = "", *, stop: bool = False, **more: Any) -> None:
        self.found.append(self.source.finding(code, start, end, detail, **more))
        if stop or len(self.found) == MOST_DIAGNOSTICS:
            raise InputError(*by_place(self.found))


def _resolve(written: str) -> Any:
    """The value of a plain scalar: YAML 1.2 core, but no infinities, and digits after + or 0 are text.

    Raises OverflowError for a figure out of range.
    """
    if written in _WORDS:
        return _WORDS[written]
    if written[0] not in "+-.0123456789" or _DIGITS_AS_TEXT.fullmatch(written):
        return written
    if _INT.fullmatch(written):
        if len(written.lstrip("+-")) > 30:
            raise OverflowError
        return int(written, 0) if written[1:2] in ("o", "x") else int(written)
    value = float(written) if _FLOAT.fullmatch(written) else written
    if value in (float("inf"), float("-inf")):
        raise OverflowError
    return value
