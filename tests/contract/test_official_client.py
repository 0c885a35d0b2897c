"""The official Python client against the simulator over HTTP: it must not notice the difference."""

import hashlib

import ovh
import pytest

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import Faults
from smsdeclare.simulator.inbox import Inbox
from smsdeclare.simulator.server import Server, wall_clock
from smsdeclare.simulator.settings import Credential, Service, Settings

CREDENTIAL = Credential()
SETTINGS = Settings(credentials=(CREDENTIAL,), services=(Service(credits=5.0),), clock_ahead=3000.0)
SERVICE = "/sms/sms-ab12345-1"


class SpyingSimulator(Simulator):
    """Keeps the headers of each request."""

    def __init__(self, settings):
        super().__init__(settings)
        self.seen = []

    def handle(self, method, path, headers, body, now):
        self.seen.append((method, path, dict(headers), body))
        return super().handle(method, path, headers, body, now)


@pytest.fixture
def server():
    with Server(SpyingSimulator(SETTINGS)) as server:
        yield server


@pytest.fixture
def client(server, monkeypatch):
    # The client takes an endpoint by name only.
    monkeypatch.setitem(ovh.client.ENDPOINTS, "simulator", server.url)
    client = make_client()
    yield client
    client._session.close()


def make_client(**keys):
    keys = {
        "application_key": CREDENTIAL.application_key,
        "application_secret": CREDENTIAL.application_secret,
        "consumer_key": CREDENTIAL.consumer_key,
    } | keys
    client = ovh.Client(endpoint="simulator", timeout=10, **keys)
    client._session.trust_env = False
    return client


@pytest.mark.parametrize("path", ["/sms", "/sms/", "/v1/sms"])
def test_it_lists_the_services(client, path):
    assert client.get(path) == ["sms-ab12345-1"]


def test_it_learns_how_far_ahead_the_server_is(client):
    assert 2999 <= client.time_delta <= 3001


def test_it_does_not_notice_the_inbox_on_the_same_port(monkeypatch):
    faults = Faults()
    with Server(Inbox(Simulator(SETTINGS), faults), script=faults) as server:
        monkeypatch.setitem(ovh.client.ENDPOINTS, "simulator", server.url)
        client = make_client()
        report = client.post(f"{SERVICE}/jobs", message="Hello", receivers=["+33639980001"], noStopClause=True)
        found = client.get(f"{SERVICE}/outgoing")
        page = client._session.get(server.url.removesuffix("1.0"), timeout=10).text
        client._session.close()
    assert (report["ids"], True) == (found, f'id="sms-{found[0]}"' in page)


def test_it_sends_finds_and_reads_an_sms(client):
    report = client.post(
        f"{SERVICE}/jobs",
        message="Café 10€ / à bientôt 👋",
        receivers=["+33639980001"],
        sender="SMSDECLARE",
        noStopClause=True,
        tag="a&b c+d",
    )
    found = client.get(f"{SERVICE}/outgoing", tag="a&b c+d", receiver="+33639980001")
    assert (["+33639980001"], report["ids"]) == (report["validReceivers"], found)
    assert client.get(f"{SERVICE}/outgoing/{found[0]}")["message"] == "Café 10€ / à bientôt 👋"


def test_it_filters_by_date(client, server):
    client.post(f"{SERVICE}/jobs", message="Hello", receivers=["+33639980001"])
    created = client.get(f"{SERVICE}/outgoing/{server._simulator.journal[0]['id']}")["creationDatetime"]
    assert len(client.get(f"{SERVICE}/outgoing", **{"creationDatetime.from": created})) == 1
    assert len(client.get(f"{SERVICE}/outgoing", **{"creationDatetime.from": "2999-01-01T00:00:00+01:00"})) == 0


def test_it_cancels_a_waiting_sms(client):
    report = client.post(f"{SERVICE}/jobs", message="Hello", receivers=["+33639980001"], differedPeriod=60)
    before = client.get(f"{SERVICE}/jobs")
    assert client.delete(f"{SERVICE}/jobs/{report['ids'][0]}") is None
    assert (report["ids"], []) == (before, client.get(f"{SERVICE}/jobs"))


def test_its_signatures_are_those_of_the_recipe(client, server):
    client.post(f"{SERVICE}/jobs", message="Café", receivers=["+33639980001"])
    client.get(f"{SERVICE}/outgoing", tag="é +")
    origin = server.url.removesuffix("/1.0")
    signed = [request for request in server._simulator.seen if "X-Ovh-Signature" in request[2]]
    assert len(signed) == 2
    for method, path, headers, body in signed:
        secret, key, timestamp = (
            CREDENTIAL.application_secret,
            CREDENTIAL.consumer_key,
            headers["X-Ovh-Timestamp"],
        )
        text = "+".join((secret, key, method, origin + path, body.decode(), timestamp))
        assert "$1$" + hashlib.sha1(text.encode()).hexdigest() == headers["X-Ovh-Signature"]
        assert abs(int(timestamp) - wall_clock() - 3000) < 30


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        pytest.param({"application_key": "other"}, ovh.exceptions.InvalidKey, id="application key"),
        pytest.param({"consumer_key": "other"}, ovh.exceptions.NotCredential, id="consumer key"),
        pytest.param({"application_secret": "other"}, ovh.exceptions.BadParametersError, id="secret"),
    ],
)
def test_it_recognizes_a_wrong_key(client, keys, error):
    other = make_client(**keys)
    try:
        with pytest.raises(error) as caught:
            other.get("/sms")
    finally:
        other._session.close()
    assert caught.value.query_id.startswith("SIM.")


@pytest.mark.parametrize(
    ("path", "fields", "error", "message"),
    [
        pytest.param("/sms/sms-zz0-1/jobs", {}, ovh.exceptions.ResourceNotFoundError, "does not exist", id="service"),
        pytest.param(f"{SERVICE}/jobs", {}, ovh.exceptions.BadParametersError, "Missing parameter", id="message"),
        pytest.param(
            f"{SERVICE}/jobs",
            {"message": "x" * 1000, "receivers": ["+33639980001"], "senderForResponse": True},
            ovh.exceptions.APIError,
            "Not enough credits",
            id="credits",
        ),
        pytest.param(
            f"{SERVICE}/jobs",
            {"message": "x", "receivers": ["+33639980001"], "sender": "Nobody"},
            ovh.exceptions.APIError,
            "Sms sender Nobody does not exists. Please create it first",
            id="sender",
        ),
    ],
)
def test_it_understands_a_refusal(client, path, fields, error, message):
    with pytest.raises(error, match=message):
        client.post(path, **fields)


def test_a_clock_that_is_not_corrected_is_refused(client):
    client._time_delta = 0
    with pytest.raises(ovh.exceptions.BadParametersError, match="Query out of time"):
        client.get("/sms")
