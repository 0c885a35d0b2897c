"""What is shown on a terminal is as wide as that, whatever its width; what is piped has lines as long as they are."""

import fcntl
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
import worlds
from terminal import type_in

from smsdeclare.formats.phrases import width

TEXT = "Bonjour {{ firstName }}, votre colis de la boutique arrive demain entre neuf heures et midi, à votre porte."
FILES = {
    "smsdeclare.yaml": worlds.root(),
    "a.sms.yaml": worlds.message(TEXT, "customers", name="order-shipped")
    + "receivers: {customers: {csv: data/customers.csv}}\n",
    "data/customers.csv": "number,firstName\n+33639980001,Ana\nnobody,Bo\n+33639980002,Cleo\n",
}
#: Long lines with something wrong at their beginning, near their end, and in most of them.
BROKEN = {
    "a.sms.yaml": f"messages:\n  near: {{texts: {'long ' * 30}, to: nobody}}\n"
    f"  far: {{text: {'long ' * 30}, texts: x, to: nobody}}\n  wide: {{text: [{'long, ' * 30}], to: nobody}}\n"
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a saved plan, and one that was applied."""
    folder = worlds.write(tmp_path_factory.mktemp("widths"), FILES)
    assert 0 == type_in("smsdeclare plan --out plan.json && smsdeclare apply --auto-approve", folder)[0]
    worlds.write(folder / "broken", {"smsdeclare.yaml": worlds.root(), **BROKEN})
    return folder


def shown(folder, columns, *words, **more):
    """What a terminal of that width shows."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", *words], cwd=folder, stdin=child, stdout=child, stderr=child,
        env=worlds.environment(NO_COLOR="1", PYTHONUTF8="1", **more), start_new_session=True,
    )  # fmt: skip
    os.close(child)
    seen = b""
    try:
        while more := os.read(parent, 65536):
            seen += more
    except OSError:  # it has left
        pass
    process.wait(60)
    os.close(parent)
    return seen.decode().replace("\r\n", "\n")


COMMANDS = [("plan",), ("plan", "-C", "broken"), ("show", "plan.json"), ("status",), ("state", "list")]


@pytest.mark.parametrize(
    ("columns", "commands"), [(40, COMMANDS), (60, COMMANDS[:2]), (80, COMMANDS[:2]), (120, COMMANDS[:2])]
)
def test_nothing_is_wider_than_the_terminal_but_what_is_one_piece(project, columns, commands):
    for words in commands:
        seen = shown(project, columns, *words)
        wide = [row for row in seen.splitlines() if width(row) > columns]
        assert [] == [row for row in wide if not re.match(r"Digest sha256:", row)], words


def test_the_words_are_those_that_are_piped(project):
    code, piped = type_in("smsdeclare show plan.json", project)
    seen = shown(project, 60, "show", "plan.json")
    margin = re.compile(r"^ *\| ", re.MULTILINE)
    assert (0, margin.sub("", piped).split()) == (code, margin.sub("", seen).split())
    assert any(width(row) > 80 for row in piped.splitlines())


def test_a_place_in_a_file_is_whole_at_any_width(project):
    assert "a.sms.yaml:2:10: error SMS101:" in shown(project, 40, "plan", "-C", "broken")
    assert "data/customers.csv:3  SMS" in shown(project, 40, "plan")


def test_the_caret_stands_below_what_it_is_about(project):
    rows = shown(project, 40, "plan", "-C", "broken").splitlines()
    carets = [(above, re.search(r"\^+", row)) for above, row in itertools.pairwise(rows) if "^" in row]
    marked = [above[slice(*caret.span())] for above, caret in carets]
    assert ["near", "texts", "texts", "[long, long, long, lo"] == marked


def test_a_terminal_that_says_it_has_hardly_a_column_is_not_believed(project):
    assert shown(project, 20, "status") == shown(project, 1, "status")


def test_a_bubble_is_whole_at_any_width(project):
    wide, narrow = (shown(project, columns, "preview").splitlines() for columns in (120, 20))
    frames = [row for row in wide if "│" in row or "╭" in row]
    assert frames == [row for row in narrow if "│" in row or "╭" in row]
    assert len(wide) < len(narrow)


@pytest.mark.parametrize(
    ("columns", "more", "is_wrapped"), [(120, {"COLUMNS": "40"}, True), (40, {"CI": "true"}, False), (40, {}, True)]
)
def test_the_environment_says_otherwise(project, columns, more, is_wrapped):
    whole = "message.order-shipped@1   2 accepted   2 credits"
    assert is_wrapped == (whole not in shown(project, columns, "status", **more))
