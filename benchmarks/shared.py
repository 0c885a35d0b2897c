"""How much sooner several applies on one state in PostgreSQL finish a plan than one.

python benchmarks/shared.py [--receivers N] [--latency MS] [--runners N...] [--parallelism N] [--json FILE]

Every receiver has a text of their own, and so a POST. The provider is the simulator behind a real HTTP server that
answers after the latency; the state is in a real PostgreSQL server, started for this. Both, and all runners, share this
machine. The simulator counts who got what: a run in which somebody got none or two ends with an error.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from measure import PYTHON, SMSDECLARE, save
from scale import number

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Credential, Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import postgresql_server

PROJECT = """version: 1
project: shared
provider: {{name: ovh, endpoint: "{url}", service: {service}}}
state: {{backend: postgresql, schema: {schema}}}
receivers:
  customers: {{csv: customers.csv}}
messages:
  parcel-tomorrow:
    text: "Votre colis {{{{ parcel }}}} arrive demain."
    to: customers
"""


class Slow(Server):
    """Answers every request only after a while."""

    seconds = 0.0

    def answer(self, request, body):
        """What the server answers, later."""
        answered = super().answer(request, body)
        time.sleep(self.seconds)
        return answered


def serve(milliseconds):
    """Serve until standard input ends; then tell how many SMS there were, and to how many people."""
    (account, *_) = Settings().services
    world = Simulator(Settings(services=(replace(account, credits=1_000_000.0),)))
    Slow.seconds = milliseconds / 1000
    with Slow(world) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    received = Counter(record["receiver"] for record in world.journal)
    print(json.dumps({"sms": sum(received.values()), "receivers": len(received)}), flush=True)


def measure(options, runners, database, schema):
    """Seconds from the first start to the last end, and of the runners' CPU; how much each of them sent."""
    arguments = [PYTHON, __file__, "--serve", str(options.latency)]
    serving = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url, service = serving.stdout.readline().strip(), Settings().services[0].name
        (folder / "smsdeclare.yaml").write_text(PROJECT.format(url=url, service=service, schema=schema))
        rows = (f"{number(place)},P{place:07d}\n" for place in range(options.receivers))
        (folder / "customers.csv").write_text("number,parcel\n" + "".join(rows))
        keys = Credential()
        environment = {
            "PATH": os.environ["PATH"],
            "SMSDECLARE_POSTGRESQL_URL": database,
            "OVH_APPLICATION_KEY": keys.application_key,
            "OVH_APPLICATION_SECRET": keys.application_secret,
            "OVH_CONSUMER_KEY": keys.consumer_key,
        }
        apply = [SMSDECLARE, "apply", "--auto-approve", "--json", "-q", "-C", name]
        apply += ["--parallelism", str(options.parallelism)] if options.parallelism else []
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True, "env": environment}
        running = [subprocess.Popen(apply, **pipes) for _ in range(runners)]
        said = [one.communicate()[0] for one in running]
        seconds = time.perf_counter() - begun
        codes = [one.returncode for one in running]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told, _ = serving.communicate("")
    journal = json.loads(told)
    if journal != {"sms": options.receivers, "receivers": options.receivers} or set(codes) != {0}:
        sys.exit(f"{runners} runners ended with {codes}: {journal} of {options.receivers}; {said}")
    return seconds, cpu, [json.loads(one)["summary"]["sent"] for one in said]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receivers", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=20.0, metavar="MS")
    parser.add_argument("--runners", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--parallelism", type=int, default=0, help="of each runner; 0: the default of apply")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--serve", type=float, metavar="MS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    results = []
    with postgresql_server.running() as cluster:
        for runners in options.runners:
            seconds, cpu, shares = measure(options, runners, cluster.url(), f"shared_{runners}")
            each = seconds / options.receivers * 1000
            results.append({"runners": runners, "seconds": round(seconds, 2), "cpu": round(cpu, 2), "sent": shares})
            told = f"{runners:>3} runners {seconds:>8.1f} s {each:>7.2f} ms each {cpu:>7.1f} s of their CPU"
            print(
                f"{told}   {results[0]['seconds'] / seconds:.2f} times as fast as the first   sent {shares}", flush=True
            )
    if options.json:
        chosen = {name: getattr(options, name) for name in ("receivers", "latency", "parallelism")}
        save(options.json, {"options": chosen, "results": results})


if __name__ == "__main__":
    main()
