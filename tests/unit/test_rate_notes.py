"""Rates that were asked for, kept with their dates."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smsdeclare.cli import rate_notes
from smsdeclare.rates import Rate


@pytest.fixture
def notes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "smsdeclare" / "rates.json"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def note(rate=1.5, **ago):
    return {"credits": rate, "asked": (datetime.now(tz=UTC) - timedelta(**ago)).isoformat()}


def test_answers_are_kept_by_endpoint_and_country_of_billing(notes):
    rate_notes.keep("ovh-eu", None, {"BE": 1.5, "FR": 1.0})
    rate_notes.keep("ovh-eu", None, {"BE": 1.6})
    rate_notes.keep("ovh-eu", "GB", {"BE": 0.5})
    assert {"BE": Rate(1.6, exact=True), "FR": Rate(1.0, exact=True)} == rate_notes.read("ovh-eu", None)
    assert {"BE": Rate(0.5, exact=True)} == rate_notes.read("ovh-eu", "GB")
    assert {} == rate_notes.read("ovh-ca", None)
    assert ["rates.json"] == [path.name for path in notes.parent.iterdir()]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(note(hours=23), {"BE": Rate(1.5, exact=True)}, id="of today"),
        pytest.param(note(hours=25), {"BE": Rate(1.5, exact=False)}, id="of yesterday"),
        pytest.param(note(days=91), {}, id="of last season"),
        pytest.param(note(hours=-1), {}, id="of tomorrow"),
        pytest.param(note(rate="1.5"), {}, id="no figure"),
        pytest.param(note(rate=-1), {}, id="a negative figure"),
        pytest.param({"credits": 1.5}, {}, id="no date"),
        pytest.param({"credits": 1.5, "asked": "2026-01-01T00:00:00"}, {}, id="a date without a zone"),
        pytest.param(7, {}, id="no note"),
    ],
)
def test_notes_age_and_odd_ones_count_for_nothing(notes, found, expected):
    write(notes, {"ovh-eu -": {"BE": found}})
    assert expected == rate_notes.read("ovh-eu", None)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"ovh-eu -": 1}', "\0", "[" * 100_000])
def test_a_file_that_is_none_is_as_good_as_no_file(notes, content):
    write(notes, content)
    assert {} == rate_notes.read("ovh-eu", None)
    rate_notes.keep("ovh-eu", None, {"BE": 1.5})
    assert {"BE": Rate(1.5, exact=True)} == rate_notes.read("ovh-eu", None)


def test_nothing_is_noted_where_that_cannot_be_done(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", Path("relative")):
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        rate_notes.keep("ovh-eu", None, {"BE": 1.5})
        assert {} == rate_notes.read("ovh-eu", None)


def test_without_answers_no_file_is_made(notes):
    rate_notes.keep("ovh-eu", None, {})
    assert not notes.exists()
