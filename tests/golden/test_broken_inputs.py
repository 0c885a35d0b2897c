"""What people get wrong: each mistake is named at its place, nothing is sent, nothing is touched, nothing leaks."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import jsonschema
import pytest
import worlds

from smsdeclare.canonical import canonical, sha256_hex
from smsdeclare.schema import load_schema
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings

ROOT = "smsdeclare.yaml"
SANDBOX_STATE = "smsdeclare.sandbox.state"
APPLY = ("apply", "--auto-approve")
#: Of the range kept for fiction, however it is spelled, once separators are gone.
A_NUMBER = re.compile(r"639980[0-9]{3}")
SEPARATORS = re.compile(r"[ .()/\u00a0\u202f-]")
CANARY = "canary-secret-0000000000000001"
DIAGNOSTIC = re.compile(r"^(?:(?P<place>\S[^\n]*?:[0-9]+:[0-9]+): )?error (?P<code>SMS[0-9]{3})(?=:)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Case:
    #: Name → text, bytes, or a function that makes the file at a path.
    files: Mapping[str, str | bytes | Callable]
    #: Every error, `place CODE` or only `CODE`, in the order of the report.
    errors: tuple[str, ...]
    #: Where a mistake in the files is meant, all of the commands that read the files must name it.
    commands: tuple[tuple[str, ...], ...] = (("validate",), ("plan",), APPLY)
    exit_code: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Called with the folder and the command before the snapshot: makes a state or a plan.
    prepare: Callable | None = None
    #: Must stand in what is printed.
    says: tuple[str, ...] = ()


def case(name, files, *errors, marks=(), **more):
    files = {ROOT: files} if isinstance(files, str | bytes) else files
    return pytest.param(Case(files=files, errors=errors, **more), id=name, marks=marks)


GOOD = worlds.root(more=worlds.message())


def in_root(text):
    """The root file with `text` from its line 4 on."""
    return worlds.root(more=text)


def with_csv(content, more="", text="Hi", settings=""):
    """A message to a CSV file; `csv:` stands on line 6, the text on line 9."""
    listed = f"receivers:\n  people:\n    csv: people.csv\n    numberColumn: phone\n{settings}"
    files = {ROOT: in_root(listed + worlds.message(text, "people") + more)}
    return files if content is None else {**files, "people.csv": content}


ROW = "phone,name\n+33639980001,Ana\n"

# — YAML —

YAML = [
    case("duplicate key", in_root(worlds.message() + '    text: "Bye"\n'), "smsdeclare.yaml:8:5 SMS011"),
    case(
        "duplicate message",
        in_root(worlds.message() + '  hello: {text: a, to: "+33639980002"}\n'),
        "smsdeclare.yaml:8:3 SMS011",
        says=("smsdeclare.yaml:5:3",),
    ),
    case(
        "duplicate key by quotes and escapes",
        in_root('"messag\\x65s": {}\nmessages: {}\n'),
        "smsdeclare.yaml:5:1 SMS011",
    ),
    case(
        "unknown key with a near match",
        in_root(worlds.message(more="    revison: 2\n")),
        "smsdeclare.yaml:8:5 SMS101",
        says=("`revision`",),
    ),
    case("a key of other tools", in_root("message: {}\n"), "smsdeclare.yaml:4:1 SMS101", says=("`messages`",)),
    case(
        "snake case", in_root(worlds.message(more="    send_at: 1\n")), "smsdeclare.yaml:8:5 SMS101", says=("`sendAt`",)
    ),
    case(
        "an option beside the text",
        in_root(worlds.message(more="    sender: ACME\n")),
        "smsdeclare.yaml:8:5 SMS101",
        says=("options",),
    ),
    case("tab as indentation", in_root("messages:\n\thello: {}\n"), "smsdeclare.yaml:5:1 SMS013"),
    case("tab after spaces in brackets", in_root("messages: {\n  \thello: {}}\n"), "smsdeclare.yaml:5:3 SMS013"),
    case(
        "tag",
        in_root("messages:\n  hello: !!python/object/apply:os.system ['id']\n"),
        "smsdeclare.yaml:5:10 SMS012",
    ),
    case(
        "tag on a text",
        in_root('messages:\n  hello:\n    text: !!str Hi\n    to: "+33639980001"\n'),
        "smsdeclare.yaml:6:11 SMS012",
    ),
    case(
        "alias bomb",
        in_root(
            "receivers:\n  a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"  {b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n"
                for a, b in zip("abcdefghi", "bcdefghij", strict=True)
            )
        ),
        "smsdeclare.yaml:9:10 SMS016",
    ),
    case("recursive alias", in_root("receivers: &all\n  team: *all\n"), "smsdeclare.yaml:5:9 SMS017"),
    case("unknown alias", in_root("receivers: *nobody\n"), "smsdeclare.yaml:4:12 SMS017"),
    case(
        "merge key",
        in_root("options:\n  one: &one {priority: high}\n  two: {<<: *one}\n"),
        "smsdeclare.yaml:6:9 SMS101",
    ),
    case("nested too deeply", in_root("messages: " + "[" * 5000 + "]" * 5000 + "\n"), "smsdeclare.yaml:4:42 SMS015"),
    case("UTF-16 with a mark", GOOD.encode("utf-16"), "smsdeclare.yaml:1:1 SMS004"),
    case("UTF-16 without a mark", GOOD.encode("utf-16-le"), "smsdeclare.yaml:1:1 SMS004", says=("UTF-16",)),
    case("UTF-32", GOOD.encode("utf-32"), "smsdeclare.yaml:1:1 SMS004"),
    case("latin-1", in_root(worlds.message("Caf\u00e9")).encode("latin-1"), "smsdeclare.yaml:6:15 SMS004"),
    case("overlong UTF-8", in_root("# ").encode() + b"\xc0\xaf\n", "smsdeclare.yaml:4:3 SMS004"),
    case("NUL", in_root("# \x00\n"), "smsdeclare.yaml:4:3 SMS005"),
    case(
        "raw escape sequence", in_root(worlds.message().replace("Hello", "\x1b[2JHello")), "smsdeclare.yaml:6:12 SMS005"
    ),
    case("escape that is half a character", in_root('project2: "\\ud800"\n'), "smsdeclare.yaml:4:14 SMS005"),
    case("second document", GOOD + "---\nmessages: {}\n", "smsdeclare.yaml:8:1 SMS014"),
    case("unclosed quote", in_root('messages:\n  hello: {text: "Hi}\n'), "smsdeclare.yaml:6:1 SMS010"),
    case(
        "colon in a bare text",
        in_root("messages:\n  hello:\n    text: Attention: hi\n    to: x\n"),
        "smsdeclare.yaml:6:20 SMS010",
    ),
    case(
        "bare template",
        in_root("messages:\n  hello:\n    text: {{ name }}\n    to: x\n"),
        "smsdeclare.yaml:6:12 SMS018",
        says=("Quote",),
    ),
    case("a list as key", in_root("? [a, b]\n: c\n"), "smsdeclare.yaml:4:3 SMS018"),
    case("figure out of range", in_root("options:\n  a: {validityPeriod: 1e999}\n"), "smsdeclare.yaml:5:23 SMS019"),
    case("empty file", "", "smsdeclare.yaml:1:1 SMS102", "smsdeclare.yaml:1:1 SMS102", "smsdeclare.yaml:1:1 SMS102"),
    case("a list as file", "- a\n", "smsdeclare.yaml:1:1 SMS103"),
    case("larger than 5 MB", GOOD + "#" * 5_000_000, "SMS002"),
    case("a folder as root file", {ROOT: lambda path: path.mkdir()}, "SMS001"),
    case("a pipe as root file", {ROOT: os.mkfifo}, "SMS001"),
    case(
        "a part that is a link out of the project",
        {ROOT: GOOD, "a.sms.yaml": lambda path: path.symlink_to("/etc/passwd")},
        "SMS003",
    ),
    case(
        "a part that is a broken link",
        {ROOT: GOOD, "a.sms.yaml": lambda path: path.symlink_to("nowhere.yaml")},
        "SMS001",
    ),
    case("no root file", {"other.yaml": GOOD}, "SMS006", says=("smsdeclare init",)),
]

# — definitions —

DEFINITIONS = [
    case("version missing", GOOD.replace("version: 1\n", ""), "smsdeclare.yaml:1:1 SMS102"),
    case("provider missing", GOOD.replace("provider: {name: sandbox}\n", ""), "smsdeclare.yaml:1:1 SMS102"),
    case("version 2", GOOD.replace("version: 1", "version: 2"), "smsdeclare.yaml:1:10 SMS104"),
    case("text missing", in_root('messages:\n  hello:\n    to: "+33639980001"\n'), "smsdeclare.yaml:5:3 SMS102"),
    case("message without anything", in_root("messages:\n  hello:\n"), "smsdeclare.yaml:5:9 SMS103"),
    case("unknown provider", GOOD.replace("sandbox", "sandbx"), "smsdeclare.yaml:3:18 SMS104", says=("`sandbox`",)),
    case("tag as option", in_root(worlds.message(more="    options: {tag: mine}\n")), "smsdeclare.yaml:8:15 SMS111"),
    case(
        "NO is text",
        in_root(worlds.message(more="    options: {noStopClause: NO}\n")),
        "smsdeclare.yaml:8:29 SMS103",
        says=("`false`",),
    ),
    case(
        "yes in quotes",
        in_root(worlds.message(more='    enabled: "yes"\n')),
        "smsdeclare.yaml:8:14 SMS103",
        says=("`true`",),
    ),
    case("revision as text", in_root(worlds.message(more='    revision: "2"\n')), "smsdeclare.yaml:8:15 SMS103"),
    case("revision as fraction", in_root(worlds.message(more="    revision: 2.0\n")), "smsdeclare.yaml:8:15 SMS103"),
    case("revision 0", in_root(worlds.message(more="    revision: 0\n")), "smsdeclare.yaml:8:15 SMS104"),
    case(
        "revision beyond any state",
        in_root(worlds.message(more="    revision: 99999999999999999999\n")),
        "smsdeclare.yaml:8:15 SMS104",
    ),
    case(
        "a deferral of millions of years",
        in_root(worlds.message(more="    options: {differedPeriod: 9999999999999}\n")),
        "smsdeclare.yaml:8:31 SMS104",
    ),
    case(
        "an end of the world",
        in_root(worlds.message(more="    expiresAt: 9999-12-31 23:59Z\n")),
        "smsdeclare.yaml:8:16 SMS104",
        says=("never",),
    ),
    case(
        "a time before time",
        in_root(worlds.message(more="    sendAt: 0001-01-01 00:00\n")),
        "smsdeclare.yaml:8:13 SMS104",
    ),
    case(
        "a wait of millions of years",
        in_root("settle: {after: 9999999999999d}\n" + worlds.message()),
        "smsdeclare.yaml:4:17 SMS104",
    ),
    case("name with a capital", in_root(worlds.message(name="Hello")), "smsdeclare.yaml:5:3 SMS105", says=("`hello`",)),
    case("name with a look-alike", in_root(worlds.message(name="h\u0435llo")), "smsdeclare.yaml:5:3 SMS105"),
    case(
        "name with direction characters",
        in_root('messages:\n  "a\\u202Eb": {text: Hi, to: "+33639980001"}\n'),
        "smsdeclare.yaml:5:3 SMS105",
    ),
    case(
        "name with an escape sequence",
        in_root('messages:\n  "a\\e[31mb": {text: Hi, to: "+33639980001"}\n'),
        "smsdeclare.yaml:5:3 SMS105",
    ),
    case(
        "a name twice over two files",
        {ROOT: GOOD, "b.sms.yaml": worlds.message("Bye")},
        "b.sms.yaml:2:3 SMS106",
        says=("smsdeclare.yaml:5:3",),
    ),
    case("root-only key in a part", {ROOT: GOOD, "b.sms.yaml": "provider: {name: ovh}\n"}, "b.sms.yaml:1:1 SMS107"),
    case(
        "part in a file with an escape sequence in its name",
        {ROOT: GOOD, "b\x1b[31m.sms.yaml": "provider: {name: ovh}\n"},
        "b\\x1b[31m.sms.yaml:1:1 SMS107",
    ),
    case(
        "unknown receivers",
        in_root('receivers: {customers: {numbers: ["+33639980001"]}}\n' + worlds.message(to="customer")),
        "smsdeclare.yaml:8:9 SMS108",
        says=("`customers`",),
    ),
    case(
        "unknown options",
        in_root("options: {fast: {priority: high}}\n" + worlds.message(more="    options: fats\n")),
        "smsdeclare.yaml:9:14 SMS108",
        says=("`fast`",),
    ),
    case(
        "unknown list to except",
        in_root(worlds.message(more="    except: [optedOut]\n")),
        "smsdeclare.yaml:8:14 SMS108",
    ),
    case(
        "circular unions",
        in_root("receivers:\n  a: {union: [b]}\n  b: {union: [a]}\n" + worlds.message(to="a")),
        "smsdeclare.yaml:5:15 SMS109",
        "smsdeclare.yaml:6:15 SMS109",
    ),
    case(
        "a union of itself",
        in_root("receivers:\n  a: {union: [a]}\n" + worlds.message(to="a")),
        "smsdeclare.yaml:5:15 SMS109",
    ),
    case(
        "numbers beside csv",
        in_root('receivers:\n  a: {csv: a.csv, numbers: ["+33639980001"]}\n'),
        "smsdeclare.yaml:5:19 SMS110",
    ),
    case(
        "a day that does not exist",
        in_root(worlds.message(more="    sendAt: 2026-02-30 09:00\n")),
        "smsdeclare.yaml:8:13 SMS104",
    ),
    case(
        "a time that summer time skips",
        in_root("timezone: Europe/Paris\n" + worlds.message(more="    sendAt: 2027-03-28 02:30\n")),
        "smsdeclare.yaml:9:13 SMS117",
    ),
    case(
        "a time zone that is none",
        in_root("timezone: Europe/Pariss\n" + worlds.message()),
        "smsdeclare.yaml:4:11 SMS104",
        says=("Europe/Paris",),
    ),
    case(
        "includes from outside",
        in_root('include: ["../**/*.yaml"]\n' + worlds.message()),
        "smsdeclare.yaml:4:11 SMS104",
    ),
    *(
        case(f"includes {name}", in_root(f'include: ["{glob}"]\n' + worlds.message()), "smsdeclare.yaml:4:11 SMS104")
        for name, glob in {
            "no file": ".",
            "no file, by a slash": "./",
            "all below": "**",
            "stars beside a name": "**.sms.yaml",
            "three stars": "***",
            "a NUL": "a\\0.yaml",
            "a long name": "x" * 300,
            "a long name in other letters": "é" * 150,
            "folder below folder": "x/" * 3000 + "a.sms.yaml",
        }.items()
    ),
]

# — receivers in YAML —

RECEIVERS = [
    case(
        "a number without quotes",
        in_root(worlds.message(to="33639980001")),
        "smsdeclare.yaml:7:9 SMS103",
        says=("Quote it",),
    ),
    case("octal-looking number", in_root(worlds.message(to="0639980001")), "smsdeclare.yaml:7:9 SMS202"),
    case("a national number in quotes", in_root(worlds.message(to='"06 39 98 00 01"')), "smsdeclare.yaml:7:9 SMS202"),
    case(
        "a national number grouped like a date",
        in_root(worlds.message(to='"0639-98-00-01"')),
        "smsdeclare.yaml:7:9 SMS202",
    ),
    case(
        "a national number in a list without a country",
        in_root('receivers:\n  a: {numbers: ["0639980001"]}\n'),
        "smsdeclare.yaml:5:17 SMS202",
    ),
    case("too short", in_root(worlds.message(to='"+336399"')), "smsdeclare.yaml:7:9 SMS201"),
    case("too long", in_root(worlds.message(to='"+336399800012345678"')), "smsdeclare.yaml:7:9 SMS201"),
    case("letters in a number", in_root(worlds.message(to='"+3363998O001"')), "smsdeclare.yaml:7:9 SMS201"),
    case(
        "a label glued to a number",
        in_root(worlds.message(to='"+33639980001x5"')),
        "smsdeclare.yaml:7:9 SMS201",
    ),
    case(
        "full-width digits",
        in_root(worlds.message(to='"+\uff13\uff13639980001"')),
        "smsdeclare.yaml:7:9 SMS201",
        says=("look like",),
    ),
    case(
        "zero-width space in a number",
        in_root(worlds.message(to='"+33639980001\u200b"')),
        "smsdeclare.yaml:7:9 SMS201",
        says=("U+200B",),
    ),
    case(
        "direction mark in a number",
        in_root(worlds.message(to='"\u202a+33639980001\u202c"')),
        "smsdeclare.yaml:7:9 SMS201",
        says=("U+202A",),
    ),
    case(
        "two numbers in one", in_root(worlds.message(to='"+33639980001, +33639980002"')), "smsdeclare.yaml:7:9 SMS201"
    ),
    case("a fixed line", in_root(worlds.message(to='"+33199001234"')), "smsdeclare.yaml:7:9 SMS203"),
    case("an empty list of numbers", in_root("receivers: {a: {numbers: []}}\n"), "smsdeclare.yaml:4:26 SMS104"),
    case(
        "a receiver without number",
        in_root("receivers: {a: {numbers: [{name: Ana}]}}\n"),
        "smsdeclare.yaml:4:27 SMS102",
    ),
    case(
        "a number that is no text",
        in_root("receivers: {a: {numbers: [33639980001, {number: 33639980002}]}}\n"),
        "smsdeclare.yaml:4:27 SMS103",
        "smsdeclare.yaml:4:49 SMS103",
    ),
    case(
        "no such country",
        in_root('receivers: {a: {numbers: ["0639980001"], defaultCountry: XX}}\n'),
        "smsdeclare.yaml:4:58 SMS104",
    ),
    case(
        "unions that double at each level",
        in_root(
            'receivers:\n  a0: {numbers: ["+33639980001"]}\n'
            + "".join(f"  a{level + 1}: {{union: [a{level}, a{level}]}}\n" for level in range(16))
            + worlds.message("{{ missing }}", "a16")
        ),
        "smsdeclare.yaml:5:18 SMS303",
    ),
]

# — texts —

TEXTS = [
    case(
        "a hole",
        in_root(worlds.message("Hi {{ name }}")),
        "smsdeclare.yaml:7:9 SMS303",
        says=("`name`", "smsdeclare.yaml:6:11"),
    ),
    case(
        "a hole in one row",
        with_csv("phone,name\n+33639980001,Ana\n+33639980002,  \n", text="Hi {{ name }}"),
        "people.csv:3:1 SMS303",
        says=("`name`",),
    ),
    case(
        "a column that does not exist",
        with_csv(ROW, text="Hi {{ row['first name'] }}"),
        "people.csv:2:1 SMS303",
        says=("first name",),
    ),
    case(
        "a text that renders empty", in_root(worlds.message("{% if false %}x{% endif %}")), "smsdeclare.yaml:7:9 SMS305"
    ),
    case("an empty text", in_root(worlds.message("")), "smsdeclare.yaml:6:11 SMS104"),
    case("a tab in a text", in_root(worlds.message("a\tb")), "smsdeclare.yaml:7:9 SMS306"),
    case(
        "an escape sequence in a text",
        in_root('messages:\n  hello:\n    text: "\\e]0;owned\\a"\n    to: "+33639980001"\n'),
        "smsdeclare.yaml:7:9 SMS306",
    ),
    case(
        "a control character in a cell",
        with_csv("phone,name\n+33639980001,\x1b[2Jx\n", text="Hi {{ name }}"),
        "people.csv:2:1 SMS306",
    ),
    case("for", in_root(worlds.message("{% for i in [1] %}x{% endfor %}")), "smsdeclare.yaml:6:11 SMS302"),
    case("range", in_root(worlds.message("{{ range(1000000000) }}")), "smsdeclare.yaml:6:11 SMS302"),
    case("__class__", in_root(worlds.message("{{ ''.__class__.__mro__ }}")), "smsdeclare.yaml:6:11 SMS302"),
    case("include", in_root(worlds.message("{% include '/etc/passwd' %}")), "smsdeclare.yaml:6:11 SMS302"),
    case("debug", in_root(worlds.message("{{ debug() }}")), "smsdeclare.yaml:6:11 SMS302"),
    case("a filter that does not exist", in_root(worlds.message("{{ 'a'|evil }}")), "smsdeclare.yaml:6:11 SMS302"),
    case("unclosed braces", in_root(worlds.message("Hi {{ name")), "smsdeclare.yaml:6:11 SMS301"),
    case(
        "too much to compute", in_root(worlds.message("{{ 'aaaaaaaaaa' * 999999999 }}")), "smsdeclare.yaml:7:9 SMS304"
    ),
    case(
        "a figure divided by nothing",
        with_csv("phone,n\n+33639980001,0\n", text="{{ 7 // (n|int) }}"),
        "people.csv:2:1 SMS304",
    ),
    case(
        "half a character in a text",
        in_root('messages:\n  hello: {text: "\\uD83D", to: "+33639980001"}\n'),
        "smsdeclare.yaml:5:20 SMS005",
    ),
]

# — CSV —


def sparse(size):
    def make(path):
        path.touch()
        os.truncate(path, size)

    return make


CSV = [
    case("CSV missing", with_csv(None), "smsdeclare.yaml:6:10 SMS001"),
    case("CSV a folder", with_csv(lambda path: path.mkdir()), "smsdeclare.yaml:6:10 SMS001", says=("folder",)),
    case("CSV a pipe", with_csv(os.mkfifo), "smsdeclare.yaml:6:10 SMS001", says=("pipe",)),
    case("CSV of 1 GB", with_csv(sparse(1 << 30)), "smsdeclare.yaml:6:10 SMS002"),
    case(
        "CSV by an absolute path",
        {ROOT: in_root("receivers: {a: {csv: /etc/passwd}}\n" + worlds.message(to="a"))},
        "smsdeclare.yaml:4:22 SMS003",
    ),
    case(
        "CSV above the project",
        {"p/smsdeclare.yaml": in_root("receivers: {a: {csv: ../b.csv}}\n" + worlds.message(to="a")), "b.csv": ROW},
        "smsdeclare.yaml:4:22 SMS003",
        commands=(("plan", "-C", "p"),),
    ),
    case(
        "CSV by a link out of the project",
        with_csv(lambda path: path.symlink_to("/proc/self/environ")),
        "smsdeclare.yaml:6:10 SMS003",
    ),
    case("CSV a link to itself", with_csv(lambda path: path.symlink_to("people.csv")), "smsdeclare.yaml:6:10 SMS001"),
    case("CSV a device", with_csv(lambda path: path.symlink_to("/dev/zero")), "smsdeclare.yaml:6:10 SMS003"),
    case(
        "CSV with NUL in its name",
        in_root('receivers: {a: {csv: "a\\0b"}}\n' + worlds.message(to="a")),
        "smsdeclare.yaml:4:22 SMS001",
    ),
    case("CSV empty", with_csv(""), "smsdeclare.yaml:6:10 SMS204"),
    case("CSV header only", with_csv("phone,name\n"), "smsdeclare.yaml:6:10 SMS204"),
    case(
        "CSV without the column",
        with_csv("number,name\n+33639980001,Ana\n"),
        "smsdeclare.yaml:6:10 SMS205",
        says=("`phone`", "`number`"),
    ),
    case(
        "CSV without the column of where",
        with_csv(ROW, settings="    where: {plan: gold}\n"),
        "smsdeclare.yaml:6:10 SMS205",
        says=("`plan`",),
    ),
    case("CSV ragged", with_csv("phone,name\n+33639980001,Ana\n+33639980002,Bo,x\n"), "people.csv:3:1 SMS207"),
    case(
        "CSV quotes unbalanced", with_csv('phone,name\n+33639980001,"Ana\n+33639980002,Bo\n'), "people.csv:3:1 SMS206"
    ),
    case("CSV a column twice", with_csv("phone,name,name\n+33639980001,Ana,Bo\n"), "people.csv:1:1 SMS208"),
    case("CSV UTF-16", with_csv(ROW.encode("utf-16")), "smsdeclare.yaml:6:10 SMS004"),
    case(
        "CSV latin-1", with_csv("phone,name\n+33639980001,Ren\u00e9\n".encode("latin-1")), "smsdeclare.yaml:6:10 SMS004"
    ),
    case(
        "CSV with an escape sequence in its header",
        with_csv("x\x1b[2J,name\n+33639980001,Ana\n"),
        "smsdeclare.yaml:6:10 SMS205",
    ),
    case("CSV one endless row", with_csv("phone,name\n+33639980001," + '"\n",' * 50_000), "people.csv:2:1 SMS206"),
    case("CSV one endless cell", with_csv("phone,name\n+33639980001," + "x" * 200_000 + "\n"), "people.csv:2:1 SMS206"),
    case("CSV numbers in the header", with_csv("+33639980001,Ana\n+33639980002,Bo\n"), "smsdeclare.yaml:6:10 SMS205"),
]

# — provider and environment —

REAL = "{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}"
NETWORK = (("plan",), APPLY)


def at(endpoint):
    return worlds.root(f'{{name: ovh, endpoint: "{endpoint}", service: sms-ab12345-1}}', worlds.message())


PROVIDERS = [
    case("endpoint of somebody else", at("https://evil.example/1.0"), "smsdeclare.yaml:3:33 SMS104"),
    case("endpoint by http", at("http://eu.api.ovh.com/1.0"), "smsdeclare.yaml:3:33 SMS104"),
    case("endpoint that begins like loopback", at("http://127.0.0.1.evil.example/1.0"), "smsdeclare.yaml:3:33 SMS104"),
    case("endpoint with a user", at("http://127.0.0.1@evil.example/1.0"), "smsdeclare.yaml:3:33 SMS104"),
    case("endpoint on port 0", at("http://127.0.0.1:0/1.0"), "SMS604", commands=NETWORK, environment=worlds.KEYS),
    case(
        "endpoint on an impossible port",
        at("http://127.0.0.1:99999/1.0"),
        "SMS604",
        commands=NETWORK,
        environment=worlds.KEYS,
    ),
    case(
        "endpoint on an impossible address",
        at("http://127.999.0.1:80/1.0"),
        "SMS604",
        commands=NETWORK,
        environment=worlds.KEYS,
    ),
    case(
        "endpoint where nobody listens",
        at("http://127.0.0.1:1/1.0"),
        "SMS605",
        commands=NETWORK,
        environment=worlds.KEYS,
    ),
    case(
        "two endpoints",
        worlds.root(REAL, worlds.message()),
        "SMS603",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_ENDPOINT": "ovh-ca"},
    ),
    case(
        "an endpoint of the environment by http",
        worlds.root("{name: ovh}", worlds.message()),
        "SMS604",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_ENDPOINT": "http://proxy.example/1.0"},
    ),
    case(
        "an endpoint of the environment that is no URL",
        worlds.root("{name: ovh}", worlds.message()),
        "SMS604",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_ENDPOINT": "https://[::1"},
    ),
    case(
        "an endpoint of the environment with a space",
        worlds.root("{name: ovh}", worlds.message()),
        "SMS604",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_ENDPOINT": "https://a b.invalid/1.0"},
    ),
    case(
        "an endpoint of the environment with a secret",
        worlds.root("{name: ovh}", worlds.message()),
        "SMS604",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_ENDPOINT": f"https://me:{CANARY}@ovh.invalid/1.0"},
    ),
    case(
        "no credentials", worlds.root(REAL, worlds.message()), "SMS601", commands=NETWORK, says=("OVH_APPLICATION_KEY",)
    ),
    case(
        "one key missing",
        worlds.root(REAL, worlds.message()),
        "SMS601",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_CONSUMER_KEY": ""},
        says=("OVH_CONSUMER_KEY",),
    ),
    case(
        "a key of spaces",
        worlds.root(REAL, worlds.message()),
        "SMS601",
        commands=NETWORK,
        environment={**worlds.KEYS, "OVH_CONSUMER_KEY": "  "},
        says=("OVH_CONSUMER_KEY",),
    ),
    case(
        "a local state in CI",
        worlds.root(REAL, worlds.message()),
        "SMS505",
        commands=NETWORK,
        environment={**worlds.KEYS, "CI": "true"},
    ),
    case("a backend for later", in_root("state: {backend: s3}\n"), "smsdeclare.yaml:4:18 SMS112"),
]

# — the state —


def applied(mend=None, name=SANDBOX_STATE):
    """One SMS has gone out; then something happens to the state."""

    def prepare(folder, command):
        assert 0 == command(*APPLY, "-C", folder).code
        if mend:
            mend(folder / name)

    return prepare


def query(*statements):
    def change(path):
        connection = sqlite3.connect(path, isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return change


def cut(size):
    return partial(os.truncate, length=size)


def foreign_database(path, mode="DELETE"):
    path.unlink()
    query(
        f"PRAGMA journal_mode = {mode}", "CREATE TABLE customers (name TEXT)", "INSERT INTO customers VALUES ('Ana')"
    )(path)


def instead(make):
    def change(path):
        path.unlink()
        make(path)

    return change


def moved_behind_a_link(path):
    path.rename(path.with_name("elsewhere.db"))
    path.symlink_to("elsewhere.db")


def flipped(path):
    """Bytes of every page but the first overwritten."""
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def other_project(folder, command):
    applied()(folder, command)
    (folder / ROOT).write_text(GOOD.replace("project: test", "project: other"))


STATEFUL = (("plan",), APPLY, ("state", "list"))


def state_case(name, mend, *errors, marks=(), **more):
    return case(name, GOOD, *errors, marks=marks, prepare=applied(mend), **{"commands": STATEFUL, **more})


def meta(name, value):
    return query(f"UPDATE meta SET value = '{value}' WHERE name = '{name}'")


STATES = [
    state_case("state emptied", cut(0), "SMS501"),
    state_case("state cut inside its first page", cut(100), "SMS501"),
    state_case("state cut after its first page", cut(4096), "SMS501"),
    state_case("state with pages overwritten", flipped, "SMS501"),
    state_case("state that is text", lambda path: path.write_text("{}\n" * 500), "SMS501"),
    state_case("state of another program", foreign_database, "SMS501"),
    state_case(
        "state of another program that writes ahead",
        partial(foreign_database, mode="WAL"),
        "SMS501",
    ),
    state_case("state a folder", instead(lambda path: path.mkdir()), "SMS501"),
    state_case("state a pipe", instead(os.mkfifo), "SMS501"),
    state_case("state a link", moved_behind_a_link, "SMS501"),
    state_case("state a broken link", instead(lambda path: path.symlink_to("nowhere")), "SMS501"),
    state_case("state of a newer format", meta("format", "3"), "SMS503"),
    state_case("state with features unknown here", meta("features", '["hashedNumbers"]'), "SMS503"),
    state_case("state whose format is no figure", meta("format", "x"), "SMS501"),
    state_case("state whose features are no list", meta("features", "{"), "SMS501"),
    state_case("state whose epoch is no figure", meta("epoch", "x"), "SMS501", commands=(APPLY,)),
    state_case(
        "state whose secret is no hexadecimal",
        meta("secret", "x"),
        "SMS501",
        commands=(("state", "list"),),
    ),
    state_case("state without its secret", query("DELETE FROM meta WHERE name = 'secret'"), "SMS501"),
    state_case(
        "state without any meta",
        query("DELETE FROM meta"),
        "SMS501",
    ),
    state_case("state without its sends", query("DROP TABLE sends"), "SMS501"),
    state_case("state with a word that is no state", query("UPDATE sends SET state = 'sent'"), "SMS501"),
    state_case(
        "state whose jobs are gone",
        query("DELETE FROM jobs"),
        "SMS501",
    ),
    case("state bound to another project", GOOD, "SMS502", prepare=other_project, commands=(("plan",), APPLY)),
    case(
        "state path with NUL",
        in_root('state: {path: "a\\0b"}\n' + worlds.message()),
        "smsdeclare.yaml:4:15 SMS104",
    ),
    case(
        "state in a folder that does not exist",
        in_root("state: {path: nowhere/a.state}\n" + worlds.message()),
        "SMS504",
        commands=(APPLY,),
    ),
    case(
        "state path of the root file",
        worlds.root(REAL, "state: {path: smsdeclare.yaml}\n" + worlds.message()),
        "SMS501",
        commands=(("plan", "--offline"), APPLY),
        environment=worlds.KEYS,
    ),
]

# — saved plans —


def planned(change=None, *more):
    """A plan is saved; then something happens to it."""

    def prepare(folder, command):
        assert 0 == command("plan", "-C", folder, "--out", "plan.json", *more).code
        if change:
            change(folder / "plan.json")

    return prepare


def edited(before, after):
    def change(path):
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    return change


def resealed(**changes):
    """By somebody who knows how the seal is made."""

    def change(path):
        document = {**json.loads(path.read_text()), **changes}
        document.pop("seal")
        document["seal"] = f"sha256:{sha256_hex(canonical(document))}"
        path.write_text(json.dumps(document))

    return change


def then_root(text):
    def change(path):
        (path.parent / ROOT).write_text(text)

    return change


WITH_PLAN = (("apply", "plan.json"), ("show", "plan.json"))
ONLY_APPLY = (("apply", "plan.json"),)


def plan_case(name, change, *errors, marks=(), **more):
    return case(name, GOOD, *errors, marks=marks, prepare=planned(change), **{"commands": WITH_PLAN, **more})


PLANS = [
    plan_case("plan edited by hand", edited('"receivers": 1', '"receivers": 2'), "SMS402", exit_code=7),
    plan_case("plan with another digest", edited('"digest": "sha256:', '"digest": "sha256:0'), "SMS402", exit_code=7),
    case(
        "plan that is this folder",
        GOOD,
        "SMS001",
        commands=(("apply", "."), ("show", ".")),
        says=("read: . is a folder",),
    ),
    plan_case("plan cut", cut(300), "SMS401"),
    plan_case("plan empty", cut(0), "SMS401"),
    plan_case("plan not JSON", lambda path: path.write_text("hello\n"), "SMS401"),
    plan_case("plan a list", lambda path: path.write_text("[]\n"), "SMS401"),
    plan_case("plan nested deeply", lambda path: path.write_text("[" * 100_000), "SMS401"),
    plan_case("plan in latin-1", lambda path: path.write_bytes(b'{"a": "\xe9"}'), "SMS401"),
    plan_case("plan of another format", edited('"formatVersion": "1.0"', '"formatVersion": "9.0"'), "SMS401"),
    plan_case("plan without its seal", edited('"seal"', '"sael"'), "SMS401"),
    plan_case("plan with NaN", edited('"credits": 1.0', '"credits": NaN'), "SMS401"),
    plan_case("plan with half a character", edited('"reason": "', '"reason": "\\ud800'), "SMS401"),
    plan_case(
        "plan sealed anew with words for figures",
        resealed(
            summary=dict.fromkeys(
                (
                    "send",
                    "cancel",
                    "replace",
                    "keep",
                    "skip",
                    "missed",
                    "unknown",
                    "posts",
                    "credits",
                    "creditsLeft",
                    "creditsAfter",
                ),
                "many",
            )
        ),
        "SMS401",
        commands=(("show", "plan.json"),),
    ),
    plan_case(
        "plan sealed anew with another digest",
        resealed(digest="sha256:" + "0" * 64),
        "SMS402",
        exit_code=7,
        commands=ONLY_APPLY,
    ),
    plan_case(
        "plan for another project",
        then_root(GOOD.replace("project: test", "project: other")),
        "SMS403",
        exit_code=7,
        commands=ONLY_APPLY,
    ),
    plan_case(
        "plan for other files", then_root(GOOD.replace("Hello", "Bye")), "SMS402", exit_code=7, commands=ONLY_APPLY
    ),
    plan_case("plan missing", lambda path: path.unlink(), "SMS001"),
    plan_case("plan a folder", instead(lambda path: path.mkdir()), "SMS001"),
    plan_case("plan and variables", None, "SMS901", commands=(("apply", "plan.json", "--var", "shop=x"),)),
    plan_case(
        "plan and another digest expected",
        None,
        "SMS402",
        exit_code=7,
        commands=(("apply", "plan.json", "--expect-digest", "sha256:" + "0" * 64),),
    ),
    case(
        "wrong digest expected",
        GOOD,
        "SMS402",
        exit_code=7,
        commands=(("apply", "--expect-digest", "sha256:" + "0" * 64),),
    ),
    case("a digest that is none", GOOD, "SMS402", exit_code=7, commands=(("apply", "--expect-digest", "yes"),)),
    case(
        "an empty digest",
        GOOD,
        "SMS402",
        exit_code=7,
        commands=(("apply", "--expect-digest", ""), ("apply", "--expect-digest", "", "--auto-approve")),
    ),
    case(
        "a plan saved over a folder",
        {ROOT: GOOD, "there": lambda path: path.mkdir()},
        "SMS406",
        commands=(("plan", "--out", "there"),),
    ),
    case("a plan saved into nothing", GOOD, "SMS406", commands=(("plan", "--out", "no/plan.json"),)),
    case("a plan saved offline", GOOD, "SMS406", commands=(("plan", "--out", "plan.json", "--offline"),)),
    case(
        "a plan saved over the files",
        GOOD,
        "SMS406",
        commands=(("plan", "--out", ROOT),),
    ),
    case(
        "a plan saved over the state",
        GOOD,
        "SMS406",
        commands=(("plan", "--out", SANDBOX_STATE),),
        prepare=applied(),
    ),
]

# — arguments —

ARGUMENTS = [
    case("unknown option", GOOD, "SMS901", commands=(("plan", "--destroy"), ("apply", "--auto-aprove"))),
    case("unknown command", GOOD, "SMS901", commands=(("aply",),)),
    case("an option without its value", GOOD, "SMS901", commands=(("plan", "--out"),)),
    case("one argument too many", GOOD, "SMS901", commands=(("plan", "now"),)),
    case("a format that does not exist", GOOD, "SMS901", commands=(("plan", "--format", "xml"),)),
    case("--var without =", GOOD, "SMS901", commands=(("plan", "--var", "shop"), (*APPLY, "--var", "shop"))),
    case("--var with a number without =", GOOD, "SMS901", commands=((*APPLY, "--var", "+33639980001"),)),
    case("--var nobody declared", GOOD, "SMS114", commands=((*APPLY, "--var", "shop=x"),)),
    case(
        "a bad address",
        GOOD,
        "SMS901",
        commands=(
            ("state", "list", "hello"),
            ("state", "show", "message.hello@0"),
            ("state", "show", "message.hello/+33639980001"),
        ),
        prepare=applied(),
    ),
    case(
        "an address nobody has",
        GOOD,
        "SMS507",
        commands=(("state", "show", "message.nobody"), ("state", "show", "message.hello@999999999")),
        prepare=applied(),
    ),
    case(
        "a number as address with a label",
        GOOD,
        "SMS901",
        commands=(("state", "show", "message.hello@1/+33639980001x"),),
        prepare=applied(),
    ),
    case("nobody to ask", GOOD, "SMS404", commands=(("apply",), ("apply", "--json"))),
    case("a folder that does not exist", GOOD, "SMS006", commands=(("plan", "-C", "nowhere"),)),
    case("a file as folder", GOOD, "SMS006", commands=(("plan", "-C", ROOT),)),
    case(
        "a link to itself as folder",
        {ROOT: GOOD, "loop": lambda path: path.symlink_to("loop")},
        "SMS006",
        commands=(("plan", "-C", "loop"),),
    ),
    case("another root file that does not exist", GOOD, "SMS006", commands=(("plan", "-f", "staging.yaml"),)),
    case("a name longer than any", GOOD, "SMS006", commands=(("plan", "-f", "x" * 5000),)),
    case("init where something stands", GOOD, "SMS020", commands=(("init", "."),)),
]

BROKEN = [*YAML, *DEFINITIONS, *RECEIVERS, *TEXTS, *CSV, *PROVIDERS, *STATES, *PLANS, *ARGUMENTS]


# — how they are run —


def lay(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def snapshot(folder):
    """What every file is; the sandbox's outbox, which is the other side's, left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.endswith((".outbox.jsonl", ".outbox.jsonl.lock")):
            continue
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            size = path.stat().st_size
            found[name] = path.read_bytes() if size < 10_000_000 else size
        else:
            found[name] = "a folder" if path.is_dir() else "a pipe"
    return found


def sent(folder):
    return [line for path in sorted(folder.rglob("*.outbox.jsonl")) for line in path.read_text().splitlines()]


def named(output):
    """Every error of an output, `place CODE` or `CODE`."""
    return [" ".join(filter(None, (match["place"], match["code"]))) for match in DIAGNOSTIC.finditer(output)]


def leaks(output):
    """Full numbers, secrets, and what a terminal would obey."""
    bare = SEPARATORS.sub("", output)
    found = [match.group() for match in A_NUMBER.finditer(bare)]
    found += [secret for secret in (*worlds.KEYS.values(), CANARY) if secret in output]
    return found + re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", output)


@pytest.fixture
def mistake(tmp_path, command, monkeypatch):
    """Lay a case's files; then `run` one of its commands and make the checks that hold for all."""

    def lay_out(one):
        folder = tmp_path / "project"
        folder.mkdir()
        lay(folder, one.files)
        if one.prepare:
            one.prepare(folder, command)
        for name, value in one.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        before, known = snapshot(folder), sent(folder)

        def run(*arguments):
            result = command(*arguments)
            output = result.out + result.err
            assert "Traceback" not in output
            assert [] == leaks(output)
            assert known == sent(folder)
            assert before == snapshot(folder)
            return result

        return run

    return lay_out


@pytest.mark.parametrize("one", BROKEN)
def test_a_mistake_is_named_and_nothing_else_happens(mistake, one):
    run = mistake(one)
    for arguments in one.commands:
        result = run(*arguments)
        output = result.out + result.err
        found = [e["code"] for e in result.json["errors"]] if "--json" in arguments else named(output)
        assert (list(one.errors), one.exit_code) == (found, result.code), (arguments, output)
        for words in one.says:
            assert words in output


# — what looks broken and is not —

FINE = [
    case("byte order mark", b"\xef\xbb\xbf" + GOOD.encode()),
    case("CRLF", GOOD.replace("\n", "\r\n")),
    case("a number with a plus, bare", in_root(worlds.message(to="+33639980001"))),
    case("a number with spaces", in_root(worlds.message(to='"+33 6 39 98 00 01"'))),
    case(
        "a small alias", in_root('receivers:\n  a: &a {numbers: ["+33639980001"]}\n  b: *a\n' + worlds.message(to="b"))
    ),
    case("NO as a text", in_root("variables: {answer: {default: NO}}\n" + worlds.message("{{ answer }}"))),
    case("direction characters in a text", in_root('messages:\n  hello: {text: "a\\u202Eb", to: "+33639980001"}\n')),
    case("CSV with a byte order mark", with_csv(b"\xef\xbb\xbf" + ROW.encode())),
    case("CSV with returns only", with_csv(ROW.replace("\n", "\r"))),
    case(
        "CSV whose name ends in a folder of dots",
        with_csv(None) | {ROOT: with_csv(None)[ROOT].replace("people.csv", "./a/../people.csv"), "people.csv": ROW},
    ),
    case(
        "a sender beside the short number",
        in_root(worlds.message(more="    options: {sender: ACME, senderForResponse: true}\n")),
        says=("SMS115",),
    ),
    case("a deferral", in_root(worlds.message(more="    options: {differedPeriod: 60}\n")), says=("SMS116",)),
    case("a row that is no number", with_csv(ROW + "none,Bo\n"), says=("SMS2",)),
]


@pytest.mark.parametrize("one", FINE)
def test_what_only_looks_broken_is_taken(mistake, one):
    run = mistake(one)
    for arguments in (("validate",), ("plan",)):
        result = run(*arguments)
        output = result.out + result.err
        assert ([], 0) == (named(output), result.code), output
        for words in one.says:
            assert words in output


def test_mistakes_in_several_files_come_in_one_report(mistake):
    files = {
        ROOT: in_root('timezon: Europe/Paris\nreceivers: {team: {numbers: ["0639980001"]}}\n'),
        "a.sms.yaml": worlds.message("{% for x in y %}", to="team", more="    revison: 2\n"),
        "b.sms.yaml": "messages:\n  bye: {text: Hi, to: [nobody, team], options: {tag: x, priority: hi}}\n",
        "c.sms.yaml": "messages:\n\tx: 1\n",
        "d.sms.yaml": b"\xff\xfe",
    }
    run = mistake(Case(files=files, errors=()))
    expected = [
        "a.sms.yaml:5:5 SMS101",
        "b.sms.yaml:2:49 SMS111",
        "b.sms.yaml:2:67 SMS104",
        "c.sms.yaml:2:1 SMS013",
        "d.sms.yaml:1:1 SMS004",
        "smsdeclare.yaml:4:1 SMS101",
    ]
    for arguments in (("validate",), ("plan",), APPLY):
        result = run(*arguments)
        assert (1, expected) == (result.code, named(result.out + result.err))


def test_mistakes_of_meaning_in_several_files_come_in_one_report(mistake):
    files = {
        ROOT: in_root('receivers: {team: {numbers: ["0639980001", "+336"]}}\n'),
        "a.sms.yaml": worlds.message("{% for x in y %}{% endfor %}", to="team"),
        "b.sms.yaml": "messages:\n  bye: {text: Hi, to: [nobody, team]}\n  hello: {text: Hi, to: team}\n",
    }
    run = mistake(Case(files=files, errors=()))
    expected = [
        "a.sms.yaml:3:11 SMS302",
        "b.sms.yaml:2:24 SMS108",
        "b.sms.yaml:3:3 SMS106",
        "smsdeclare.yaml:4:30 SMS202",
        "smsdeclare.yaml:4:44 SMS201",
    ]
    for arguments in (("validate",), ("plan",), APPLY):
        result = run(*arguments)
        assert (1, expected) == (result.code, named(result.out + result.err))


def test_holes_of_several_messages_come_in_one_report(mistake):
    texts = worlds.message("{{ a }}") + '  bye: {text: "{{ b }}", to: "+33639980002"}\n'
    run = mistake(Case(files={ROOT: in_root(texts)}, errors=()))
    assert ["smsdeclare.yaml:7:9 SMS303", "smsdeclare.yaml:8:30 SMS303"] == named(run("plan").err)


def test_the_line_that_is_quoted_is_the_one_that_is_named(mistake):
    """Editors end a line with LF, CR or both; a Unicode separator ends none."""
    text = 'variables: {a: {default: "a\u2028b"}}\n' + worlds.message(more="    revison: 2\n")
    result = mistake(Case(files={ROOT: in_root(text)}, errors=()))("plan")
    assert ["smsdeclare.yaml:9:5 SMS101"] == named(result.err)
    assert "  |     revison: 2\n" in result.err


OBEYED = "a\x1b]0;owned\x07b"


@pytest.mark.parametrize(
    ("text", "change", "arguments"),
    [
        pytest.param(
            GOOD.replace("sandbox}", f"sandbox, service: {json.dumps(OBEYED)}}}"), None, ("plan",), id="service"
        ),
        pytest.param(GOOD, resealed(project=OBEYED), ("show", "plan.json"), id="project of a plan sealed anew"),
        pytest.param(GOOD, None, ("plan", "--out", f"{OBEYED}.json"), id="name of a saved plan"),
        pytest.param(GOOD, None, ("init", OBEYED), id="name of a folder"),
    ],
)
def test_nothing_that_a_terminal_obeys_is_printed(tmp_path, command, text, change, arguments):
    worlds.write(tmp_path, {ROOT: text})
    planned(change)(tmp_path, command)
    result = command(*arguments, "-C", tmp_path)
    assert [] == leaks(result.out + result.err)


# — JSON —

JSON = {
    "duplicate key": ("plan",),
    "no root file": ("plan",),
    "unknown receivers": APPLY,
    "a number without quotes": APPLY,
    "a hole in one row": ("plan",),
    "CSV ragged": ("plan",),
    "part in a file with an escape sequence in its name": APPLY,
    "no credentials": ("plan",),
    "endpoint where nobody listens": APPLY,
    "state emptied": ("state", "list"),
    "plan edited by hand": ("apply", "plan.json"),
    "wrong digest expected": ("apply", "--expect-digest", "sha256:0"),
    "unknown option": ("plan", "--destroy"),
    "unknown command": ("aply",),
}


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("option", [("--json",), ("--format", "json")], ids=" ".join)
def test_one_json_document_is_printed_whatever_is_wrong(mistake, name, option):
    one = next(param.values[0] for param in BROKEN if param.id == name)
    result = mistake(one)(*JSON[name], *option)
    document = json.loads(result.out)
    jsonschema.validate(document, load_schema("error.v1"), cls=jsonschema.Draft202012Validator)
    assert "1.0" == document["formatVersion"]
    assert one.exit_code == result.code
    found = []
    for error in document["errors"]:
        place = ":".join(str(error[key]) for key in ("file", "line", "column")) if error["file"] else ""
        found.append(f"{place} {error['code']}".strip())
        assert error["message"]
    assert [wanted.replace("\\x1b", "\x1b") for wanted in one.errors] == found


# — behind the simulator —


def test_nothing_reaches_the_provider_from_broken_files(mistake, monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with Server(Simulator(Settings())) as server:
        root = worlds.loopback(server.url, worlds.message() + '  bye: {text: "{{ x }}", to: "+33639980002"}\n')
        run = mistake(Case(files={ROOT: root}, errors=()))
        assert ["smsdeclare.yaml:8:30 SMS303"] == named(run(*APPLY).err)
        assert [] == [method for method, *_ in server.requests if method == "POST"]


@pytest.mark.parametrize(
    "value", [pytest.param(f"{CANARY}\nX", id="newline"), pytest.param(f"{CANARY}\u20ac", id="not latin-1")]
)
@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        pytest.param(("plan",), (1, ["SMS601"], []), id="named"),
        pytest.param(("plan", "--verbose"), None, id="not shown"),
    ],
)
def test_a_key_that_no_header_can_hold(request, tmp_path, command, monkeypatch, value, arguments, wanted):
    with Server(Simulator(Settings())) as server:
        for name, good in worlds.KEYS.items():
            monkeypatch.setenv(name, good)
        monkeypatch.setenv("OVH_CONSUMER_KEY", value)
        worlds.write(tmp_path, {ROOT: worlds.loopback(server.url, worlds.message())})
        result = command(*arguments, "-C", tmp_path)
        assert [] == [method for method, *_ in server.requests if method == "POST"]
    found = leaks(result.out + result.err)
    assert (wanted or (1, named(result.err), [])) == (result.code, named(result.err), found)


# — time and memory —

#: Bytes.
MEMORY = 200_000_000

#: No line of these says more than the case's name.
HEAVY = {
    "alias bomb": (YAML, "alias bomb"),
    "nested too deeply": (YAML, "nested too deeply"),
    "CSV of 1 GB": (CSV, "CSV of 1 GB"),
    "too much to compute": (TEXTS, "too much to compute"),
    "plan nested deeply": (PLANS, "plan nested deeply"),
}
HEAVY_FILES = {
    "CSV just below the limit": (with_csv(sparse(10**9)), 1),
    "a list of five million bytes": ({ROOT: in_root("receivers: [" + "1," * 2_400_000 + "1]\n")}, 1),
    "a text of five million bytes": ({ROOT: in_root(worlds.message("x" * 4_900_000))}, 1),
    "five million bytes of brackets": ({ROOT: in_root("receivers: " + "[" * 4_900_000)}, 1),
    "five million bytes of tabs": ({ROOT: in_root("\t" * 4_900_000)}, 1),
    "five million bytes of quotes": ({ROOT: in_root("a: " + "'" * 4_900_001)}, 1),
    "a key a million times": ({ROOT: in_root("a: 1\n" * 900_000)}, 1),
    "a number of five million digits": ({ROOT: in_root(worlds.message(to="1" * 4_900_000))}, 1),
    "unions that double at each level": (
        {
            ROOT: in_root(
                'receivers:\n  a0: {numbers: ["+33639980001"]}\n'
                + "".join(f"  a{level + 1}: {{union: [a{level}, a{level}]}}\n" for level in range(40))
                + worlds.message("Hi", "a40")
            )
        },
        0,
    ),
    "unions in a long row": (
        {
            ROOT: in_root(
                'receivers:\n  a0: {numbers: ["+33639980001"]}\n'
                + "".join(f"  a{level + 1}: {{union: [a{level}]}}\n" for level in range(2000))
                + worlds.message("Hi", "a2000")
            )
        },
        0,
    ),
}


#: The command, as `python -m smsdeclare` runs it, with 2 seconds to spend.
LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import re, sys
from pathlib import Path
from smsdeclare.cli.main import run
peak = sys.argv.pop(1)
code = run(sys.argv[1:])
# Of this program alone: what wait4 tells counts the pages of the process that started it too.
Path(peak).write_text(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""


@pytest.mark.parametrize(
    "name",
    [*HEAVY, *HEAVY_FILES],
)
def test_nasty_files_take_little_time_and_memory(tmp_path, command, name):
    if name in HEAVY:
        cases, wanted = HEAVY[name]
        one = next(param.values[0] for param in cases if param.id == wanted)
        files, code, arguments = one.files, one.exit_code, one.commands[-1 if one.prepare else 1]
    else:
        (files, code), one, arguments = HEAVY_FILES[name], None, ("plan",)
    lay(tmp_path, files)
    if one and one.prepare:
        one.prepare(tmp_path, command)
    out, err, peak = (tmp_path.parent / f"{tmp_path.name}.{end}" for end in ("out", "err", "peak"))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", LIMITED, str(peak), *arguments, "-C", str(tmp_path)],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=worlds.environment(),
        )  # fmt: skip
        process.wait()
    said = err.read_text()
    assert (code, False) == (process.returncode, "Traceback" in said), said[-500:]
    assert "SMS999" not in said
    assert len(said) < 200_000
    assert int(peak.read_text()) * 1024 < MEMORY


def test_there_are_many():
    assert 60 <= len(BROKEN)
