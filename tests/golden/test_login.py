"""`login`: a key is asked for, somebody grants it in a browser, and the file that holds it is nobody else's."""

import os
import pty
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import worlds

from smsdeclare.cli import ovh_conf
from smsdeclare.providers.credentials import ApplicationKeys
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import Faults
from smsdeclare.simulator.inbox import Inbox
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings

KEY, SECRET = worlds.KEYS["OVH_APPLICATION_KEY"], worlds.KEYS["OVH_APPLICATION_SECRET"]
#: No consumer key: that is what `login` gets.
APPLICATION = {"OVH_APPLICATION_KEY": KEY, "OVH_APPLICATION_SECRET": SECRET, "OVH_CONSUMER_KEY": ""}


@pytest.fixture
def sandbox(tmp_path):
    """A sandbox with its inbox, and a project that sends to it."""
    opened = []

    def start(**settings):
        faults = Faults()
        world = Simulator(Settings(**settings))
        opened.append(Server(Inbox(world, faults), script=faults).__enter__())
        opened[-1].world = world
        worlds.write(tmp_path, {"smsdeclare.yaml": worlds.loopback(opened[-1].url, worlds.message())})
        return opened[-1]

    yield start
    for one in opened:
        one.__exit__(None, None, None)


def login(folder, *words, **more):
    env = worlds.environment(**{**APPLICATION, "HOME": str(folder), **more})
    return worlds.spawn("login", "--wait", "30s", *words, "-C", folder, env=env)


def decide(page, state):
    """What somebody does in a browser."""
    with requests.Session() as browser:
        browser.trust_env = False
        shown = browser.get(page, timeout=10).text
        fields = dict(re.findall(r'name="(token|key)" value="([^"]+)"', shown))
        origin = page.partition("/auth/")[0]
        said = browser.post(f"{origin}/grant", data={**fields, "state": state}, timeout=10).text
        assert re.search('role="status"', said)
    return shown


def granted(process, state="validated"):
    """Let the key be granted, and the command end; what it printed."""
    page = process.stdout.readline().strip() or pytest.fail(process.communicate(timeout=30)[1])
    shown = decide(page, state)
    out, err = process.communicate(timeout=30)
    return page, shown, out, err


def conf(folder):
    return (folder / "ovh.conf").read_text()


def test_the_way_to_a_key_that_works(sandbox, command, tmp_path):
    here = sandbox()
    worlds.write(tmp_path, {"ovh.conf": "; mine\n[ovh-eu]\n# another place\nclient_id=x\n"})
    (tmp_path / "ovh.conf").chmod(0o644)
    process = login(tmp_path)
    page, shown, out, err = granted(process)
    assert (0, "wrote ovh.conf\n") == (process.returncode, out)
    assert page.startswith(here.url.removesuffix("/1.0") + "/auth/?credentialToken=")
    assert "<code>POST /sms/sms-ab12345-1/jobs</code>" in shown
    assert "outgoing/*" in shown
    assert "DELETE /sms/sms-ab12345-1/outgoing" not in shown
    assert "Rights: 12 of the 12 that are needed." in err
    assert "smsdeclare doctor" in err
    assert conf(tmp_path).startswith("; mine\n[ovh-eu]\n# another place\nclient_id=x\n\n[")
    assert 0o600 == stat.S_IMODE((tmp_path / "ovh.conf").stat().st_mode)
    (key,) = here.world.history.asked.values()
    assert key.consumer_key in conf(tmp_path)
    assert not [one for one in (SECRET, key.consumer_key) if one in out + err + shown]
    # It is what every other command finds, and may do what it has to.
    assert 0 == command("apply", "--auto-approve", "-C", tmp_path).code


@pytest.mark.parametrize("known", [{}, {"OVH_APPLICATION_KEY": KEY}], ids=["neither is known", "the key is known"])
def test_key_and_secret_are_asked_for_and_stay_hidden(sandbox, tmp_path, known):
    sandbox()
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "smsdeclare", "login", "-C", str(tmp_path)], stdin=child, stdout=subprocess.PIPE,
        stderr=child, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm", **known}, text=True,
        start_new_session=True,
    )  # fmt: skip
    os.close(child)
    shown = b""
    try:
        for word, answer in ((b"Application key", KEY), (b"Application secret", SECRET))[len(known) :]:
            while word + b" (" not in shown:
                shown += os.read(parent, 4096)
            os.write(parent, f"{answer}\n".encode())
        _, _, out, _ = granted(process)
        while b"doctor" not in shown:
            shown += os.read(parent, 4096)
    finally:
        os.close(parent)
    assert (0, "wrote ovh.conf\n") == (process.returncode, out)
    assert b"createApp" in shown
    assert (not known) == (b"Application key (" in shown)
    assert not [one for one in (KEY, SECRET) if one.encode() in shown]
    assert SECRET in conf(tmp_path)


@pytest.mark.parametrize("name", ["OVH_APPLICATION_KEY", "OVH_APPLICATION_SECRET"])
def test_key_and_secret_may_come_from_two_places(sandbox, tmp_path, name):
    here = sandbox()
    filed = f"[{here.url}]\n{name.removeprefix('OVH_').lower()}={APPLICATION[name]}\n"
    worlds.write(tmp_path, {".ovh.conf": filed})
    process = login(tmp_path, **{name: ""})
    _, _, out, _ = granted(process)
    assert (0, "wrote ovh.conf\n") == (process.returncode, out)
    assert f"application_key={KEY}\napplication_secret={SECRET}\n" in conf(tmp_path)


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        pytest.param("", "OVH_APPLICATION_KEY and OVH_APPLICATION_SECRET are not set", id="both"),
        pytest.param("OVH_APPLICATION_KEY", "credentials: OVH_APPLICATION_SECRET is not set", id="the secret"),
        pytest.param("OVH_APPLICATION_SECRET", "credentials: OVH_APPLICATION_KEY is not set", id="the key"),
    ],
)
def test_what_is_missing_and_nothing_else_is_named(sandbox, command, monkeypatch, tmp_path, given, detail):
    sandbox()
    if given:
        monkeypatch.setenv(given, APPLICATION[given])
    result = command("login", "--wait", "0s", "-C", tmp_path)
    assert (1, True) == (result.code, detail in result.err), result.err


@pytest.mark.parametrize("pending", ["INVALID_CREDENTIAL", "INVALID_SIGNATURE"])
def test_what_nobody_grants_in_time_writes_nothing(sandbox, command, monkeypatch, tmp_path, pending):
    sandbox(pending_answer=pending)
    for name, value in APPLICATION.items():
        monkeypatch.setenv(name, value)
    result = command("login", "--wait", "0s", "-C", tmp_path)
    assert (1, True) == (result.code, "error SMS692" in result.err)
    assert ("secret does not fit" in result.err) == (pending == "INVALID_SIGNATURE")
    assert not (tmp_path / "ovh.conf").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait(sandbox, tmp_path, number):
    sandbox()
    process = login(tmp_path)
    process.stdout.readline()
    while b"Waiting" not in process.stderr.buffer.peek():
        process.stderr.readline()
    process.send_signal(number)
    assert "SMS902" in process.communicate(timeout=30)[1]
    assert (130, False) == (process.returncode, (tmp_path / "ovh.conf").exists())


def test_a_key_that_may_not_look_at_itself_is_taken_as_it_is(sandbox, tmp_path):
    sandbox()
    environment = {**APPLICATION, "HOME": str(tmp_path)}
    script = (
        "import sys; from smsdeclare.providers import rights; rights._LEAST = rights._LEAST[:1]; "
        "from smsdeclare.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "login", "--wait", "30s", "-C", str(tmp_path)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=worlds.environment(**environment),
    )  # fmt: skip
    _, _, out, err = granted(process)
    assert (0, "wrote ovh.conf\n") == (process.returncode, out)
    assert "Rights:" not in err


def test_what_is_good_from_some_addresses_only_says_so(sandbox, tmp_path):
    here = sandbox()
    process = login(tmp_path, "--allow-ip", "203.0.113.0/24")
    err = granted(process)[3]
    assert "From 203.0.113.0/24 only." in err
    assert [("203.0.113.0/24",)] == [one.allowed_ips for one in here.world.history.asked.values()]


def test_the_environment_is_said_to_win(sandbox, tmp_path):
    sandbox()
    err = granted(login(tmp_path, OVH_CONSUMER_KEY="old"))[3]
    assert "warning SMS695: The environment wins over ovh.conf: OVH_CONSUMER_KEY is set" in err


@pytest.mark.parametrize(("ignored", "warns"), [("*.state\n", True), ("*.state\novh.conf\n", False)])
def test_what_git_would_take_along_is_said(sandbox, tmp_path, ignored, warns):
    sandbox()
    subprocess.run(["git", "init", "-q", tmp_path], check=True, capture_output=True)
    worlds.write(tmp_path, {".gitignore": ignored})
    assert warns == ("warning SMS696" in granted(login(tmp_path))[3])


def test_others_credentials_are_replaced_only_when_that_is_meant(sandbox, command, monkeypatch, tmp_path):
    here = sandbox()
    for name, value in APPLICATION.items():
        monkeypatch.setenv(name, value)
    theirs = f"[{here.url}]\napplication_key=theirs\napplication_secret=s\nconsumer_key=c\n"
    worlds.write(tmp_path, {"ovh.conf": theirs})
    result = command("login", "--wait", "0s", "-C", tmp_path)
    assert (1, True, theirs) == (result.code, "error SMS693" in result.err, conf(tmp_path))
    assert not here.world.history.asked
    process = login(tmp_path, "--replace")
    granted(process)
    assert (0, False) == (process.returncode, "theirs" in conf(tmp_path))


def test_an_old_key_of_the_same_application_is_renewed(sandbox, tmp_path):
    here = sandbox()
    mine = f"[{here.url}]\napplication_key={KEY}\napplication_secret={SECRET}\nconsumer_key=old\n"
    worlds.write(tmp_path, {"ovh.conf": mine})
    process = login(tmp_path, OVH_APPLICATION_KEY="", OVH_APPLICATION_SECRET="")
    granted(process)
    assert (0, False, True) == (process.returncode, "old" in conf(tmp_path), SECRET in conf(tmp_path))


@pytest.mark.parametrize(
    ("words", "more", "code"),
    [
        pytest.param((), {}, "SMS691", id="nobody there"),
        pytest.param(("--wait", "0s"), {"OVH_APPLICATION_KEY": "nobody"}, "SMS612", id="unknown application"),
        pytest.param(("--wait", "0s"), {"OVH_APPLICATION_KEY": ""}, "SMS601", id="half an application"),
        pytest.param(("--wait", "0s"), {"OVH_APPLICATION_KEY": "a b"}, "SMS601", id="no key"),
        pytest.param(("--wait", "0s", "--allow-ip", "here"), {}, "SMS901", id="no address"),
    ],
)
def test_what_can_not_be_is_told_before_anything_is_asked_for(
    sandbox, command, monkeypatch, tmp_path, words, more, code
):
    here = sandbox()
    for name, value in {**APPLICATION, **more}.items():
        monkeypatch.setenv(name, value)
    result = command("login", *words, "-C", tmp_path)
    assert (1, True) == (result.code, f"error {code}" in result.err)
    assert SECRET not in result.out + result.err
    assert not here.world.history.asked


def test_the_sandbox_needs_none(command, tmp_path):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root()})
    assert "error SMS698" in command("login", "--wait", "0s", "-C", tmp_path).err


def test_what_was_decided_stays_decided(sandbox, tmp_path):
    here = sandbox()
    page, *_ = granted(login(tmp_path))
    with requests.Session() as browser:
        browser.trust_env = False
        token = re.search(r'name="token" value="([^"]+)"', browser.get(page.partition("auth/")[0], timeout=10).text)[1]
        fields = {"token": token, "key": page.partition("=")[2], "state": "refused"}
        browser.post(f"{page.partition('/auth/')[0]}/grant", data=fields, timeout=10)
    assert ["validated"] == [one.state for one in here.world.history.asked.values()]


def test_a_page_of_nobody_grants_nothing(sandbox):
    here = sandbox()
    origin = here.url.removesuffix("/1.0")
    with requests.Session() as browser:
        browser.trust_env = False
        assert 404 == browser.get(f"{origin}/auth/?credentialToken=none", timeout=10).status_code
        assert 403 == browser.post(f"{origin}/grant", data={"key": "none"}, timeout=10).status_code


# — the file —

KEYS = ApplicationKeys(application_key="ak", application_secret="as", consumer_key="ck")
SECTION = "[ovh-eu]\napplication_key=ak\napplication_secret=as\nconsumer_key=ck\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"[default]\nendpoint=ovh-eu\n\n{SECTION}", id="a new file"),
        pytest.param("[ovh-ca]\nclient_id=x\n", f"[ovh-ca]\nclient_id=x\n\n{SECTION}", id="another endpoint"),
        pytest.param(
            "[ovh-eu]\n; note\nApplication_Key : old\n  more\nclient_id=i\nproject = p\n[x]\nconsumer_key=kept\n",
            f"{SECTION}; note\nproject = p\n[x]\nconsumer_key=kept\n",
            id="in the middle",
        ),
    ],
)
def test_one_section_changes_and_no_other_line(before, after):
    assert after == ovh_conf.with_keys(before, "ovh-eu", KEYS)
    assert KEYS == ovh_conf.reads_as(after, "ovh.conf", "ovh-eu")
    assert after == ovh_conf.with_keys(after, "ovh-eu", KEYS)


def test_a_file_that_is_a_link_stays_one(sandbox, tmp_path):
    sandbox()
    elsewhere = worlds.write(tmp_path / "elsewhere", {"keys": ""}) / "keys"
    (tmp_path / "ovh.conf").symlink_to(elsewhere)
    granted(login(tmp_path))
    assert (True, True) == ((tmp_path / "ovh.conf").is_symlink(), SECRET in elsewhere.read_text())
    assert [] == [path for path in Path(elsewhere).parent.iterdir() if path.name.startswith(".")]
