"""The simulator under the real requests client."""

import json

import pytest
import requests

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.auth import signature
from smsdeclare.simulator.settings import Settings
from smsdeclare.simulator.transport import Transport

BASE = "https://eu.api.ovh.com/1.0"
SETTINGS = Settings(bearer_tokens=("token",), origin="https://eu.api.ovh.com")


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Transport(Simulator(SETTINGS), clock=lambda: 1764586800.0))
        yield session


def test_an_answer_reads_like_any_other(session):
    response = session.get(f"{BASE}/sms", headers={"Authorization": "Bearer token"})
    assert (200, "OK", ["sms-ab12345-1"], f"{BASE}/sms") == (
        response.status_code,
        response.reason,
        response.json(),
        response.url,
    )
    assert response.headers["x-ovh-queryid"] == "SIM.ws-1.00000001"


def test_an_answer_can_be_read_in_pieces(session):
    with session.get(f"{BASE}/sms", headers={"Authorization": "Bearer token"}, stream=True) as response:
        assert b"".join(response.iter_content(4)) == b'["sms-ab12345-1"]'


def test_a_refusal_is_an_answer_too(session):
    response = session.get(f"{BASE}/sms")
    assert (response.status_code, response.json()["message"]) == (401, "You must login first")


def test_body_bytes_and_query_are_signed_as_they_leave(session):
    credential = SETTINGS.credentials[0]
    body = json.dumps({"message": "Café", "receivers": ["+33639980001"]}, ensure_ascii=False).encode()
    url = f"{BASE}/sms/sms-ab12345-1/jobs"
    answers = []
    for method, target, sent in (
        ("POST", url, body),
        ("GET", f"{BASE}/sms/sms-ab12345-1/outgoing?tag=a%20b", b""),
    ):
        headers = {
            "X-Ovh-Application": credential.application_key,
            "X-Ovh-Consumer": credential.consumer_key,
            "X-Ovh-Timestamp": "1764586800",
            "X-Ovh-Signature": signature(credential, method, target, sent, "1764586800"),
        }
        answers.append(session.request(method, target, data=sent, headers=headers).status_code)
    assert answers == [200, 200]


def test_the_host_is_added_as_the_connection_would():
    with requests.Session() as session:
        session.mount("http://", Transport(Simulator(Settings()), clock=lambda: 1764586800.0))
        credential = Settings().credentials[0]
        url = "http://127.0.0.1:8800/1.0/sms"
        headers = {
            "X-Ovh-Application": credential.application_key,
            "X-Ovh-Consumer": credential.consumer_key,
            "X-Ovh-Timestamp": "1764586800",
            "X-Ovh-Signature": signature(credential, "GET", url, b"", "1764586800"),
        }
        assert session.get(url, headers=headers).status_code == 200


def test_text_bodies_are_taken_as_utf_8(session):
    simulator = Simulator(SETTINGS)
    session.mount("https://", Transport(simulator, clock=lambda: 0.0))
    body = json.dumps({"message": "Café", "receivers": ["+33639980001"]}, ensure_ascii=False)
    session.post(f"{BASE}/sms/sms-ab12345-1/jobs", data=body, headers={"Authorization": "Bearer token"})
    assert [line["message"] for line in simulator.journal] == ["Café"]


def test_the_first_byte_is_reported_before_anything_happens():
    simulator, seen = Simulator(SETTINGS), []
    transport = Transport(simulator, clock=lambda: 0.0, on_first_byte=lambda: seen.append(len(simulator.journal)))
    with requests.Session() as session:
        session.mount("https://", transport)
        session.post(
            f"{BASE}/sms/sms-ab12345-1/jobs",
            json={"message": "Hello", "receivers": ["+33639980001"]},
            headers={"Authorization": "Bearer token"},
        )
    assert (seen, len(simulator.journal)) == ([0], 1)


def test_a_callback_that_raises_keeps_the_request_back():
    simulator = Simulator(SETTINGS)

    def refuse():
        raise requests.ConnectionError("unplugged")

    with requests.Session() as session:
        session.mount("https://", Transport(simulator, clock=lambda: 0.0, on_first_byte=refuse))
        with pytest.raises(requests.ConnectionError):
            session.post(f"{BASE}/sms/sms-ab12345-1/jobs", data=b"{}", headers={"Authorization": "Bearer token"})
    assert simulator.journal == []
