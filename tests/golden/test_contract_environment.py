"""Environment and credentials, sentence by sentence, as far as no other test proves it."""

import pytest
import responses
import worlds

from smsdeclare.errors import InputError
from smsdeclare.providers import endpoints
from smsdeclare.simulator.settings import Credential

ELSEWHERE = "https://sms.example.org/1.0"
TOKENS = "https://tokens.example.org/token"
CLIENT = {"OVH_CLIENT_ID": "id", "OVH_CLIENT_SECRET": "secret"}
TOKEN = {"access_token": "t", "expires_in": 3599}


@pytest.fixture
def project(tmp_path):
    root = worlds.root(f"{{name: ovh, service: {worlds.SERVICE}}}", worlds.message())
    return worlds.write(tmp_path / "project", {"smsdeclare.yaml": root})


def put(monkeypatch, values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def asked(mock):
    return [call.request.url for call in mock.calls]


def test_another_base_url_comes_by_the_environment(command, keys, project, monkeypatch):
    monkeypatch.setenv("OVH_ENDPOINT", ELSEWHERE)
    with responses.RequestsMock() as mock:
        mock.get(f"{ELSEWHERE}/auth/time", json=1_700_000_000)
        mock.get(f"{ELSEWHERE}/sms/{worlds.SERVICE}", json={"creditsLeft": 10})
        plan = command("plan", "-C", project, "--json")
    assert (0, ELSEWHERE) == (plan.code, plan.json["endpoint"])


@pytest.mark.parametrize("token_url", [None, "http://tokens.example.org/token", "tokens.example.org"])
def test_with_oauth2_another_base_url_needs_a_token_url_by_https(command, project, monkeypatch, token_url):
    put(monkeypatch, {**CLIENT, "OVH_ENDPOINT": ELSEWHERE, **({"OVH_TOKEN_URL": token_url} if token_url else {})})
    with responses.RequestsMock() as mock:
        result = command("plan", "-C", project)
        assert (1, True, []) == (result.code, "error SMS604" in result.err, asked(mock))


def test_with_oauth2_and_a_token_url_another_base_url_works(command, project, monkeypatch):
    put(monkeypatch, {**CLIENT, "OVH_ENDPOINT": ELSEWHERE, "OVH_TOKEN_URL": TOKENS})
    with responses.RequestsMock() as mock:
        mock.get(f"{ELSEWHERE}/auth/time", json=1_700_000_000)
        mock.post(TOKENS, json=TOKEN)
        mock.get(f"{ELSEWHERE}/sms/{worlds.SERVICE}", json={"creditsLeft": 10})
        assert 0 == command("plan", "-C", project).code


def test_a_named_endpoint_takes_no_token_url_from_elsewhere():
    assert "https://www.ovh.com/auth/oauth2/token" == endpoints.token_url("https://eu.api.ovh.com/1.0", TOKENS)


@pytest.mark.parametrize(
    ("written", "environment", "url"),
    [
        pytest.param(None, None, "https://eu.api.ovh.com/1.0", id="neither"),
        pytest.param("ovh-ca", None, "https://ca.api.ovh.com/1.0", id="YAML"),
        pytest.param(None, "ovh-us", "https://api.us.ovhcloud.com/1.0", id="environment"),
        pytest.param("ovh-eu", "ovh-eu", "https://eu.api.ovh.com/1.0", id="the same name"),
        pytest.param("ovh-eu", "https://eu.api.ovh.com/1.0/", "https://eu.api.ovh.com/1.0", id="name and URL of it"),
        pytest.param("http://127.0.0.1:1/1.0", None, "http://127.0.0.1:1/1.0", id="loopback in YAML"),
        pytest.param(None, ELSEWHERE, ELSEWHERE, id="any https URL in the environment"),
    ],
)
def test_the_endpoint_is_one_place(written, environment, url):
    assert url == endpoints.resolve(written, environment).url


@pytest.mark.parametrize(
    ("written", "environment", "code"),
    [
        pytest.param(ELSEWHERE, None, "SMS604", id="another URL in YAML"),
        pytest.param(ELSEWHERE, ELSEWHERE, "SMS604", id="in both"),
        pytest.param("ovh-eu", "ovh-ca", "SMS603", id="two names"),
        pytest.param("ovh-eu", ELSEWHERE, "SMS603", id="a name and another URL"),
        pytest.param("http://127.0.0.1:1/1.0", "ovh-eu", "SMS603", id="loopback and a name"),
        pytest.param(None, "http://sms.example.org/1.0", "SMS604", id="without TLS"),
    ],
)
def test_an_endpoint_that_is_none_or_two_is_an_error(written, environment, code):
    with pytest.raises(InputError) as caught:
        endpoints.resolve(written, environment)
    assert [code] == [one.code.id for one in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("places", "works"),
    [
        pytest.param({"ovh.conf": "right"}, False, id="not in the folder of somebody else"),
        pytest.param({"project/ovh.conf": "right"}, True, id="beside the project"),
        pytest.param({".ovh.conf": "right"}, True, id="at home"),
        pytest.param({"project/ovh.conf": "right", ".ovh.conf": "wrong"}, True, id="beside before home"),
        pytest.param({"project/ovh.conf": "wrong", ".ovh.conf": "right"}, False, id="home after beside"),
    ],
)
def test_credentials_come_from_the_nearest_file(command, serve, tmp_path, monkeypatch, places, works):
    server = serve(credentials=(Credential(),))
    for name in worlds.KEYS:
        monkeypatch.delenv(name)
    worlds.write(tmp_path / "project", {"smsdeclare.yaml": worlds.loopback(server.url, worlds.message())})
    for place, kind in places.items():
        values = [f"{name.removeprefix('OVH_').lower()}={value}" for name, value in worlds.KEYS.items()]
        text = "\n".join([f"[{server.url}]", *values, ""])
        worlds.write(tmp_path, {place: text if kind == "right" else text.replace("sandbox", "another")})
    assert works == (command("plan", "-C", tmp_path / "project").code == 0)


def test_the_environment_is_stronger_than_a_file(command, serve, tmp_path):
    server = serve()
    conf = f"[{server.url}]\napplication_key=x\napplication_secret=x\nconsumer_key=x\n"
    root = worlds.loopback(server.url, worlds.message())
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": root, "ovh.conf": conf})
    assert 0 == command("plan", "-C", folder).code


@pytest.mark.parametrize(("place", "said"), [("ovh.conf", "`ovh-eu` in ovh.conf"), (None, "`ovh-eu` in OVH_ENDPOINT")])
def test_who_names_the_other_endpoint_is_told(command, keys, tmp_path, monkeypatch, place, said):
    folder = worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback("http://127.0.0.1:1/1.0", worlds.message())})
    if place:
        worlds.write(folder, {place: "[default]\nendpoint=ovh-eu\n"})
    else:
        monkeypatch.setenv("OVH_ENDPOINT", "ovh-eu")
    result = command("plan", "-C", folder)
    assert (1, True, True) == (result.code, "error SMS603" in result.err, said in result.err)


def test_an_endpoint_without_its_version_is_told(command, keys, project, monkeypatch):
    monkeypatch.setenv("OVH_ENDPOINT", ELSEWHERE.removesuffix("/1.0"))
    with responses.RequestsMock() as mock:
        refusal = {"class": "Client::NotFound", "message": "Got an invalid (or empty) URL"}
        mock.get(f"{ELSEWHERE.removesuffix('/1.0')}/auth/time", json=refusal, status=404)
        result = command("plan", "-C", project)
    assert (1, True) == (result.code, "ends with /1.0" in result.err)


def test_no_redirect_is_followed(command, keys, project):
    """Whoever answers would get the signature, or the client's secret."""
    api = "https://eu.api.ovh.com/1.0"
    with responses.RequestsMock() as mock:
        mock.get(f"{api}/auth/time", json=1_700_000_000)
        mock.get(f"{api}/sms/{worlds.SERVICE}", status=302, headers={"Location": f"{ELSEWHERE}/take"})
        result = command("plan", "-C", project)
        assert (1, [f"{api}/auth/time", f"{api}/sms/{worlds.SERVICE}"]) == (result.code, asked(mock))


def test_no_redirect_of_the_time_or_of_a_token_is_followed(command, project, monkeypatch):
    put(monkeypatch, CLIENT)
    api = "https://eu.api.ovh.com/1.0"
    tokens = "https://www.ovh.com/auth/oauth2/token"
    with responses.RequestsMock() as mock:
        mock.get(f"{api}/auth/time", status=301, headers={"Location": f"{ELSEWHERE}/take"})
        assert 1 == command("plan", "-C", project).code
        assert [f"{api}/auth/time"] == asked(mock)
    with responses.RequestsMock() as mock:
        mock.get(f"{api}/auth/time", json=1_700_000_000)
        mock.post(tokens, status=307, headers={"Location": f"{ELSEWHERE}/take"})
        assert 1 == command("plan", "-C", project).code
        assert [f"{api}/auth/time", tokens] == asked(mock)
