"""How fast personal texts go out where each answer takes a while: smsdeclare, the official client, and bare requests.

python benchmarks/latency.py [--receivers N] [--milliseconds N...] [--parallelism N...] [--rounds N] [--json FILE]

Each receiver is a POST, to the simulator behind a real HTTP server in a process of its own. `official` is the official
client in a loop, `bare` is requests in as many threads as smsdeclare may have POSTs in flight: neither keeps a record.
`apply` without a number is told nothing about how many may be in flight.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from measure import PYTHON, SMSDECLARE, document, in_turn, run, save, summary

ME = str(Path(__file__))
KEYS = {
    "OVH_APPLICATION_KEY": "sandbox-app-0001",
    "OVH_APPLICATION_SECRET": "sandbox-secret-00000000000000001",
    "OVH_CONSUMER_KEY": "sandbox-consumer-000000000000001",
}
PROJECT = """version: 1
project: {name}
provider: {{name: ovh, endpoint: "{url}", service: sms-ab12345-1}}
receivers:
  customers: {{csv: customers.csv}}
messages:
  parcel-tomorrow:
    text: "Bonjour {{{{ name }}}}, votre colis arrive demain."
    to: customers
    options: {{noStopClause: true}}
"""


def numbers(count):
    return [f"+33700{place:06d}" for place in range(count)]


def serve(milliseconds):
    """The simulator, each answer so much later; its URL is the first line of output."""
    from smsdeclare.simulator.api import Simulator  # noqa: PLC0415 - this process measures, and stays small
    from smsdeclare.simulator.server import Server  # noqa: PLC0415 - as above
    from smsdeclare.simulator.settings import Service, Settings  # noqa: PLC0415 - as above

    class Far(Server):
        def answer(self, request, body):
            time.sleep(milliseconds / 1000)
            return super().answer(request, body)

    with Far(Simulator(Settings(services=(Service(credits=1e9),)))) as server:
        print(server.url, flush=True)
        server.wait()


@contextmanager
def serving(milliseconds):
    process = subprocess.Popen([PYTHON, ME, "--serve", str(milliseconds)], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def body(number):
    return {
        "message": f"Bonjour N{number[-4:]}, votre colis arrive demain.",
        "receivers": [number],
        "noStopClause": True,
    }


def official(url, count):
    import ovh  # noqa: PLC0415 - as above

    ovh.client.ENDPOINTS["here"] = url
    client = ovh.Client(endpoint="here")
    for number in numbers(count):
        client.post("/sms/sms-ab12345-1/jobs", **body(number))


def bare(url, count, threads):
    """Signed by the same rules, or the simulator would refuse it."""
    import hashlib  # noqa: PLC0415 - as above
    import json  # noqa: PLC0415 - as above

    import requests  # noqa: PLC0415 - as above

    waiting = SimpleQueue()
    for number in numbers(count):
        waiting.put(number)

    def send():
        session, target = requests.Session(), f"{url}/sms/sms-ab12345-1/jobs"
        key, secret, consumer = KEYS.values()
        while True:
            try:
                data = json.dumps(body(waiting.get_nowait()))
            except Empty:
                return
            now = int(time.time())
            signed = "+".join((secret, consumer, "POST", target, data, str(now)))
            headers = {
                "Content-Type": "application/json",
                "X-Ovh-Application": key,
                "X-Ovh-Consumer": consumer,
                "X-Ovh-Timestamp": str(now),
                "X-Ovh-Signature": "$1$" + hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest(),
            }
            session.post(target, data=data, headers=headers, timeout=60).raise_for_status()

    crew = [threading.Thread(target=send) for _ in range(threads)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()


def applied(folder, url, parallelism=None):
    for left in folder.glob("*.state"):
        left.unlink()
    # Another project each time: its tags tell the guard that this is not an old state of the one before.
    name = f"latency-{time.time_ns()}"
    (folder / "smsdeclare.yaml").write_text(PROJECT.format(url=url, name=name), encoding="utf-8")
    pairs = [f"{name}={value}" for name, value in KEYS.items()]
    flags = () if parallelism is None else ("--parallelism", str(parallelism))
    return run("env", *pairs, SMSDECLARE, "apply", "--auto-approve", "--quiet", *flags, folder=folder)


def alone(*arguments):
    pairs = [f"{name}={value}" for name, value in KEYS.items()]
    return run("env", *pairs, PYTHON, ME, *map(str, arguments))


def measured(milliseconds, given):
    with serving(milliseconds) as url, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows = "".join(f"{number},N{at}\n" for at, number in enumerate(numbers(given.receivers)))
        (folder / "customers.csv").write_text(f"number,name\n{rows}", encoding="utf-8")
        programs = {
            "official": partial(alone, "--official", url, given.receivers),
            "apply": partial(applied, folder, url),
        }
        for most in given.parallelism:
            programs[f"bare {most}"] = partial(alone, "--bare", url, given.receivers, most)
            programs[f"apply {most}"] = partial(applied, folder, url, most)
        return in_turn(programs, given.rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--receivers", type=int, default=5_000, metavar="N", help="POSTs of each [default: 5000]")
    parser.add_argument("--milliseconds", type=int, nargs="+", default=[0, 20, 100], metavar="N", help="of latency")
    parser.add_argument("--parallelism", type=int, nargs="+", default=[1, 16, 32], metavar="N", help="POSTs in flight")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="runs of each [default: 1]")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    given = parser.parse_args()

    results = []
    for milliseconds in given.milliseconds:
        runs = measured(milliseconds, given)
        print(f"\n{given.receivers:,} POSTs, {milliseconds} ms")
        print(f"{'':12}{'wall s':>9}{'CPU s':>9}{'ms CPU each':>13}{'x official':>12}")
        for name, found in runs.items():
            one = {"milliseconds": milliseconds, "program": name, **summary(found, {"official": runs["official"]})}
            wall, cpu = one["wallSeconds"]["median"], one["cpuSeconds"]
            each, faster = 1000 * cpu / given.receivers, 1 / one["ratios"]["official"]
            print(f"{name:12}{wall:9.2f}{cpu:9.2f}{each:13.2f}{faster:12.1f}")
            results.append(one)
    save(given.json, document(results, receivers=given.receivers))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve", milliseconds]:
            serve(int(milliseconds))
        case ["--official", url, count]:
            official(url, int(count))
        case ["--bare", url, count, threads]:
            bare(url, int(count), int(threads))
        case _:
            main()
