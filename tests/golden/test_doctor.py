"""`doctor`: each thing that may be wrong is found, said with what to do, and nothing is written anywhere."""

import os
import socket
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import responses
import worlds
from jsonschema import Draft202012Validator

from smsdeclare.schema import load_schema
from smsdeclare.simulator.settings import Credential, Sender, Service

APPLY = ("apply", "--auto-approve")
MESSAGE = worlds.message(more="    options: {sender: SMSDECLARE}\n")


def tree(folder):
    """Every file with what is in it; of Git only what lies beside its own."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


@pytest.fixture
def doctor(command):
    """Run it, twice: it writes nothing, and says the same for people and for scripts."""

    def examine(folder, *words):
        before = tree(folder)
        shown = command("doctor", *words, "-C", folder)
        document = command("doctor", "--json", *words, "-C", folder)
        assert before == tree(folder)
        Draft202012Validator(load_schema("doctor.v1")).validate(document.json)
        assert (shown.code, document.code) == ((0, 0) if document.json["healthy"] else (1, 1))
        for one in document.json["findings"]:
            assert f"{one['status']} {one['check']} {one['message']}" in " ".join(shown.out.split())
            assert (one["status"] == "ok") == (one["fix"] is None)
        return document.json["findings"]

    return examine


def here(folder, url, more=MESSAGE):
    return worlds.write(folder, {"smsdeclare.yaml": worlds.loopback(url, more)})


def of(findings, check):
    return [(one["status"], one["code"]) for one in findings if one["check"] == check]


def test_all_is_well(doctor, serve, tmp_path):
    found = doctor(here(tmp_path, serve().url))
    assert {"ok"} == {one["status"] for one in found}
    checks = [
        "versions",
        "files",
        "credentials",
        "network",
        "clock",
        "rights",
        "service",
        "credits",
        "senders",
        "state",
    ]
    assert checks == [one["check"] for one in found]


def test_the_sandbox_needs_nothing(doctor, tmp_path):
    found = doctor(worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())}))
    assert [("ok", None)] * 4 == [
        pair for check in ("versions", "files", "credentials", "state") for pair in of(found, check)
    ]
    assert 4 == len(found)


def test_without_a_project_it_goes_as_far_as_it_can(doctor, serve, monkeypatch, tmp_path):
    monkeypatch.setenv("OVH_ENDPOINT", serve().url)
    found = doctor(tmp_path)
    assert [("warning", "SMS006")] == of(found, "files")
    assert [("ok", None)] * 4 == [
        pair for check in ("network", "rights", "service", "credits") for pair in of(found, check)
    ]
    assert [] == of(found, "state")


def test_files_that_are_broken_hide_nothing_but_the_state(doctor, serve, monkeypatch, tmp_path):
    """Which state it is, and which senders are used, only the files say."""
    url = serve().url
    monkeypatch.setenv("OVH_ENDPOINT", url)
    found = doctor(here(tmp_path, url, "messages: {hello: {to: 1}}\n"))
    assert {"error"} == {status for status, _ in of(found, "files")}
    checks = ["versions", "credentials", "network", "clock", "rights", "service", "credits"]
    assert checks == [one["check"] for one in found if one["check"] != "files"]
    assert {"ok"} == {one["status"] for one in found if one["check"] != "files"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            {"credentials": (Credential(rules=(("GET", "/*"),)),)}, ("rights", "error", "SMS697"), id="can't send"
        ),
        pytest.param(
            {"credentials": (Credential(rules=(("POST", "/*"), ("GET", "/*"))),)}, ("rights", "warning", "SMS697"),
            id="can't take back",
        ),
        pytest.param(
            {"credentials": (Credential(rules=(("GET", "/sms"), ("GET", "/sms/*"))),)}, ("rights", "warning", "SMS611"),
            id="can't look at itself",
        ),
        pytest.param(
            {"credentials": (Credential(application_key="other"),)}, ("rights", "error", "SMS612"), id="no such key"
        ),
        pytest.param({"credentials": (Credential(state="expired"),)}, ("rights", "error", "SMS613"), id="expired"),
        pytest.param(
            {"credentials": (Credential(expiration=(datetime.now(UTC) + timedelta(days=3)).isoformat()),)},
            ("rights", "warning", "SMS694"), id="ends soon",
        ),
        pytest.param({"clock_ahead": 600.0}, ("clock", "warning", None), id="clock"),
        pytest.param({"services": (Service(credits=0.0),)}, ("credits", "error", "SMS618"), id="no credits"),
        pytest.param({"services": (Service(name="sms-xy1-1"),)}, ("service", "error", "SMS616"), id="no such service"),
        pytest.param({"services": (Service(senders=()),)}, ("senders", "error", "SMS660"), id="no such sender"),
        pytest.param(
            {"services": (Service(senders=(Sender(name="SMSDECLARE", status="refused"),)),)},
            ("senders", "error", "SMS661"), id="sender not ready",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_at_the_provider_is_found(doctor, serve, tmp_path, settings, expected):
    check, *what = expected
    assert tuple(what) in of(doctor(here(tmp_path, serve(**settings).url)), check)


def test_a_wrong_secret_is_found(doctor, serve, monkeypatch, tmp_path):
    monkeypatch.setenv("OVH_APPLICATION_SECRET", "not-the-one")
    assert ("error", "SMS615") in of(doctor(here(tmp_path, serve().url)), "rights")


def test_nobody_answering_is_found(doctor, monkeypatch, tmp_path):
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = doctor(here(tmp_path, f"http://127.0.0.1:{port}/1.0"))
    assert [("error", "SMS605")] == of(found, "network")
    assert "HTTPS_PROXY" in next(one["fix"] for one in found if one["check"] == "network")


def test_no_credentials_are_found_and_the_rest_is_looked_at(doctor, serve, monkeypatch, tmp_path):
    url = serve().url
    for name in worlds.KEYS:
        monkeypatch.delenv(name)
    found = doctor(here(tmp_path, url))
    assert ("error", "SMS601") in of(found, "credentials")
    assert [("ok", None)] == of(found, "network")


def test_offline_asks_nobody(doctor, serve, tmp_path):
    server = serve()
    found = doctor(here(tmp_path, server.url), "--offline")
    assert ([], []) == (of(found, "network"), server.requests)
    assert [("ok", None)] == of(found, "state")


def test_a_service_account_is_asked_what_can_be_asked(doctor, serve, monkeypatch, tmp_path):
    """OAuth2: its rights stand elsewhere, so they are not said to lack."""
    url = serve(bearer_tokens=("token",)).url
    for name in worlds.KEYS:
        monkeypatch.delenv(name)
    for name, value in (("ID", "client"), ("SECRET", "client-secret")):
        monkeypatch.setenv(f"OVH_CLIENT_{name}", value)
    monkeypatch.setenv("OVH_TOKEN_URL", "https://login.example.org/token")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as around:
        around.add_passthru(url)
        around.post(
            "https://login.example.org/token",
            json={"access_token": "token", "token_type": "Bearer", "expires_in": 3599},
        )
        found = doctor(here(tmp_path, url))
    assert {"ok"} == {one["status"] for one in found}
    assert "an OAuth2 client" in next(one["message"] for one in found if one["check"] == "credentials")
    assert "client-secret" not in str(found)


def test_a_service_account_without_its_place_for_tokens(doctor, serve, monkeypatch, tmp_path):
    url = serve().url
    for name in worlds.KEYS:
        monkeypatch.delenv(name)
    for name, value in (("ID", "client"), ("SECRET", "client-secret")):
        monkeypatch.setenv(f"OVH_CLIENT_{name}", value)
    found = doctor(here(tmp_path, url))
    assert [("ok", None), ("error", "SMS604")] == of(found, "credentials")
    assert [("ok", None)] == of(found, "network")


@pytest.mark.parametrize("backend", ["git", "postgresql"])
def test_a_state_that_is_elsewhere_is_not_asked_offline(doctor, tmp_path, backend):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=f"state: {{backend: {backend}}}\n" + worlds.message())})
    assert [("ok", None)] == of(doctor(tmp_path, "--offline"), "state")
    assert ["error"] == [status for status, _ in of(doctor(tmp_path), "state")]


def test_credentials_that_others_may_read_or_git_takes_along(doctor, serve, monkeypatch, tmp_path):
    url = serve().url
    for name in worlds.KEYS:
        monkeypatch.delenv(name)
    lines = [f"{name.removeprefix('OVH_').lower()}={value}" for name, value in worlds.KEYS.items()]
    here(tmp_path, url)
    worlds.write(tmp_path, {"ovh.conf": "\n".join([f"[{url}]", *lines, ""])})
    (tmp_path / "ovh.conf").chmod(0o644)
    subprocess.run(["git", "init", "-q", tmp_path], check=True, capture_output=True)
    found = doctor(tmp_path)
    assert [("ok", None), ("warning", None), ("warning", "SMS696")] == of(found, "credentials")
    assert not [value for value in worlds.KEYS.values() if value in str(found)]


def test_a_state_says_whose_it_is_and_what_is_open(doctor, serve, command, tmp_path):
    server = serve("d")
    folder = here(tmp_path, server.url)
    assert 4 == command(*APPLY, "-C", folder).code
    command("stop", "--reason", "wrong price", "-C", folder)
    found = doctor(folder)
    assert [("ok", None), ("warning", None), ("warning", "SMS511")] == of(found, "state")
    here(tmp_path, serve().url)
    assert ("error", "SMS502") in of(doctor(folder), "state")


def test_a_state_that_would_be_lost_in_ci(doctor, monkeypatch, tmp_path):
    monkeypatch.setenv("CI", "true")
    more = "{name: ovh, endpoint: ovh-eu, service: sms-ab12345-1}"
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more, worlds.message())})
    assert ("error", "SMS505") in of(doctor(tmp_path, "--offline"), "state")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written(doctor, tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    tmp_path.chmod(0o500)
    assert ("error", None) in of(doctor(tmp_path), "state")
    tmp_path.chmod(0o700)


def test_a_state_of_an_older_version_is_left_as_it_is(doctor, command, tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    command(*APPLY, "-C", tmp_path)
    with closing(sqlite3.connect(tmp_path / "smsdeclare.sandbox.state", isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
    assert [("warning", None)] == of(doctor(tmp_path), "state")


def test_a_write_that_was_broken_off_is_left_alone(doctor, command, tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=worlds.message())})
    command(*APPLY, "-C", tmp_path)
    worlds.write(tmp_path, {"smsdeclare.sandbox.state-journal": ""})
    assert [("warning", None)] == of(doctor(tmp_path), "state")
