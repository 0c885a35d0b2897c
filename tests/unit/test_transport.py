"""The line to the API: what goes out once more, and what never does."""

import io
import itertools
import socket
import socketserver
import threading
from types import SimpleNamespace

import pytest
from requests import Request, RequestException, Response
from requests.adapters import BaseAdapter

from smsdeclare.providers.transport import ANSWER_SECONDS, Line, _Connection, wire


class Grumpy(socketserver.StreamRequestHandler):
    """Answers the first `patience` requests of a connection; the next one it reads, and hangs up."""

    def handle(self):
        for _ in range(self.server.patience):
            if not self.read():
                return
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        self.read()

    def read(self):
        first = self.rfile.readline()
        while first and self.rfile.readline().strip():
            pass
        if first:
            self.server.seen.append(first.split()[0].decode())
        return first


@pytest.fixture
def grumpy():
    """Start a server; its URL, and the methods of the requests that it has seen."""
    opened = []

    def start(patience, handler=Grumpy):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads, server.patience, server.seen = True, patience, []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        opened.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}/", server.seen

    yield start
    for server, thread in opened:
        server.shutdown()
        thread.join()
        server.server_close()


def send(line, method, url):
    return line.send(Request(method, url).prepare())


def test_a_get_that_meets_a_closed_connection_goes_out_once_more(grumpy):
    url, seen = grumpy(patience=1)
    line = Line()
    assert [b"1", b"1", b"1"] == [send(line, "GET", url)[1] for _ in range(3)]
    line.hang_up()
    # The second and the third were each read twice: unanswered on the old connection, then on a fresh one.
    assert ["GET"] * 5 == seen


def test_a_get_over_a_fresh_connection_does_not(grumpy):
    url, seen = grumpy(patience=0)
    with pytest.raises(RequestException):
        send(Line(), "GET", url)
    assert ["GET"] == seen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_stays_on_this_machine_goes_through_no_proxy(grumpy, monkeypatch, host):
    """It is in clear, keys included: none but this machine may see it."""
    proxy, asked = grumpy(patience=9)
    url, seen = grumpy(patience=9)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    send(Line(), "POST", url.replace("127.0.0.1", host) + "?a=query")
    assert ([], ["POST"]) == (asked, seen)


class Noting(BaseAdapter):
    """Answers by itself, and notes what it was told about certificates."""

    def send(self, request, **settings):
        self.verify = settings["verify"]
        answer = Response()
        answer.status_code, answer.request, answer.raw = 200, request, io.BytesIO(b"1")
        return answer

    def close(self):
        pass


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"SSL_CERT_FILE": "own.pem"}, "own.pem"),
        ({"SSL_CERT_FILE": "own.pem", "REQUESTS_CA_BUNDLE": "requests.pem"}, "requests.pem"),
        ({"SSL_CERT_FILE": "missing.pem"}, True),
    ],
)
def test_the_certificates_that_the_environment_names_are_trusted(monkeypatch, tmp_path, given, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.pem").touch()
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    adapter = Noting()
    send(Line(adapter), "GET", "https://api.invalid/")
    assert expected == adapter.verify


def test_what_goes_elsewhere_goes_through_the_proxy_of_the_environment(grumpy, monkeypatch):
    proxy, asked = grumpy(patience=9)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy)
    send(Line(), "GET", "http://api.invalid/")
    assert ["GET"] == asked


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_nothing_else_ever_goes_out_twice(grumpy, method):
    url, seen = grumpy(patience=1)
    line = Line()
    send(line, "GET", url)
    with pytest.raises(RequestException):
        send(line, method, url)
    assert (["GET", method], True) == (seen, wire.has_begun)


class Dripping(Grumpy):
    """Begins an answer, and says no more."""

    def handle(self):
        self.read()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
        self.read()


def test_an_answer_that_does_not_come_to_its_end_is_given_up(grumpy):
    """Each look at the clock finds it so much later, as if every byte took as long to come."""
    url, _ = grumpy(1, Dripping)
    clock = SimpleNamespace(monotonic=itertools.count(step=1_000).__next__)
    with pytest.raises(RequestException):
        send(Line(clock=clock), "POST", url)
    assert wire.has_begun


class Waiting(socket.socket):
    """A socket that remembers how long it was told to wait."""

    def settimeout(self, seconds):
        self.told = [*getattr(self, "told", ()), seconds]
        super().settimeout(seconds)


@pytest.fixture
def reading(monkeypatch):
    """What reads an answer of which so much is there, at a time; the socket, too."""
    pair = socket.socketpair()
    here, there = Waiting(fileno=pair[0].detach()), pair[1]
    here.settimeout(EACH)

    def read(sent, seconds):
        there.sendall(sent)
        times = itertools.chain([0.0], itertools.repeat(seconds))
        monkeypatch.setattr(wire, "monotonic", times.__next__, raising=False)
        answer = _Connection.response_class(here)
        answer.begin()
        return answer.read()

    read.socket = here
    yield read
    here.close()
    there.close()


#: How long each read may wait. Seconds.
EACH = 0.05
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"


@pytest.mark.parametrize("seconds", [0, ANSWER_SECONDS - 0.01, ANSWER_SECONDS, 1_000_000])
def test_what_is_there_is_read_however_late_it_is(reading, seconds):
    """A machine that slept for a day has its answer nevertheless; the next request waits as this one began."""
    assert b"123" == reading(HEAD + b"123", seconds)
    assert EACH == reading.socket.gettimeout()


@pytest.mark.parametrize("sent", [HEAD + b"12", HEAD[:20]], ids=["the body", "the head"])
@pytest.mark.parametrize(("seconds", "most"), [(0, EACH), (ANSWER_SECONDS - 0.02, 0.02), (1_000_000, 0.001)])
def test_nothing_is_waited_for_beyond_the_end(reading, sent, seconds, most):
    reading.socket.told.clear()
    with pytest.raises(TimeoutError):
        reading(sent, seconds)
    assert [pytest.approx(most), EACH] == reading.socket.told[-2:]
