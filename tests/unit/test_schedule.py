"""Times as users write them, and what becomes of a send by the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import worlds

from smsdeclare.definitions import Times
from smsdeclare.schedule import Fate, NoSuchTime, OutOfReach, fate, moment, next_opening, options_at, slot, zone_named

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
NOW = timedelta()
END = {"expiresAt": "as it stands"}


@pytest.mark.parametrize(
    ("written", "expected", "is_twice"),
    [
        pytest.param("2026-12-01 09:00", "2026-12-01T08:00:00+00:00", False, id="winter"),
        pytest.param("2026-07-01T09:00:30", "2026-07-01T07:00:30+00:00", False, id="summer"),
        pytest.param("2026-12-01 09:00+03:00", "2026-12-01T06:00:00+00:00", False, id="an offset wins"),
        pytest.param("2026-12-01 09:00 +0300", "2026-12-01T06:00:00+00:00", False, id="an offset after a space"),
        pytest.param("2026-12-01 09:00Z", "2026-12-01T09:00:00+00:00", False, id="UTC"),
        pytest.param("2026-10-25 02:30", "2026-10-25T00:30:00+00:00", True, id="stands twice, the earlier"),
        pytest.param("2026-10-25 02:30+01:00", "2026-10-25T01:30:00+00:00", False, id="the later, by its offset"),
        pytest.param("2026-03-29 03:00", "2026-03-29T01:00:00+00:00", False, id="just after the gap"),
    ],
)
def test_a_time_is_local_unless_it_has_an_offset(written, expected, is_twice):
    found, twice = moment(written, PARIS)
    assert (expected, is_twice) == (found.astimezone(UTC).isoformat(), twice)


@pytest.mark.parametrize("written", ["0001-01-01 00:00", "1969-12-31 23:59", "9999-01-01 00:00Z", "9999-12-31 23:59"])
def test_a_time_at_the_ends_of_the_calendar_is_out_of_reach(written):
    """What is counted from it would end in an OverflowError: an hour for what is late, another zone, quiet hours."""
    with pytest.raises(OutOfReach):
        moment(written, PARIS)


@pytest.mark.parametrize("name", ["", ".", "/", "Europe", "../UTC", "/etc/passwd", "a\0b", "Nowhere"])
def test_what_is_no_time_zone_is_none(name):
    assert zone_named("Europe/Paris") == PARIS
    assert zone_named(name) is None


@pytest.mark.parametrize("written", ["2026-03-29 02:00", "2026-03-29 02:59"])
def test_a_time_that_the_clocks_skip_is_refused(written):
    with pytest.raises(NoSuchTime):
        moment(written, PARIS)


@pytest.mark.parametrize("written", ["2026-02-30 09:00", "2026-12-01 25:00"])
def test_a_time_that_is_none_is_refused(written):
    with pytest.raises(ValueError, match=r"must be in|out of range"):
        moment(written, PARIS)


@pytest.mark.parametrize(
    ("expires", "never", "first", "is_known", "expected"),
    [
        pytest.param(None, False, None, False, Fate.POST, id="nothing set"),
        pytest.param(NOON, False, None, False, Fate.POST, id="the very moment"),
        pytest.param(NOON - timedelta(seconds=1), False, None, False, Fate.MISSED, id="a second too late"),
        pytest.param(NOON - timedelta(1), False, NOON - timedelta(2), False, Fate.CLOSED, id="joined after its end"),
        pytest.param(NOON - timedelta(1), False, NOON - timedelta(2), True, Fate.MISSED, id="freed after its end"),
        pytest.param(None, False, NOON - timedelta(30), False, Fate.POST, id="thirty days are open"),
        pytest.param(None, False, NOON - timedelta(30, 1), False, Fate.CLOSED, id="a second more is not"),
        pytest.param(None, True, NOON - timedelta(400), False, Fate.POST, id="never keeps it open"),
        pytest.param(None, False, NOON - timedelta(400), True, Fate.POST, id="who was there may still be served"),
        pytest.param(NOON, False, NOON - timedelta(400), False, Fate.POST, id="its own end counts instead"),
    ],
)
def test_what_becomes_of_a_free_send(expires, never, first, is_known, expected):
    times = Times(expires_at=expires, never_expires=never)
    assert expected == fate(times, NOON, NOW, first_at=first, is_known=is_known)


def test_nothing_is_signed_so_late_that_it_could_arrive_after_its_end():
    times = Times(expires_at=NOON + timedelta(minutes=9))
    assert (Fate.POST, Fate.MISSED) == (
        fate(times, NOON, NOW, first_at=None, is_known=False),
        fate(times, NOON, timedelta(minutes=10), first_at=None, is_known=False),
    )


@pytest.mark.parametrize(
    ("times", "options", "held", "posted"),
    [
        pytest.param(Times(), {}, None, {}, id="at once"),
        pytest.param(Times(), {"differedPeriod": 30}, 30, {"differedPeriod": 30}, id="the user's own period"),
        pytest.param(Times(send_at=NOON - timedelta(minutes=5)), {}, None, {}, id="its time has come"),
        pytest.param(
            Times(send_at=NOON + timedelta(seconds=61)),
            {},
            61 / 60,
            {"differedPeriod": 2},
            id="never early: rounded up",
        ),
        pytest.param(
            Times(expires_at=NOON + timedelta(seconds=119), written=END),
            {},
            None,
            {"validityPeriod": 1},
            id="never late: rounded down",
        ),
        pytest.param(
            Times(send_at=NOON + timedelta(hours=1), expires_at=NOON + timedelta(hours=3), written=END),
            {},
            60,
            {"differedPeriod": 60, "validityPeriod": 120},
            id="valid from its going out",
        ),
        pytest.param(
            Times(send_at=NOON + timedelta(hours=1), expires_at=NOON + timedelta(hours=2)),
            {},
            60,
            {"differedPeriod": 60},
            id="an end that is not written",
        ),
        pytest.param(
            Times(expires_at=NOON + timedelta(hours=3), written=END),
            {"validityPeriod": 5},
            None,
            {"validityPeriod": 5},
            id="as written",
        ),
    ],
)
def test_the_provider_counts_in_minutes_from_the_post(times, options, held, posted):
    until = None if held is None else NOON + timedelta(minutes=held)
    at = slot(times, options, NOON)
    assert (until, posted) == (at.due, dict(options_at(options, at, NOON)))


# — as a user meets it —


def project(folder, times, more=""):
    return worlds.write(
        folder, {"smsdeclare.yaml": worlds.root(more="timezone: Europe/Paris\n" + worlds.message(more=times) + more)}
    )


def test_a_message_for_later_is_scheduled_and_says_when(command, tmp_path):
    folder = project(tmp_path, "    sendAt: 2099-12-01 09:00\n")
    assert "2099-12-01T09:00:00+01:00" == command("plan", "-C", folder, "--json").json["changes"][0]["sendAt"]
    result = command("apply", "-C", folder, "--auto-approve", "--json")
    assert (0, 0, 1) == (result.code, result.json["summary"]["sent"], result.json["summary"]["scheduled"])
    (send,) = command("state", "list", "-C", folder, "--json").json["sends"]
    assert ("scheduled", "2099-12-01T08:00:00Z") == (send["status"], send["sendAt"])
    (sms,) = worlds.outbox(folder)
    assert abs(sms["dueAt"] - datetime(2099, 12, 1, 8, tzinfo=UTC).timestamp()) <= 60
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code


def test_what_is_too_late_is_missed_for_good(command, tmp_path):
    folder = project(tmp_path, "    sendAt: 2020-12-01 09:00\n")
    plan = command("plan", "-C", folder, "--json", "--detailed-exitcode")
    assert (2, 0, 1) == (plan.code, plan.json["summary"]["send"], plan.json["summary"]["missed"])
    first = command("apply", "-C", folder, "--auto-approve", "--json")
    assert (3, 1, 0) == (first.code, first.json["summary"]["missed"], first.json["summary"]["sent"])
    assert "missed" == command("state", "list", "-C", folder, "--json").json["sends"][0]["status"]
    assert (0, []) == (command("apply", "-C", folder, "--auto-approve").code, worlds.outbox(folder))


def test_who_joins_after_the_end_is_skipped_as_closed(command, tmp_path, monkeypatch):
    folder = project(tmp_path, "    expiresAt: 2099-01-01 00:00\n")
    command("apply", "-C", folder, "--auto-approve")
    path = folder / "smsdeclare.yaml"
    text = (
        path.read_text()
        .replace("2099-01-01", "2020-01-01")
        .replace('to: "+33639980001"', 'to: ["+33639980001", "+33639980002"]')
    )
    path.write_text(text)
    plan = command("plan", "-C", folder, "--json").json
    counts = [plan["summary"][name] for name in ("send", "missed", "keep")]
    assert ([0, 0, 1], ["SMS410"]) == (counts, [row["code"] for row in plan["skipped"]])


def test_what_an_interrupted_run_left_is_missed_and_not_taken_for_latecomers(command, tmp_path):
    to = 'to: ["+33639980001", "+33639980002"]'
    folder = project(tmp_path, "    expiresAt: 2099-01-01 00:00\n")
    path = folder / "smsdeclare.yaml"
    path.write_text(path.read_text().replace('to: "+33639980001"', to))
    command("apply", "-C", folder, "--auto-approve", "--target", "message.hello@1/+33639980001")
    path.write_text(path.read_text().replace("2099-01-01", "2020-01-01"))
    result = command("apply", "-C", folder, "--auto-approve", "--json")
    assert (3, 1) == (result.code, result.json["summary"]["missed"])


def test_an_approval_does_not_hang_on_the_clock(command, tmp_path):
    """Expiry may only take away: the digest is over what the user wrote."""
    digests = set()
    for year in (2020, 2099):
        folder = project(tmp_path / str(year), "    sendAt: 2098-01-01 09:00\n    expiresAt: 2099-01-01 09:00\n")
        digests.add(command("plan", "-C", folder, "--json").json["digest"])
    assert 1 == len(digests)


@pytest.mark.parametrize(
    ("times", "code", "place"),
    [
        pytest.param("    sendAt: 2027-03-28 02:30\n", "SMS117", "9:13", id="skipped by summer time"),
        pytest.param("    sendAt: 2026-02-30 09:00\n", "SMS104", "9:13", id="no such day"),
        pytest.param(
            "    sendAt: 2026-12-01 09:00\n    expiresAt: 2026-12-01 08:00\n",
            "SMS104",
            "10:16",
            id="ends before",
        ),
        pytest.param(
            "    sendAt: 2026-12-01 09:00\n    options: {differedPeriod: 5}\n", "SMS110", "9:5", id="two ways at once"
        ),
    ],
)
def test_times_that_can_not_be_are_named_at_their_place(command, tmp_path, times, code, place):
    result = command("validate", "-C", project(tmp_path, times))
    assert (1, True) == (result.code, f"smsdeclare.yaml:{place}: error {code}" in result.out), result.out


def test_a_time_zone_that_is_none_is_named(command, tmp_path):
    folder = worlds.write(
        tmp_path, {"smsdeclare.yaml": worlds.root(more="timezone: Mars/Olympus\n" + worlds.message())}
    )
    assert "smsdeclare.yaml:4:11: error SMS104" in command("validate", "-C", folder).out


@pytest.mark.parametrize(
    ("posted", "out"),
    [
        pytest.param("2026-12-01 08:00", "2026-12-01 08:00", id="Tuesday morning"),
        pytest.param("2026-12-01 19:59", "2026-12-01 19:59", id="Tuesday evening"),
        pytest.param("2026-12-01 20:00", "2026-12-02 08:00", id="Tuesday night"),
        pytest.param("2026-12-02 07:59", "2026-12-02 08:00", id="before the morning"),
        pytest.param("2026-12-04 20:30", "2026-12-07 08:00", id="Friday night"),
        pytest.param("2026-12-05 10:00", "2026-12-07 08:00", id="Saturday"),
        pytest.param("2026-12-24 21:00", "2026-12-28 08:00", id="Christmas on a Friday"),
        pytest.param("2026-12-31 21:00", "2027-01-04 08:00", id="into the next year"),
        pytest.param("2026-05-14 12:00", "2026-05-15 08:00", id="Ascension Day"),
    ],
)
def test_advertising_goes_out_when_the_strictest_page_allows_it(posted, out):
    paris = ZoneInfo("Europe/Paris")
    moment = datetime.fromisoformat(posted).replace(tzinfo=paris)
    assert datetime.fromisoformat(out).replace(tzinfo=paris) == next_opening(moment)
