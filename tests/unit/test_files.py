import io
import os
import socket
from pathlib import Path

import pytest

from smsdeclare import codes
from smsdeclare.errors import InputError
from smsdeclare.files import Source, decode, open_text, read_bytes, short


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def refusal(path, root, *, limit=1000, reader=read_bytes):
    with pytest.raises(InputError) as caught:
        reader(path, root=root, shown="shown.csv", limit=limit)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code, diagnostic.detail


READERS = pytest.mark.parametrize("reader", [read_bytes, open_text], ids=["bytes", "text"])


def test_a_file_comes_back_byte_for_byte(root):
    (root / "a").write_bytes(b"\xff\x00\r\n")
    assert read_bytes(root / "a", root=root, shown="a", limit=4) == b"\xff\x00\r\n"


def test_a_file_of_exactly_the_limit_is_read_and_one_byte_more_is_not(root):
    (root / "a").write_bytes(b"12345")
    assert read_bytes(root / "a", root=root, shown="a", limit=5) == b"12345"
    assert refusal(root / "a", root, limit=4) == (
        codes.FILE_TOO_LARGE,
        "shown.csv has 5 bytes, 4 bytes are allowed",
    )


@READERS
def test_a_sparse_gigabyte_is_refused_before_it_is_read(root, reader):
    with (root / "big").open("wb") as stream:
        stream.truncate(1_000_000_000)
    expected = (codes.FILE_TOO_LARGE, "shown.csv has 1,000.0 MB, 5.0 MB are allowed")
    assert refusal(root / "big", root, limit=5_000_000, reader=reader) == expected


@READERS
def test_a_missing_file_is_said_to_be_missing(root, reader):
    assert refusal(root / "no", root, reader=reader) == (
        codes.FILE_UNREADABLE,
        "shown.csv: it does not exist",
    )


def test_a_file_below_a_file_is_said_to_be_missing(root):
    (root / "a").touch()
    assert refusal(root / "a" / "b", root) == (codes.FILE_UNREADABLE, "shown.csv: it does not exist")


@READERS
def test_a_folder_is_refused(root, reader):
    (root / "d").mkdir()
    assert refusal(root / "d", root, reader=reader) == (
        codes.FILE_UNREADABLE,
        "shown.csv is a folder, not a file",
    )


@READERS
def test_a_pipe_without_a_writer_is_refused_and_never_waited_for(root, reader):
    os.mkfifo(root / "pipe")
    assert refusal(root / "pipe", root, reader=reader) == (
        codes.FILE_UNREADABLE,
        "shown.csv is a pipe, not a file",
    )


def test_a_socket_is_refused(root, monkeypatch):
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        assert refusal(root / "s", root) == (codes.FILE_UNREADABLE, "shown.csv: it is not a plain file")


def test_a_device_is_refused():
    assert refusal(Path("/dev/zero"), Path("/dev")) == (
        codes.FILE_UNREADABLE,
        "shown.csv is a device, not a file",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_the_right_to_read_is_refused(root):
    (root / "a").touch(mode=0o000)
    assert refusal(root / "a", root) == (codes.FILE_UNREADABLE, "shown.csv: you may not read it")


def test_a_circle_of_links_is_refused(root):
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    assert refusal(root / "a", root) == (codes.FILE_UNREADABLE, "shown.csv: its links go round in a circle")


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"], ids=["NUL", "surrogate"])
def test_a_name_no_system_can_have_is_refused(root, name):
    code, _ = refusal(root / name, root)
    assert code == codes.FILE_UNREADABLE


@READERS
@pytest.mark.parametrize("exists", [True, False], ids=["there", "missing"])
def test_a_file_outside_is_refused_whether_it_exists_or_not(root, exists, reader):
    if exists:
        (root.parent / "secret").write_bytes(b"x")
    expected = (codes.FILE_OUTSIDE, "shown.csv")
    assert refusal(root / ".." / "secret", root, reader=reader) == expected


@READERS
def test_a_link_out_of_the_project_is_refused(root, reader):
    (root.parent / "secret").write_bytes(b"x")
    (root / "a").symlink_to(root.parent / "secret")
    assert refusal(root / "a", root, reader=reader) == (codes.FILE_OUTSIDE, "shown.csv")


def test_a_folder_that_links_out_of_the_project_is_refused(root):
    (root.parent / "away").mkdir()
    (root.parent / "away" / "a").write_bytes(b"x")
    (root / "d").symlink_to(root.parent / "away")
    assert refusal(root / "d" / "a", root) == (codes.FILE_OUTSIDE, "shown.csv")


def test_a_folder_whose_name_only_begins_like_the_project_is_outside(root):
    (root.parent / "project2").mkdir()
    (root.parent / "project2" / "a").write_bytes(b"x")
    assert refusal(root.parent / "project2" / "a", root) == (codes.FILE_OUTSIDE, "shown.csv")


def test_a_link_inside_the_project_is_followed(root):
    (root / "a").write_bytes(b"x")
    (root / "b").symlink_to("a")
    assert read_bytes(root / "b", root=root, shown="b", limit=5) == b"x"


def test_a_project_that_is_reached_by_a_link_is_still_the_project(root):
    (root / "a").write_bytes(b"x")
    (root.parent / "link").symlink_to(root)
    assert read_bytes(root.parent / "link" / "a", root=root.parent / "link", shown="a", limit=5) == b"x"


def test_a_text_keeps_its_line_ends_and_loses_its_byte_order_mark(root):
    (root / "a").write_bytes("\ufeffnuméro\r\n1\n2\r".encode())
    with open_text(root / "a", root=root, shown="a", limit=100) as stream:
        assert stream.read() == "numéro\r\n1\n2\r"


def test_a_text_that_is_not_utf8_fails_while_it_is_read(root):
    (root / "a").write_bytes("numéro".encode("latin-1"))
    with open_text(root / "a", root=root, shown="a", limit=100) as stream, pytest.raises(UnicodeDecodeError):
        stream.read()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_refused_file_leaves_no_descriptor_behind(root):
    (root / "d").mkdir()
    before = open_files()
    for _ in range(5):
        refusal(root / "d", root)
    assert open_files() == before


def test_a_text_is_a_text_stream(root):
    (root / "a").touch()
    with open_text(root / "a", root=root, shown="a", limit=1) as stream:
        assert isinstance(stream, io.TextIOBase)


PLACES = {
    "first character": ("ab", 0, (1, 1)),
    "behind the last": ("ab", 2, (1, 3)),
    "after LF": ("a\nb", 2, (2, 1)),
    "after CR LF": ("a\r\nb", 3, (2, 1)),
    "after CR": ("a\rb", 2, (2, 1)),
    "NEL ends no line": ("a\x85b", 2, (1, 3)),
    "a character beyond the BMP is one": ("😀b", 1, (1, 2)),
    "a combining character is one": ("e\u0301b", 2, (1, 3)),
}


@pytest.mark.parametrize(("text", "offset", "expected"), PLACES.values(), ids=PLACES)
def test_lines_and_columns_count_characters_from_one(text, offset, expected):
    assert Source.of("f", text).place(offset) == expected


BAD_BYTES = {
    "latin-1": (b"a: 1\nb: caf\xe9\n", codes.NOT_UTF8, (2, 7)),
    "latin-1 behind an emoji": ("é😀".encode() + b"\xe9", codes.NOT_UTF8, (1, 3)),
    "UTF-16 with a mark": ("a: 1".encode("utf-16"), codes.NOT_UTF8, (1, 1)),
    "UTF-16, little end first": ("a: 1".encode("utf-16-le"), codes.NOT_UTF8, (1, 1)),
    "UTF-16, big end first": ("a: 1".encode("utf-16-be"), codes.NOT_UTF8, (1, 1)),
    "UTF-32": ("a: 1".encode("utf-32-le"), codes.NOT_UTF8, (1, 1)),
    "a surrogate in UTF-8": (b"a: \xed\xa0\x80", codes.NOT_UTF8, (1, 4)),
    "an overlong slash": (b"a: \xc0\xaf", codes.NOT_UTF8, (1, 4)),
    "a character cut off": (b"a: \xf0\x9f\x98", codes.NOT_UTF8, (1, 4)),
    "behind a byte order mark": (b"\xef\xbb\xbfa\xff", codes.NOT_UTF8, (1, 2)),
    "NUL": (b"a: 1\nb:\x00", codes.CONTROL_CHARACTER, (2, 3)),
    "escape": (b"a: \x1b[0m", codes.CONTROL_CHARACTER, (1, 4)),
    "vertical tab": (b"a: \x0b", codes.CONTROL_CHARACTER, (1, 4)),
    "DEL": (b"a: \x7f", codes.CONTROL_CHARACTER, (1, 4)),
    "C1": ("a: \x9b".encode(), codes.CONTROL_CHARACTER, (1, 4)),
    "no character": ("a: \uffff".encode(), codes.CONTROL_CHARACTER, (1, 4)),
}


@pytest.mark.parametrize(("data", "code", "place"), BAD_BYTES.values(), ids=BAD_BYTES)
def test_what_is_no_text_is_refused_at_its_place(data, code, place):
    with pytest.raises(InputError) as caught:
        decode(data, file="f")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, (diagnostic.span.line, diagnostic.span.column)) == (code, place)


def test_every_control_character_is_reported_with_its_number():
    with pytest.raises(InputError) as caught:
        decode(b"ab\x00\n\x1b", file="f")
    found = [(d.detail, d.span.line, d.span.column) for d in caught.value.diagnostics]
    assert found == [("U+0000", 1, 3), ("U+001B", 2, 1)]


def test_a_file_of_control_characters_reports_a_thousand():
    with pytest.raises(InputError) as caught:
        decode(b"\x01\x01" * 5000, file="f")
    assert len(caught.value.diagnostics) == 1000


@pytest.mark.parametrize("text", ["", "\t\r\n", "a\x85b", "\u2028", "\ue000", "\U0010fffd", "\u202e"])
def test_other_characters_are_kept(text):
    assert decode(text.encode(), file="f").text == text


def test_a_byte_order_mark_is_dropped():
    assert decode(b"\xef\xbb\xbfa", file="f").text == "a"


def test_long_texts_are_quoted_short():
    assert (short("x" * 40), short("x" * 41)) == ("x" * 40, "x" * 39 + "…")
