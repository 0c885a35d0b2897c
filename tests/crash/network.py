"""What lies between the tool and the provider: a boundary at each side of a request, and everything that gets lost.

Nothing here opens a socket; the requests client above it is the real one.
"""

from dataclasses import replace
from json import dumps, loads
from urllib.parse import urlsplit

import requests

from smsdeclare.providers.transport import wire
from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import MEANINGS, answer_to
from smsdeclare.simulator.messages import Response
from smsdeclare.simulator.transport import Transport

#: From one end to the other. Seconds.
LATENCY = 0.031
#: So long the client waits for an answer. Seconds.
TIMEOUT = 60.0
#: Letter → from the handling to the answer: a proxy gives up, drops come one by one and each in time. Seconds.
SECONDS = {"6": 30.0, "v": 700.0}
REFUSALS = {"1": (401, "You must login first"), "k": (403, "This credential is not valid")}
GATEWAYS = {"2": (502, "Bad gateway"), "6": (504, "Gateway time-out")}
#: Beside the letters of the simulator's own faults.
LETTERS = {
    "u": "nothing leaves the machine",
    "w": "the client gives up; the request arrives later, and is handled then",
    "p": "handled, then a proxy answers 403 without a query id",
    "1": "answered 401 with JSON and a query id, nothing is handled",
    "k": "answered 403 with JSON and a query id, nothing is handled",
    "m": "handled; the report leaves out one receiver that was taken",
    "s": "handled; the report names a receiver that was not posted to",
}


class Boundaries:
    """What a run passes: before, in and after each write to the ledger and each request."""

    def __init__(self, watch=lambda place, name, request: None):
        #: Called at each with its place, its name, and the request that is on its way, if one is.
        self._watch = watch
        self.passed = []

    def cross(self, name, request=None):
        self.passed.append(name)
        self._watch(len(self.passed) - 1, name, request)


class Network:
    """Carries requests to a simulator, or does not; what is under way survives whoever sent it."""

    def __init__(self, simulator, time, chance, stale=0.0):
        """`chance` decides how late a request is; `stale` is how old the lists are that GETs read. Seconds."""
        self.simulator = simulator
        self._time = time
        self._chance = chance
        self._scripts = {}
        self._stale = stale
        self._replica = Simulator(simulator.settings)
        #: Moment of arrival and request of everything that is late.
        self._late = []
        self.posts = 0

    def script(self, method, letters):
        """What becomes of the next requests of a method."""
        self._scripts[method] = list(letters)

    def arrive(self):
        """Let everything arrive whose time has come."""
        while self._late and self._late[0][0] <= self.now():
            at, *request = self._late.pop(0)
            self.simulator.handle(*request, at)

    def now(self):
        return self._time.now().timestamp()

    @property
    def under_way(self):
        """How many requests are."""
        return len(self._late)

    def handle(self, method, path, headers, body, _):
        """The answer that comes back, or the exception in its place."""
        self._time.sleep(LATENCY)
        self.posts += method == "POST"
        script = self._scripts.get(method)
        letter = script.pop(0) if script and "/auth/time" not in path else "a"
        self.arrive()
        if letter == "u":
            wire.has_begun = False
            raise requests.ConnectTimeout
        if letter == "w":
            self.put_under_way(method, path, headers, body)
            self._time.sleep(TIMEOUT)
            raise requests.ReadTimeout
        response = self._answer(letter, lambda: self._handled(method, path, headers, body))
        self._time.sleep(LATENCY)
        if response is None:
            raise requests.ConnectionError
        if letter == "t":
            raise requests.exceptions.ChunkedEncodingError
        return response

    def put_under_way(self, *request):
        """It arrives within the time in which the provider takes what was signed now, or a little later."""
        at = self.now() + self._chance.uniform(0.0, 1.05) * self.simulator.settings.signature_window
        self._late.append((at, *request))
        self._late.sort(key=lambda one: one[0])

    def _handled(self, method, path, headers, body):
        if method == "GET" and self._stale and "/auth/time" not in path:
            return self._from_replica(method, path, headers, body)
        return self.simulator.handle(method, path, headers, body, self.now())

    def _from_replica(self, *request):
        """As of a while ago: what was accepted or cancelled since is not seen yet."""
        then = self.now() - self._stale
        known = self._replica.history
        for line in self.simulator.history.since(len(known)):
            if line.get("createdAt", line.get("at")) > then + self.simulator.settings.clock_ahead:
                break
            known.append(line)
        return self._replica.handle(*request, then)

    def _answer(self, letter, handle):
        if letter in MEANINGS:
            retry_after = self.simulator.settings.retry_after
            return answer_to(letter, handle, elsewhere="http://127.0.0.1:1/1.0", retry_after=retry_after)
        if letter in REFUSALS:
            status, message = REFUSALS[letter]
            return _json(status, message, {"X-Ovh-QueryID": f"SIM.fault.{status}"})
        answer = handle()
        self._time.sleep(SECONDS.get(letter, 0.0))
        if letter in GATEWAYS:
            status, title = GATEWAYS[letter]
            return Response(status=status, headers={"Content-Type": "text/html"}, body=f"<h1>{title}</h1>".encode())
        if letter == "v":
            return answer
        if letter == "p":
            return _json(403, "Forbidden", {})
        return _altered(answer, letter)


def _json(status, message, headers):
    return Response(
        status=status,
        headers={"Content-Type": "application/json", **headers},
        body=dumps({"class": "Client::Forbidden", "message": message}).encode(),
    )


def _altered(answer, letter):
    report = loads(answer.body)
    if "validReceivers" not in report:
        return answer
    if letter == "m":
        report["validReceivers"] = report["validReceivers"][1:]
    else:
        report["validReceivers"].append("+33639989999")
    return replace(answer, body=dumps(report).encode())


class Adapter(Transport):
    """The way to a network for one run, with its boundaries."""

    def __init__(self, network, boundaries):
        super().__init__(network, clock=network.now, on_first_byte=self._begin)
        self._network = network
        self._boundaries = boundaries

    @staticmethod
    def _begin():
        wire.has_begun = True

    def send(self, request, **settings):
        name = request.method
        self._boundaries.cross(f"before {name}")
        if name != "GET":
            headers = {**request.headers, "Host": urlsplit(request.url).netloc}
            self._boundaries.cross(f"in {name}", (name, request.path_url, headers, request.body or b""))
        try:
            return super().send(request, **settings)
        finally:
            self._boundaries.cross(f"after {name}")
