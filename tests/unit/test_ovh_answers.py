"""Refusals as a user reads them: a code, the provider's words and query id, and what to do."""

import pytest
import responses
import worlds

from smsdeclare.providers.ovh_answers import figure, moment, read_listed
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Credential, Sender, Service, Settings


@pytest.fixture
def refused(command, monkeypatch, tmp_path):
    """The result of an apply against a server with these settings, and how many SMS it took."""

    def run(env=None, text="Hello", options="", **settings):
        for name, value in {**worlds.KEYS, **(env or {})}.items():
            monkeypatch.setenv(name, value)
        simulator = Simulator(Settings(**settings))
        with Server(simulator) as server:
            more = worlds.message(text, more=f"    options: {{{options}}}\n" if options else "")
            folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, more)})
            result = command("apply", "-C", folder, "--auto-approve")
            state = command("state", "list", "-C", folder, "--json").json["sends"]
        assert [] == simulator.journal
        assert 1 == result.code
        assert not [send for send in state if send["status"] != "notSent"]
        return result.err

    return run


@pytest.mark.parametrize("shape", ["errorCode", "class"])
@pytest.mark.parametrize(
    ("code", "asked"),
    [
        pytest.param("SMS612", {"env": {"OVH_APPLICATION_KEY": "of-another-region"}}, id="key of another region"),
        pytest.param("SMS613", {"env": {"OVH_CONSUMER_KEY": "revoked"}}, id="unknown consumer key"),
        pytest.param("SMS615", {"env": {"OVH_APPLICATION_SECRET": "wrong"}}, id="wrong secret"),
        pytest.param("SMS616", {"services": (Service(name="sms-ab12345-2"),)}, id="unknown service"),
    ],
)
def test_what_is_wrong_with_the_credentials_is_named(refused, code, asked, shape):
    said = refused(**asked, error_shape=shape)
    assert f"error {code}" in said
    assert "X-Ovh-QueryID" in said


#: May post, and not read the senders.
BLIND = (
    Credential(
        rules=(
            ("POST", "/sms/*"),
            *(("GET", path) for path in ("/auth/*", "/sms", "/sms/sms-ab12345-1", "/sms/*/outgoing*")),
        )
    ),
)


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        pytest.param("SMS618", {"services": (Service(credits=0.0),)}, id="no credits"),
        pytest.param("SMS619", {"options": "sender: NOBODY", "credentials": BLIND}, id="unknown sender"),
        pytest.param(
            "SMS619",
            {
                "options": "sender: ACME",
                "credentials": BLIND,
                "services": (Service(senders=(Sender(name="ACME", status="waitingValidation"),)),),
            },
            id="sender waiting for validation",
        ),
    ],
)
def test_what_is_wrong_with_the_account_is_named(refused, code, asked):
    assert f"error {code}" in refused(**asked)


@pytest.mark.parametrize("shape", ["errorCode", "class"])
def test_a_missing_right_comes_with_the_link_that_grants_just_that(refused, shape):
    rules = (("GET", "/sms"), ("GET", "/sms/sms-ab12345-1"))
    said = refused(credentials=(Credential(rules=rules),), error_shape=shape)
    assert "error SMS611" in said
    assert "https://auth.eu.ovhcloud.com/api/createToken?POST=/sms/sms-ab12345-1/jobs" in said


def test_a_clock_that_is_refused_is_named(command, monkeypatch, tmp_path):
    """The server's time is asked, so only a jump in between can do this; here every signature is too old."""
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with Server(Simulator(Settings(signature_window=-1.0))) as server:
        folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(server.url, worlds.message())})
        result = command("plan", "-C", folder)
    assert (1, True) == (result.code, "error SMS614" in result.err)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param({"body": "<html>503</html>", "status": 503}, "SMS609", id="HTML"),
        pytest.param({"body": "[1", "status": 200}, "SMS609", id="torn JSON"),
        pytest.param({"json": {"message": "\x1b[2Jboo"}, "status": 500}, "SMS606", id="an error with an escape"),
        pytest.param({"body": "NaN", "status": 200}, "SMS609", id="no JSON at all"),
        pytest.param({"body": "x" * (1 << 20 | 1), "status": 200}, "SMS605", id="far too long"),
    ],
)
def test_answers_that_are_none_end_a_plan_with_a_code(command, monkeypatch, tmp_path, answer, code):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    url = "http://127.0.0.1:8800/1.0"
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(url, worlds.message())})
    with responses.RequestsMock() as mock:
        mock.get(f"{url}/auth/time", json=1_700_000_000)
        mock.get(f"{url}/sms/sms-ab12345-1", **answer)
        result = command("plan", "-C", folder)
    assert (1, True, False) == (result.code, f"error {code}" in result.err, "\x1b" in result.err)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.5, 0.5), (-3, -3.0), ("1", None), (True, None), (None, None)]
    + [(far, None) for far in (1e999, 1e308, 10**30, 10**400, -(10**400))],
)
def test_a_figure_that_no_account_has_is_none(value, expected):
    assert expected == figure(value)


@pytest.mark.parametrize(
    "written", [None, 5, "yesterday", "2026-11-26T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_moment_that_is_none_is_none(written):
    assert moment(written) is None


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63), 10**30, True, "7", None])
def test_what_has_no_id_is_no_sms(number):
    """A ledger holds 64 bits."""
    assert read_listed({"id": number, "receiver": "+33639980001"}) is None
    assert read_listed({"id": 7, "receiver": "+33639980001"}).id == 7


def test_credits_that_nobody_can_count_cost_no_answer(command, monkeypatch, tmp_path):
    """The receivers are what counts: the SMS is out, whatever the report says of its credits."""
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    url = "http://127.0.0.1:8800/1.0"
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(url, worlds.message())})
    report = '{"ids": [1], "validReceivers": ["+33639980001"], "invalidReceivers": [], "totalCreditsRemoved": %s}'
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{url}/auth/time", json=1_700_000_000)
        mock.get(f"{url}/sms/sms-ab12345-1", body='{"creditsLeft": %s}' % ("9" * 400))
        mock.get(f"{url}/sms/rates/destinations", body='{"credit": %s}' % ("9" * 400))
        for name in ("blacklists", "outgoing"):
            mock.get(f"{url}/sms/sms-ab12345-1/{name}", json=[])
        mock.post(f"{url}/sms/sms-ab12345-1/jobs", body=report % ("9" * 400))
        result = command("apply", "-C", folder, "--auto-approve", "--json")
        assert (0, 1) == (result.code, result.json["summary"]["sent"])


@pytest.mark.parametrize("answer", ["true", "-1", "1700000000.5", '"1700000000"', "{}", "9" * 20])
def test_a_time_that_is_none_ends_a_plan_with_a_code(command, monkeypatch, tmp_path, answer):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    url = "http://127.0.0.1:8800/1.0"
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(url, worlds.message())})
    with responses.RequestsMock() as mock:
        mock.get(f"{url}/auth/time", body=answer)
        result = command("plan", "-C", folder)
    assert (1, True) == (result.code, "error SMS609" in result.err)
