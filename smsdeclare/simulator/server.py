"""The simulator behind a real HTTP/1.1 server on 127.0.0.1, with faults by script.

`python -m smsdeclare.simulator.server --port 8800 --journal sms.jsonl` serves until it is ended.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from smsdeclare.clock import SystemClock
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import Faults, answer_to, check_script
from smsdeclare.simulator.outbox import Outbox
from smsdeclare.simulator.settings import Credential, Sender, Service, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from smsdeclare.simulator.messages import Handler, Response

    class World(Handler, Protocol):
        """A `Simulator`, an `Outbox` or an `Inbox`."""

        @property
        def settings(self) -> Settings:
            """What this world is like."""
            ...


def wall_clock() -> float:
    """Epoch seconds on this machine's clock."""
    return SystemClock().now().timestamp()


class Server:
    """Serves inside `with`, in threads of its own; leaving closes every connection and ends every thread."""

    def __init__(
        self,
        simulator: World,
        *,
        port: int = 0,
        clock: Callable[[], float] = wall_clock,
        script: str | Faults = "",
        elsewhere: str = "http://127.0.0.1:1/1.0",
    ) -> None:
        self._simulator = simulator
        self._clock = clock
        self._faults = Faults(script) if isinstance(script, str) else script
        #: Where letter `r` points. Nothing listens on port 1.
        self._elsewhere = elsewhere
        #: (method, path with query, body) of each request as it came in, dropped ones too.
        self.requests: list[tuple[str, str, bytes]] = []
        #: Set once a request was handled whose answer is held.
        self.held = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._http = _Listener(("127.0.0.1", port), self)
        #: Held answers wait until the first end reads as closed.
        self._gate = socket.socketpair()
        self._gates = [self._gate]
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/1.0"
        self._main = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._main.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._main.join()
        self._http.server_close()
        with self._lock:
            threads = list(self._connections.values())
            for connection in self._connections:
                with suppress(OSError):  # the client left first
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for ends in self._gates:
            for end in ends:
                end.close()

    def wait(self) -> None:
        """Until the server ends."""
        self._main.join()

    def release(self) -> None:
        """Let every held answer go; later ones are held again."""
        with self._lock:
            self.held.clear()
            self._gate[1].close()
            self._gate = socket.socketpair()
            self._gates.append(self._gate)

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[str, Response | None]:
        """The letter for a request, and what goes back."""
        method, path = request.command, request.path
        with self._lock:
            self.requests.append((method, path, body))
            is_job = method == "POST" and path.partition("?")[0].endswith("/jobs")
            letter = self._faults.next() if is_job else "a"
            gate = self._gate[0]
            response = answer_to(
                letter,
                lambda: self._simulator.handle(method, path, dict(request.headers.items()), body, self._clock()),
                elsewhere=self._elsewhere + path.removeprefix("/1.0"),
                retry_after=self._simulator.settings.retry_after,
            )
            if letter == "h":
                self.held.set()
        if letter == "h":
            select.select([gate, request.connection], [], [])
        return letter, response

    def opened(self, connection: socket.socket, thread: threading.Thread) -> None:
        """Remember a connection and the thread that serves it."""
        with self._lock:
            self._connections[connection] = thread

    def closing(self, connection: socket.socket) -> None:
        """Forget it."""
        with self._lock:
            self._connections.pop(connection, None)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: Server) -> None:
        self.owner = owner
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for the connection; it is known before it starts, so that none outlives the server."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.owner.opened(request, thread)
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self.owner.closing(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is what half of the tests are about; anything else is worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one write; two would wait for each other (Nagle, delayed acknowledgements).
    wbufsize = -1
    disable_nagle_algorithm = True

    server: _Listener

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        letter, response = self.server.owner.answer(self, body)
        if response is None:
            self.close_connection = True
            return
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if letter == "t":
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - the names that http.server looks for


def main(arguments: Sequence[str]) -> None:
    """Serve until ended; the first line of output is the URL."""
    options = _parser().parse_args(arguments)
    chosen: dict[str, Any] = {"clock_ahead": options.clock_ahead}
    known = {field.name for field in fields(Settings)}
    for name, _, value in (pair.partition("=") for pair in options.set):
        if name not in known:
            raise SystemExit(f"there is no setting {name}")
        chosen[name] = json.loads(value)
    credential = Credential(
        application_key=options.application_key,
        application_secret=options.application_secret,
        consumer_key=options.consumer_key,
    )
    account = Service(blacklist=tuple(options.blacklist))
    if options.sender:
        account = replace(account, senders=tuple(map(_sender, options.sender)))
    settings = replace(Settings(credentials=(credential,), services=(account,)), **chosen)
    world: World = Outbox(options.journal, settings) if options.journal else Simulator(settings)
    with Server(world, port=options.port, script=options.script) as server, suppress(KeyboardInterrupt):
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        server.wait()


def _sender(written: str) -> Sender:
    """`ACME`, or `ACME=refused` for one that is not validated."""
    name, _, status = written.partition("=")
    known = {"enable", "disable", "refused", "waitingValidation"}
    if status and status not in known:
        raise SystemExit(f"a sender's status is one of {', '.join(sorted(known))}")
    return Sender(name=name, status=status or "enable")  # type: ignore[arg-type]  # checked above


def _parser() -> argparse.ArgumentParser:
    sandbox = Credential()
    parser = argparse.ArgumentParser(prog="python -m smsdeclare.simulator.server", description=__doc__)
    parser.epilog = (
        f"The SMS account is {Settings().services[0].name}; its sender is {Settings().services[0].senders[0].name}."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--journal", type=Path, help="file for everything accepted, one SMS a line")
    parser.add_argument("--script", type=check_script, default="", help="faults, one letter for each POST to /jobs")
    for name in ("application_key", "application_secret", "consumer_key"):
        key = getattr(sandbox, name)
        parser.add_argument(f"--{name.replace('_', '-')}", default=key, metavar="KEY", help=f"default: {key}")
    parser.add_argument("--sender", action="append", metavar="NAME[=STATUS]", help="a sender of the account")
    parser.add_argument("--blacklist", action="append", default=[], metavar="NUMBER", help="who answered STOP, +33…")
    parser.add_argument("--clock-ahead", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="a field of smsdeclare.simulator.settings.Settings",
    )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
