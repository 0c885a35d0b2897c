"""Quiet hours by the clock on the wall: midnight, summer time, holidays, several zones at once."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsdeclare.definitions import QuietHours
from smsdeclare.phone import countries_of
from smsdeclare.quiet import Quiet, quiet_for, zones_of

PARIS = "Europe/Paris"
NIGHT = QuietHours(begins=time(20), ends=time(8), zone=PARIS)
FRENCH = QuietHours(begins=time(20), ends=time(8), days=frozenset({5, 6}), holidays="FR", zone=PARIS)
#: All of the night of both changes of the clocks, 2 to 3 o'clock.
SMALL = QuietHours(begins=time(1), ends=time(2, 30), zone=PARIS)


def at(written, zone=PARIS, fold=0):
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("rule", "moment", "end"),
    [
        pytest.param(NIGHT, "2026-12-01 12:00", "2026-12-01 12:00", id="by day"),
        pytest.param(NIGHT, "2026-12-01 19:59:59", "2026-12-01 19:59:59", id="a second before"),
        pytest.param(NIGHT, "2026-12-01 20:00", "2026-12-02 08:00", id="its first moment"),
        pytest.param(NIGHT, "2026-12-02 00:30", "2026-12-02 08:00", id="past midnight"),
        pytest.param(NIGHT, "2026-12-02 08:00", "2026-12-02 08:00", id="its end is not quiet"),
        pytest.param(FRENCH, "2026-12-04 21:00", "2026-12-07 08:00", id="over the weekend"),
        pytest.param(FRENCH, "2026-12-24 21:00", "2026-12-28 08:00", id="Christmas, then a weekend"),
        pytest.param(FRENCH, "2026-12-31 21:00", "2027-01-04 08:00", id="into the next year"),
        pytest.param(FRENCH, "2026-07-14 12:00", "2026-07-15 08:00", id="the fourteenth of July"),
        pytest.param(
            QuietHours(days=frozenset({6}), zone=PARIS), "2026-12-06 15:00", "2026-12-07 00:00", id="a day alone"
        ),
        pytest.param(
            QuietHours(begins=time(12), ends=time(14), zone=PARIS), "2026-12-06 12:30", "2026-12-06 14:00", id="lunch"
        ),
    ],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(rule, moment, end):
    assert at(end) == Quiet((rule,)).end(at(moment))


def test_the_night_in_which_the_clocks_go_forward_is_an_hour_shorter():
    end = Quiet((NIGHT,)).end(at("2026-03-28 20:00"))
    assert timedelta(hours=11) == end - at("2026-03-28 20:00").astimezone(UTC)


def test_the_night_in_which_the_clocks_go_back_is_an_hour_longer():
    end = Quiet((NIGHT,)).end(at("2026-10-24 20:00"))
    assert timedelta(hours=13) == end - at("2026-10-24 20:00").astimezone(UTC)


def test_an_end_that_summer_time_skips_comes_an_hour_later_and_never_earlier():
    assert at("2026-03-29 03:30") == Quiet((SMALL,)).end(at("2026-03-29 01:30"))


@pytest.mark.parametrize(("fold", "waits"), [(0, 15), (1, 15)], ids=["the first time", "the second time"])
def test_an_hour_that_comes_twice_is_quiet_twice(fold, waits):
    moment = at("2026-10-25 02:15", fold=fold).astimezone(UTC)
    assert timedelta(minutes=waits) == Quiet((SMALL,)).end(moment) - moment


def test_where_several_zones_count_all_must_have_ended():
    own = QuietHours(begins=time(20), ends=time(8), zone=None)
    both = Quiet((own,), (PARIS, "America/Guadeloupe"))
    # 8 in Guadeloupe is 13 in Paris; 20 in Paris is 15 there.
    assert at("2026-12-02 13:00") == both.end(at("2026-12-01 20:00"))
    assert at("2026-12-01 19:00") == both.end(at("2026-12-01 19:00"))


def test_quiet_hours_that_together_leave_no_moment_never_end():
    own = QuietHours(begins=time(18), ends=time(9), zone=None)
    assert None is Quiet((own,), zones_of("RU")).end(at("2026-12-01 12:00"))


def test_what_refuses_does_not_delay():
    refusing = Quiet((QuietHours(begins=time(20), ends=time(8), zone=PARIS, delays=False),))
    night = at("2026-12-01 21:00")
    assert (night, True, False) == (
        refusing.end(night),
        refusing.refuses(night),
        refusing.refuses(at("2026-12-01 12:00")),
    )


@pytest.mark.parametrize(
    ("country", "zones"),
    [
        ("FR", (PARIS,)),
        ("RE", ("Indian/Reunion",)),
        ("GP", ("America/Guadeloupe",)),
        ("ES", ("Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary")),
        ("XK", ("Europe/Belgrade",)),
        ("ZZ", ()),
    ],
)
def test_a_country_has_its_zones(country, zones):
    assert zones == zones_of(country)


def test_every_place_that_has_phone_numbers_has_a_zone():
    import phonenumbers

    assert [] == sorted(country for country in phonenumbers.SUPPORTED_REGIONS if not zones_of(country))


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        pytest.param("+33639980001", (PARIS,), id="one country"),
        pytest.param("+262639980004", ("Indian/Reunion", "Indian/Mayotte"), id="a prefix that territories share"),
        pytest.param("+881612345678", ("Asia/Tokyo",), id="a satellite has the clock of the project"),
    ],
)
def test_every_country_counts_that_has_the_prefix_of_a_number(number, zones):
    own = (QuietHours(begins=time(20), ends=time(8), zone=None),)
    assert zones == quiet_for(own, countries_of(number), "Asia/Tokyo").zones


hours = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
rules = st.builds(
    QuietHours,
    begins=hours,
    ends=hours,
    days=st.frozensets(st.integers(0, 6), max_size=4),
    holidays=st.sampled_from([None, "FR"]),
    zone=st.sampled_from([PARIS, "America/New_York", "Australia/Lord_Howe", "UTC"]),
).filter(lambda rule: rule.begins != rule.ends)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(rule=rules, moment=moments)
def test_the_end_is_the_first_minute_that_is_not_quiet(rule, moment):
    """Each minute before it is quiet by a rule that refuses, which is asked another way; the end itself is not."""
    moment = moment.replace(second=0, microsecond=0)
    end = Quiet((rule,)).end(moment)
    refusing = Quiet((rule._replace(delays=False),))
    assert end >= moment
    assert not refusing.refuses(end)
    minutes = int((end - moment).total_seconds() / 60)
    quiet = [refusing.refuses(moment + timedelta(minutes=minute)) for minute in range(0, minutes, 7)]
    # An end that summer time skips comes at most an hour late.
    assert quiet.count(False) * 7 <= 67
