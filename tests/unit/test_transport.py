"""The line to the API: what goes out once more, and what never does."""

import socketserver
import threading

import pytest
from requests import Request, RequestException

from smsdeclare.providers.transport import Line, wire


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

    def start(patience):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Grumpy)
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


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_nothing_else_ever_goes_out_twice(grumpy, method):
    url, seen = grumpy(patience=1)
    line = Line()
    send(line, "GET", url)
    with pytest.raises(RequestException):
        send(line, method, url)
    assert (["GET", method], True) == (seen, wire.has_begun)
