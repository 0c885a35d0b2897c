"""OVHcloud's own guide, from YAML: its body posted, its answer read into the state."""

import json

import pytest
import responses
import worlds

API = "https://eu.api.ovh.com/1.0"
NUMBER = "+33639980001"
#: As the guide posts it, with a number kept for fiction.
BODY = {
    "charset": "UTF-8",
    "receivers": [NUMBER],
    "message": "Test SMS OVH",
    "priority": "high",
    "senderForResponse": True,
    "sender": "YOURSENDER",
}
#: As the guide shows it.
ANSWER = {"totalCreditsRemoved": 1, "invalidReceivers": [], "ids": [27814656], "validReceivers": [NUMBER]}


@pytest.fixture
def api(monkeypatch):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/auth/time", json=1_700_000_000)
        mock.get(f"{API}/sms", json=["sms-ab12345-1"])
        mock.get(f"{API}/sms/sms-ab12345-1", json={"creditsLeft": 1195})
        mock.get(f"{API}/sms/sms-ab12345-1/outgoing", json=[])
        yield mock


def copy(tmp_path, *changes):
    text = (worlds.EXAMPLES / "ovh-guide" / "smsdeclare.yaml").read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return worlds.write(tmp_path, {"smsdeclare.yaml": text})


def test_the_guide_s_body_is_posted_and_its_answer_read_into_the_state(command, api, tmp_path):
    posted = api.post(f"{API}/sms/sms-ab12345-1/jobs", json=ANSWER, headers={"X-Ovh-QueryID": "EU.test"})
    folder = copy(tmp_path)
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    body = json.loads(posted.calls[0].request.body)
    assert 20 == len(body.pop("tag"))
    assert BODY == body
    (send,) = command("state", "list", "-C", folder, "--json").json["sends"]
    assert (27814656, 1.0, "accepted") == (send["id"], send["credits"], send["status"])


def test_the_short_number_that_wins_over_the_sender_is_warned_about(command, tmp_path):
    result = command("validate", "-C", copy(tmp_path))
    assert (0, True) == (result.code, "warning SMS115" in result.out)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("sender", "ACME", "ACME"),
        ("senderForResponse", "false", False),
        ("noStopClause", "true", True),
        *(("priority", word, word) for word in ("high", "medium", "low", "veryLow")),
        *(("class", word, word) for word in ("flash", "phoneDisplay", "sim", "toolkit")),
        *(("coding", word, word) for word in ("7bit", "8bit")),
        ("charset", "UTF-8", "UTF-8"),
        ("validityPeriod", "2880", 2880),
        ("differedPeriod", "30", 30),
    ],
)
def test_every_option_reaches_the_body_as_it_is_written(command, api, tmp_path, name, written, value):
    posted = api.post(f"{API}/sms/sms-ab12345-1/jobs", json=ANSWER, headers={"X-Ovh-QueryID": "EU.test"})
    options = "".join(
        f"      {line}\n"
        for line in ("charset: UTF-8", "priority: high", "sender: YOURSENDER", "senderForResponse: true")
    )
    folder = copy(tmp_path, (options, f"      {name}: {written}\n"))
    assert 0 == command("apply", "-C", folder, "--auto-approve").code
    body = json.loads(posted.calls[0].request.body)
    del body["tag"]
    assert {"message": "Test SMS OVH", "receivers": [NUMBER], name: value} == body
    (send,) = command("state", "list", "-C", folder, "--json").json["sends"]
    assert ("scheduled" if name == "differedPeriod" else "accepted") == send["status"]
