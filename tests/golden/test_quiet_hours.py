"""Quiet hours as a user meets them: delayed, refused, missed, and never a reason to send something twice."""

import html
import json
import math
import re
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
import timed
import worlds
from lanes import DrawnLanes

from smsdeclare.apply import apply
from smsdeclare.definitions import QuietHours
from smsdeclare.errors import PolicyRefused
from smsdeclare.quiet import Quiet

#: Three hours around now, and those after them, in UTC.
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
END = NOW + timedelta(hours=2)
QUIET = f'{{from: "{NOW - timedelta(hours=1):%H:%M}", to: "{END:%H:%M}"}}'
LATER = f'{{from: "{END:%H:%M}", to: "{END + timedelta(hours=1):%H:%M}"}}'


def project(folder, url, quiet, times="", to='"+33639980001"', text="Hello", more=""):
    text = worlds.message(text, to, f"    options: {{noStopClause: true}}\n{times}")
    policy = f"policy:\n  quietHours: {quiet}\n" if quiet else ""
    return worlds.write(folder, {"smsdeclare.yaml": worlds.loopback(url, policy + more + text)})


def bodies(server):
    return [json.loads(body) for method, _, body in server.requests if method == "POST"]


def minutes_until(moment):
    return math.ceil((moment - datetime.now(UTC)).total_seconds() / 60)


def written(moment):
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def test_what_falls_into_quiet_hours_is_held_by_the_provider_until_they_end(command, serve, tmp_path):
    server = serve()
    folder = project(tmp_path, server.url, QUIET)
    (change,) = command("plan", "-C", folder, "--json").json["changes"]
    assert (written(END), 1, written(END)) == (change["sendAt"], change["delayed"], change["delayedUntil"])
    assert f"quiet hours delay it until {written(END)}" in command("plan", "-C", folder).out
    result = command("apply", "-C", folder, "--auto-approve", "--json")
    assert (0, 1, 0) == (result.code, result.json["summary"]["scheduled"], result.json["summary"]["sent"])
    (body,) = bodies(server)
    assert body["differedPeriod"] - minutes_until(END) in (0, 1)
    (send,) = command("state", "list", "-C", folder, "--json").json["sends"]
    assert ("scheduled", END) == (send["status"], datetime.fromisoformat(send["sendAt"]))


def test_a_delayed_send_looks_edited_to_no_later_apply(command, serve, tmp_path):
    server = serve()
    folder = project(tmp_path, server.url, QUIET)
    command("apply", "-C", folder, "--auto-approve")
    for quiet in (QUIET, LATER, ""):
        project(folder, server.url, quiet)
        assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code
        assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert {"POST"} == {method for method, _, _ in server.requests if method != "GET"}
    assert 1 == len(bodies(server))


def test_an_approval_hangs_neither_on_the_clock_nor_on_quiet_hours(command, serve, tmp_path):
    server = serve()
    folder = project(tmp_path, server.url, LATER)
    by_day = command("plan", "-C", folder, "--out", "plan.json", "--json")
    assert (None, 0) == tuple(by_day.json["changes"][0][key] for key in ("sendAt", "delayed"))
    project(folder, server.url, QUIET)
    assert by_day.json["digest"] == command("plan", "-C", folder, "--json").json["digest"]
    assert 0 == command("apply", "-C", folder, "plan.json").code
    assert 1 == len(bodies(server)) == sum("differedPeriod" in body for body in bodies(server))


def test_a_delay_past_the_end_is_missed_and_said_so(command, serve, tmp_path):
    server = serve()
    folder = project(tmp_path, server.url, QUIET, f'    expiresAt: "{END - timedelta(minutes=30):%Y-%m-%d %H:%M}"\n')
    plan = command("plan", "-C", folder, "--json")
    assert (0, 1) == (plan.json["summary"]["send"], plan.json["summary"]["missed"])
    assert "quiet hours last beyond `expiresAt`" in plan.json["changes"][0]["reason"]
    result = command("apply", "-C", folder, "--auto-approve", "--json")
    assert (3, 1, []) == (result.code, result.json["summary"]["missed"], bodies(server))
    project(folder, server.url, "", f'    expiresAt: "{END - timedelta(minutes=30):%Y-%m-%d %H:%M}"\n')
    assert (0, []) == (command("apply", "-C", folder, "--auto-approve").code, bodies(server))


def test_a_time_in_quiet_hours_moves_to_their_end_and_its_default_end_with_it(command, serve, tmp_path):
    server = serve()
    inside, end = END + timedelta(minutes=10), END + timedelta(hours=3)
    quiet = f'{{from: "{END:%H:%M}", to: "{end:%H:%M}"}}'
    folder = project(tmp_path, server.url, quiet, f'    sendAt: "{inside:%Y-%m-%d %H:%M}"\n')
    (change,) = command("plan", "-C", folder, "--json").json["changes"]
    assert ("send", written(end)) == (change["action"], change["sendAt"])
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    (body,) = bodies(server)
    assert body["differedPeriod"] - minutes_until(end) in (0, 1)
    assert "validityPeriod" not in body
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code


def test_a_period_of_the_user_s_own_that_ends_in_quiet_hours_is_made_longer(command, serve, tmp_path):
    server = serve()
    text = worlds.message(more="    options: {noStopClause: true, differedPeriod: 130}\n")
    root = worlds.loopback(server.url, f"policy: {{quietHours: {LATER}}}\n{text}")
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root})
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    (body,) = bodies(server)
    assert body["differedPeriod"] - minutes_until(END + timedelta(hours=1)) in (0, 1)
    assert 0 == command("plan", "-C", folder, "--detailed-exitcode").code


def test_an_edited_text_that_is_delayed_is_taken_back_and_delayed_again(command, serve, tmp_path):
    server = serve()
    folder = project(tmp_path, server.url, QUIET)
    command("apply", "-C", folder, "--auto-approve")
    project(folder, server.url, QUIET, text="Hello again")
    plan = command("plan", "-C", folder, "--json").json
    assert (1, 1) == (plan["summary"]["replace"], plan["changes"][0]["delayed"])
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert ["Hello", "Hello again"] == [body["message"] for body in bodies(server)]
    assert 1 == len(server._simulator.history.alive())


def test_quiet_hours_that_refuse_refuse_the_plan_and_the_apply(command, serve, tmp_path):
    server = serve()
    by_day = project(tmp_path, server.url, LATER.replace("}", ", action: refuse}"))
    approved = command("plan", "-C", by_day, "--out", "plan.json")
    folder = project(tmp_path, server.url, QUIET.replace("}", ", action: refuse}"))
    plan = command("plan", "-C", folder, "--json")
    (violation,) = plan.json["violations"]
    assert (0, 5, "quietHours", 5, 7) == (
        approved.code, plan.code, violation["rule"], violation["line"], violation["messageLine"]
    )  # fmt: skip
    assert 5 == command("apply", "-C", folder, "plan.json").code
    assert 5 == command("apply", "-C", folder, "--auto-approve").code
    assert ([], False) == (bodies(server), (folder / "smsdeclare.state").exists())


def test_a_time_in_quiet_hours_that_refuse_is_refused_at_once(command, serve, tmp_path):
    inside = END + timedelta(minutes=10)
    rule = LATER.replace("}", ", action: refuse}")
    folder = project(tmp_path, serve().url, rule, f'    sendAt: "{inside:%Y-%m-%d %H:%M}"\n')
    plan = command("plan", "-C", folder, "--json")
    (violation,) = plan.json["violations"]
    assert (5, True) == (plan.code, f"{inside:%Y-%m-%d %H:%M}" in violation["actual"])


def test_what_was_sent_before_is_not_refused(command, serve, tmp_path):
    server = serve()
    folder = project(tmp_path, server.url, "")
    command("apply", "-C", folder, "--auto-approve")
    project(folder, server.url, QUIET.replace("}", ", action: refuse}"))
    assert [0, 0] == [command("plan", "-C", folder).code, command("apply", "-C", folder, "--auto-approve").code]


def test_each_receiver_s_own_clock_counts(command, serve, tmp_path):
    """Réunion is three or two hours ahead of Paris, so only one of the two is asleep at any border."""
    server = serve()
    to = '["+33639980001", "+262692000001"]'
    there = NOW.astimezone(ZoneInfo("Indian/Reunion"))
    begins, ends = there - timedelta(minutes=30), there + timedelta(minutes=30)
    quiet = f'{{from: "{begins:%H:%M}", to: "{ends:%H:%M}", timezone: receiver}}'
    folder = project(tmp_path, server.url, quiet, to=to)
    (change,) = command("plan", "-C", folder, "--json").json["changes"]
    assert (2, 1, 2, None) == (change["receivers"], change["delayed"], change["posts"], change["sendAt"])
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    assert {"+33639980001": False, "+262692000001": True} == {
        body["receivers"][0]: "differedPeriod" in body for body in bodies(server)
    }


def test_quiet_hours_that_leave_no_moment_are_refused(command, serve, tmp_path):
    quiet = '{from: "18:00", to: "09:00", timezone: receiver}'
    folder = project(tmp_path, serve().url, quiet, to='"+79161234567"')
    assert (5, "quietHours") == (
        command("plan", "-C", folder).code,
        command("plan", "-C", folder, "--json").json["violations"][0]["rule"],
    )


def test_of_two_policies_both_quiet_hours_count(command, serve, tmp_path, monkeypatch):
    folder = project(tmp_path / "shop", serve().url, QUIET)
    worlds.write(tmp_path, {"policy.yaml": f"quietHours: {LATER}\n"})
    monkeypatch.setenv("SMSDECLARE_POLICY", str(tmp_path / "policy.yaml"))
    (change,) = command("plan", "-C", folder, "--json").json["changes"]
    assert written(END + timedelta(hours=1)) == change["sendAt"]


@pytest.mark.parametrize(
    ("quiet", "place", "why"),
    [
        ('{from: "20:00", to: "20:00"}', "quietHours.to", "never end"),
        ("{days: [mon, tue, wed, thu, fri, sat, sun]}", "quietHours.days", "never end"),
        ("{holidays: AC}", "quietHours.holidays", "not known"),
        ('{from: "20:00", to: "08:00", timezone: Mars/Olympus}', "quietHours.timezone", "no time zone"),
        ("{action: refuse}", "quietHours", "neither hours nor days"),
    ],
)
def test_quiet_hours_that_can_not_be_are_named(command, serve, tmp_path, quiet, place, why):
    (error,) = command("validate", "-C", project(tmp_path, serve().url, quiet), "--json").json["errors"]
    assert ("SMS104", f"policy.{place}", True) == (error["code"], error["path"], why in error["message"])


# — long runs go on while the clock does —


NIGHTFALL = datetime(2026, 12, 1, 20, tzinfo=UTC)
NIGHT = QuietHours(begins=time(20), ends=time(8), zone="UTC")


def test_a_run_into_the_night_delays_what_is_left(tmp_path):
    here = timed.World(tmp_path)
    jobs = [timed.job(worlds.number(one))._replace(quiet=Quiet((NIGHT,))) for one in (1, 2, 3)]
    with closing(here.ledger()) as ledger:
        run = apply(jobs, ledger, here.provider, here.time, plan_digest="sha256:a")
        # The first is told when the second, which was claimed with it, is out.
        next(run)
        here.time.pass_(hours=13)
        list(run)
    assert ["accepted", "accepted", "scheduled"] == [here.states[worlds.number(one)] for one in (1, 2, 3)]
    assert [True, True, False] == [sms["dueAt"] < here.time.now().timestamp() for sms in here.simulator.history.alive()]


def test_a_run_into_hours_that_refuse_stops_before_its_next_claim(tmp_path):
    here = timed.World(tmp_path)
    quiet = Quiet((NIGHT._replace(delays=False),))
    jobs = [timed.job(worlds.number(one))._replace(quiet=quiet) for one in (1, 2, 3)]
    with closing(here.ledger()) as ledger:
        run = apply(jobs, ledger, here.provider, here.time, plan_digest="sha256:a")
        next(run)
        here.time.pass_(hours=13)
        with pytest.raises(PolicyRefused):
            list(run)
    assert {worlds.number(1): "accepted", worlds.number(2): "accepted"} == here.states


#: Shorter than a signature stays fresh. Seconds.
SOON = 6


class Nightfall(DrawnLanes):
    """The night falls while some are in flight; nobody waits for the others while an answer is not on record."""

    def __init__(self, here, seed):
        super().__init__(3, Random(seed))
        self._here, self._posts = here, Random(seed).randint(2, 5)

    def finished(self):
        assert list(self._here.states.values()).count("intended") <= len(self._begun | self._ended)
        ended = super().finished()
        if len(self._here.simulator.history.alive()) >= self._posts and self._here.time.elapsed < SOON:
            self._here.time.pass_(seconds=SOON)
        return ended


@pytest.mark.parametrize("seed", range(20))
def test_hours_that_refuse_keep_no_answer_from_coming_on_record(tmp_path, seed):
    here = timed.World(tmp_path)
    dusk = (timed.START + timedelta(seconds=SOON)).time()
    quiet = Quiet((NIGHT._replace(begins=dusk, ends=time(7), delays=False),))
    jobs = [timed.job(worlds.number(one))._replace(quiet=quiet) for one in range(9)]
    lanes = Nightfall(here, seed)
    with closing(here.ledger()) as ledger, pytest.raises(PolicyRefused):
        list(apply(jobs, ledger, here.provider, here.time, plan_digest="sha256:a", lanes=lanes))
    assert {"accepted"} == set(here.states.values())


def test_what_is_decided_at_the_claim_holds_for_the_request():
    """Else a claim of a second before the night would say that an SMS is out which the request has held."""
    job = timed.job(worlds.number(1))._replace(quiet=Quiet((NIGHT,)))
    evening = datetime(2026, 12, 1, 19, 59, 59, tzinfo=UTC)
    placed, _ = job.placed(evening, timedelta())
    assert (None, True) == (placed.slot_at(evening + timedelta(seconds=1)).due, job.slot_at(NIGHTFALL).is_delayed)


# — OVHcloud's own hold —


def held(command, folder, options, provider=""):
    endpoint = f"{{name: ovh, endpoint: ovh-eu, service: {worlds.SERVICE}{provider}}}"
    text = worlds.message(more=f"    sendAt: 2099-12-05 21:00\n    options: {options}\n")
    worlds.write(folder, {"smsdeclare.yaml": worlds.root(endpoint, "timezone: Europe/Paris\n" + text)})
    plan = command("plan", "-C", folder, "--offline", "--json").json
    return plan["changes"][0]["heldUntil"], {one["code"] for one in plan["warnings"]} - {"SMS624"}


@pytest.mark.parametrize(
    ("options", "provider", "until"),
    [
        # A Saturday.
        pytest.param("{sender: ACME}", "", "2099-12-07T08:00:00+01:00", id="the strictest of its pages"),
        pytest.param("{}", "", "2099-12-07T08:00:00+01:00", id="where it is not sure whether there is a clause"),
        pytest.param("{sender: ACME, noStopClause: true}", "", None, id="no advertising"),
        pytest.param("{sender: ACME}", ", advertisingHold: none", None, id="none, says the project"),
        pytest.param(
            "{sender: ACME}", ', advertisingHold: {from: "20:00", to: "08:00"}', "2099-12-06T08:00:00+01:00",
            id="nights alone",
        ),
        pytest.param(
            "{sender: ACME}", ', advertisingHold: {from: "22:00", to: "08:00"}', None, id="a night that begins later"
        ),
    ],
)  # fmt: skip
def test_advertising_is_shown_with_the_end_of_its_hold(command, tmp_path, options, provider, until):
    found, warnings = held(command, tmp_path, options, provider)
    assert (until, {"SMS461"} if until else set()) == (found, warnings)
    assert bool(until) == ("OVHcloud may hold it until" in command("plan", "-C", tmp_path, "--offline").out)


def test_a_simulator_holds_nothing_unless_the_project_says_so(command, serve, tmp_path):
    (change,) = command("plan", "-C", project(tmp_path, serve().url, ""), "--json").json["changes"]
    assert change["heldUntil"] is None


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_people_read_when_it_goes_out(command, serve, tmp_path, form):
    out = command("plan", "-C", project(tmp_path, serve().url, QUIET), "--format", form).out
    assert re.search(rf"quiet hours.*until {re.escape(written(END)[:13])}", html.unescape(out))
