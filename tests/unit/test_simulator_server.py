"""The simulator behind a real HTTP server, with faults by script."""

import json
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server, main
from smsdeclare.simulator.settings import Settings

NOON = 1764586800.0
SETTINGS = Settings(bearer_tokens=("token",), retry_after="7")
AUTHORIZED = {"Authorization": "Bearer token"}
JOB = {"message": "Hello", "receivers": ["+33639980001"]}


@pytest.fixture
def serve():
    """Serve a new world; every server is closed at the end."""
    servers = []

    def start(script="", **options):
        server = Server(Simulator(SETTINGS), clock=lambda: NOON, script=script, **options)
        servers.append(server)
        return server.__enter__()

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(AUTHORIZED)
        yield session


def post(session, server, **options):
    return session.post(f"{server.url}/sms/sms-ab12345-1/jobs", json=JOB, timeout=10, allow_redirects=False, **options)


def accepted(server):
    return len(server._simulator.journal)


def test_requests_are_answered_and_remembered(serve, session):
    server = serve()
    assert session.get(f"{server.url}/sms?x=1", timeout=10).json() == ["sms-ab12345-1"]
    assert post(session, server).status_code == 200
    first, second = server.requests
    assert first == ("GET", "/1.0/sms?x=1", b"")
    assert (second[0], json.loads(second[2])) == ("POST", JOB)


def test_one_connection_serves_many_requests(serve):
    server = serve()
    connection = HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=10)
    try:
        sockets = set()
        for _ in range(3):
            connection.request("GET", "/1.0/auth/time")
            assert str(int(NOON)).encode() == connection.getresponse().read()
            sockets.add(connection.sock.getsockname())
    finally:
        connection.close()
    assert len(sockets) == 1


@pytest.mark.parametrize(
    ("letter", "status", "kind", "has_query_id", "handled"),
    [
        ("a", 200, "application/json", True, 1),
        ("5", 503, "text/html", False, 1),
        ("0", 500, "application/json", True, 1),
        ("r", 307, "text/html", False, 0),
        ("x", 200, "text/html", False, 0),
        ("4", 403, "application/json", False, 0),
        ("9", 429, "application/json", True, 0),
    ],
)
def test_a_letter_chooses_the_answer(serve, session, letter, status, kind, has_query_id, handled):
    server = serve(letter)
    response = post(session, server)
    assert (status, kind, has_query_id, handled) == (
        response.status_code,
        response.headers["Content-Type"].partition(";")[0],
        "X-Ovh-QueryID" in response.headers,
        accepted(server),
    )


@pytest.mark.parametrize(("letter", "handled"), [("l", 1), ("d", 0)])
def test_a_letter_closes_the_connection(serve, session, letter, handled):
    server = serve(letter)
    with pytest.raises(requests.ConnectionError):
        post(session, server)
    assert (handled, 1) == (accepted(server), len(server.requests))


def test_an_answer_stops_in_the_middle(serve, session):
    server = serve("t")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(session, server)
    assert accepted(server) == 1


def test_a_redirect_leads_elsewhere(serve, session):
    server = serve("r", elsewhere="http://127.0.0.1:2/1.0")
    assert post(session, server).headers["Location"] == "http://127.0.0.1:2/1.0/sms/sms-ab12345-1/jobs"


def test_too_many_requests_may_say_how_long_to_wait(serve, session):
    assert post(session, serve("9")).headers["Retry-After"] == "7"


def test_a_script_counts_posts_to_jobs_only_and_ends_well(serve, session):
    server = serve("5x")
    session.get(f"{server.url}/sms", timeout=10)
    session.post(f"{server.url}/sms/estimate", json={}, timeout=10)
    assert [post(session, server).status_code for _ in range(4)] == [503, 200, 200, 200]
    assert accepted(server) == 3


def test_a_letter_without_meaning_is_refused():
    with pytest.raises(ValueError, match="can't hold q, z"):
        Server(Simulator(), script="azq")


def test_a_held_answer_goes_when_released(serve, session):
    server = serve("h")
    answers = []
    client = threading.Thread(target=lambda: answers.append(post(session, server).status_code))
    client.start()
    assert server.held.wait(10)
    before = (accepted(server), list(answers))
    server.release()
    client.join(10)
    assert (before, answers) == ((1, []), [200])


def test_answers_are_held_again_after_a_release(serve, session):
    server = serve("hh")
    for expected in (1, 2):
        client = threading.Thread(target=lambda: post(session, server))
        client.start()
        assert server.held.wait(10)
        server.release()
        client.join(10)
        assert expected == accepted(server)


def test_a_client_that_leaves_frees_the_held_answer(serve):
    server = serve("h")
    body = json.dumps(JOB).encode()
    head = (
        "POST /1.0/sms/sms-ab12345-1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=10) as client:
        client.sendall(head.encode() + body)
        assert server.held.wait(10)
    server.__exit__(None, None, None)  # waits for every thread
    assert accepted(server) == 1


def test_others_are_served_while_an_answer_is_held(serve, session):
    server = serve("h")
    client = threading.Thread(
        target=lambda: requests.post(f"{server.url}/sms/sms-ab12345-1/jobs", json=JOB, headers=AUTHORIZED, timeout=10)
    )
    client.start()
    assert server.held.wait(10)
    listed = session.get(f"{server.url}/sms/sms-ab12345-1/outgoing", timeout=10).json()
    server.release()
    client.join(10)
    assert len(listed) == 1


def test_leaving_ends_every_thread(session):
    before = threading.active_count()
    with Server(Simulator(SETTINGS), script="h") as server:
        session.get(f"{server.url}/sms", timeout=10)
        assert threading.active_count() > before
    assert before == threading.active_count()


@pytest.fixture
def launch():
    """The server as a process of its own."""
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "smsdeclare.simulator.server", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in processes:
        process.kill()
        process.communicate(timeout=10)


def test_the_process_prints_its_url_and_writes_what_happens(launch, session, tmp_path):
    journal = tmp_path / "sms.jsonl"
    arguments = [
        "--journal",
        str(journal),
        "--script",
        "l",
        "--set",
        'bearer_tokens=["token"]',
        "--clock-ahead",
        "3000",
    ]
    process, url = launch(*arguments)
    with pytest.raises(requests.ConnectionError):
        session.post(f"{url}/sms/sms-ab12345-1/jobs", json=JOB, timeout=10)
    assert [json.loads(line)["receiver"] for line in journal.read_text().splitlines()] == ["+33639980001"]
    process.kill()
    assert process.communicate(timeout=10)[1] == ""
    _, url = launch(*arguments)
    assert len(session.get(f"{url}/sms/sms-ab12345-1/outgoing", timeout=10).json()) == 1


def test_the_process_takes_keys(launch, session):
    _, url = launch("--application-key", "a", "--application-secret", "s", "--consumer-key", "c")
    response = session.get(
        f"{url}/sms",
        headers={
            "Authorization": None,
            "X-Ovh-Application": "a",
            "X-Ovh-Consumer": "c",
            "X-Ovh-Timestamp": "1",
            "X-Ovh-Signature": "$1$",
        },
        timeout=10,
    )
    assert response.json()["errorCode"] == "QUERY_TIME_OUT"


def test_a_setting_that_is_none_is_named():
    with pytest.raises(SystemExit, match="there is no setting colour"):
        main(["--set", "colour=1"])
