"""Credentials as the official clients read them."""

import json

import pytest
import responses
import worlds

from smsdeclare.errors import InputError
from smsdeclare.providers import credentials
from smsdeclare.providers.credentials import ApplicationKeys, ClientCredentials

KEYS = {"OVH_APPLICATION_KEY": "ak", "OVH_APPLICATION_SECRET": "as", "OVH_CONSUMER_KEY": "ck"}
CLIENT = {"OVH_CLIENT_ID": "id", "OVH_CLIENT_SECRET": "secret"}
OURS = ApplicationKeys(application_key="ak", application_secret="as", consumer_key="ck")
CONF = """[default]
endpoint=ovh-ca
[ovh-eu]
application_key=ak
application_secret=a%s
consumer_key=ck
[ovh-ca]
client_id=id
client_secret=secret
"""


def find(environment, conf="", endpoint="ovh-eu"):
    return credentials.find(environment, credentials.read_conf([("ovh.conf", conf)]), endpoint)


@pytest.mark.parametrize(
    ("environment", "conf", "endpoint", "found"),
    [
        pytest.param(KEYS, "", "ovh-eu", OURS, id="environment"),
        pytest.param({**KEYS, "OVH_CLIENT_ID": ""}, "", "ovh-eu", OURS, id="an empty variable is unset"),
        pytest.param(
            {},
            CONF,
            "ovh-eu",
            ApplicationKeys(application_key="ak", application_secret="a%s", consumer_key="ck"),
            id="file, percent signs are plain",
        ),
        pytest.param(
            {}, CONF, "ovh-ca", ClientCredentials(client_id="id", client_secret="secret"), id="its own section"
        ),
        pytest.param(KEYS, CONF, "ovh-ca", OURS, id="the environment is stronger than the file"),
        pytest.param(
            {"OVH_CONSUMER_KEY": "mine"},
            CONF,
            "ovh-eu",
            ApplicationKeys(application_key="ak", application_secret="a%s", consumer_key="mine"),
            id="each value by itself",
        ),
        pytest.param(CLIENT, CONF, "ovh-eu", ClientCredentials(client_id="id", client_secret="secret"), id="OAuth2"),
        pytest.param(
            {**CLIENT, "OVH_TOKEN_URL": "https://example.org/token"},
            "",
            "ovh-eu",
            ClientCredentials(client_id="id", client_secret="secret", token_url="https://example.org/token"),
            id="OAuth2 elsewhere",
        ),
    ],
)
def test_credentials_are_found(environment, conf, endpoint, found):
    assert found == find(environment, conf, endpoint)


@pytest.mark.parametrize(
    ("environment", "conf", "code", "said"),
    [
        pytest.param({}, "", "SMS601", "neither in the environment", id="none"),
        pytest.param({"OVH_APPLICATION_KEY": "ak"}, "", "SMS601", "OVH_CONSUMER_KEY", id="a third"),
        pytest.param({"OVH_CLIENT_ID": "id"}, "", "SMS601", "OVH_CLIENT_SECRET", id="a half"),
        pytest.param({**KEYS, **CLIENT}, "", "SMS602", "side by side", id="two kinds"),
        pytest.param({}, "no section\n", "SMS621", "ovh.conf", id="no INI file"),
    ],
)
def test_what_is_missing_or_contradicts_is_named_without_quoting_it(environment, conf, code, said):
    with pytest.raises(InputError) as caught:
        find(environment, conf)
    (finding,) = caught.value.diagnostics
    assert (code, True, False) == (finding.code.id, said in finding.detail, "no section" in finding.detail)
    assert "sandbox" not in finding.suggestion


def test_files_nearer_to_the_project_are_stronger():
    conf = credentials.read_conf([("/etc/ovh.conf", CONF), ("ovh.conf", "[ovh-eu]\nconsumer_key=nearer\n")])
    assert "nearer" == credentials.find({}, conf, "ovh-eu").consumer_key


def test_the_endpoint_comes_with_the_credentials():
    conf = credentials.read_conf([("ovh.conf", CONF)])
    assert ("ovh-us", "ovh-ca", None) == (
        credentials.endpoint_of({"OVH_ENDPOINT": "ovh-us"}, conf),
        credentials.endpoint_of({}, conf),
        credentials.endpoint_of({}, credentials.read_conf([])),
    )


@pytest.mark.parametrize("value", [OURS, ClientCredentials(client_id="id", client_secret="secret")])
def test_they_hide_themselves(value):
    shown = f"{value!r} {value}"
    assert not [secret for secret in ("ak", "as", "ck", "id", "secret") if f"'{secret}'" in shown]


def test_a_file_can_not_send_the_credentials_to_a_url():
    conf = credentials.read_conf([("ovh.conf", "[default]\nendpoint=https://elsewhere.invalid/1.0\n")])
    with pytest.raises(InputError, match="not allowed"):
        credentials.endpoint_of({}, conf)


def test_an_ovh_conf_in_the_project_is_enough(command, tmp_path):
    from smsdeclare.simulator.api import Simulator
    from smsdeclare.simulator.server import Server

    with Server(Simulator()) as server:
        lines = [f"{name.removeprefix('OVH_').lower()}={value}" for name, value in worlds.KEYS.items()]
        files = {
            "smsdeclare.yaml": worlds.loopback(server.url, worlds.message()),
            "ovh.conf": "\n".join([f"[{server.url}]", *lines]) + "\n",
        }
        assert 0 == command("apply", "-C", worlds.write(tmp_path, files), "--auto-approve").code


def test_an_oauth2_token_is_asked_for_once_and_its_end_is_the_fence(command, tmp_path, monkeypatch):
    import sqlite3

    for name, value in CLIENT.items():
        monkeypatch.setenv(name, value)
    api = "https://eu.api.ovh.com/1.0"
    # Advertising may be held for longer than a token lives.
    plain = "    options: {noStopClause: true}\n"
    report = {"ids": [1], "validReceivers": ["+33639980001"], "invalidReceivers": [], "totalCreditsRemoved": 1}
    root = worlds.root("{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}", worlds.message(more=plain))
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root})
    with responses.RequestsMock() as mock:
        mock.get(f"{api}/auth/time", json=1_700_000_000)
        token = mock.post("https://www.ovh.com/auth/oauth2/token", json={"access_token": "canary", "expires_in": 3599})
        mock.get(f"{api}/sms/sms-ab12345-1", json={"creditsLeft": 10})
        mock.get(f"{api}/sms/sms-ab12345-1/outgoing", json=[])
        posted = mock.post(f"{api}/sms/sms-ab12345-1/jobs", json=report, headers={"X-Ovh-QueryID": "EU.test"})
        result = command("apply", "-C", folder, "--auto-approve", "-v")
    assert (0, 1, 1) == (result.code, token.call_count, posted.call_count)
    sent = posted.calls[0].request
    assert ("Bearer canary", None) == (sent.headers["Authorization"], sent.headers.get("X-Ovh-Signature"))
    assert "+33639980001" in json.loads(sent.body)["receivers"]
    assert "canary" not in result.out + result.err
    connection = sqlite3.connect(folder / "smsdeclare.state")
    ((fence,),) = connection.execute("SELECT not_after FROM jobs").fetchall()
    connection.close()
    assert abs(fence - (1_700_000_000 + 3599)) <= 5


@pytest.mark.parametrize("url", ["http://example.org/1.0", "ftp://example.org", "https://user@example.org/1.0"])
def test_an_endpoint_of_the_environment_must_be_https(command, tmp_path, monkeypatch, url):
    monkeypatch.setenv("OVH_ENDPOINT", url)
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root("{name: ovh}", worlds.message())})
    result = command("plan", "-C", folder)
    assert (1, True) == (result.code, "SMS604" in result.err)


def test_two_different_endpoints_are_an_error(command, tmp_path, monkeypatch):
    monkeypatch.setenv("OVH_ENDPOINT", "ovh-ca")
    root = worlds.root("{name: ovh, endpoint: ovh-eu}", worlds.message())
    result = command("plan", "-C", worlds.write(tmp_path, {"smsdeclare.yaml": root}))
    assert (1, True) == (result.code, "SMS603" in result.err)
