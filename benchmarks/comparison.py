"""The same faults for smsdeclare and for scripts that people write: who gets two SMS, and who none.

    python benchmarks/comparison.py [--receivers N] [--places N] [--faults LETTERS] [--processes N] [--json FILE]

Each history is one campaign to N receivers, a POST each, in which something goes wrong once. A program that fails, or
is killed, is started again until it says that all went well, four times at most. The simulator's journal is the
witness. What the scripts do stands in `senders.py`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from itertools import product
from multiprocessing.pool import ThreadPool
from pathlib import Path

from measure import document, save
from senders import SERVICE, TIMEOUT, text

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.faults import MEANINGS
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Credential, Settings

SENDERS = Path(__file__).parent / "senders.py"
#: Programs by name.
SCRIPTS = ("loop", "list", "retries")
OURS = "smsdeclare"
#: The letter of the simulator → what happens, once, to the POST at the place. `k` is none of the simulator's.
FAULTS = {
    "a": "nothing goes wrong",
    **{letter: MEANINGS[letter] for letter in "l0256td4xr9"},
    "h": "handled, then no answer within the time that the client waits",
    "k": "handled, and the program is killed (SIGKILL) before the answer",
}
#: So often a program that failed is started again.
AGAIN = 4
#: `settle.after` is a second; the signature's clock counts whole ones.
WAIT_SECONDS = 2.1
#: The command, with the others' patience in place of its own 60 seconds.
_COMMAND = (
    "from smsdeclare.providers import transport; from smsdeclare.cli.main import main; "
    f"transport.READ_SECONDS = {TIMEOUT}; main()"
)


def numbers(count):
    return [f"+3363998{place:04d}" for place in range(count)]


def project(folder, url, receivers):
    """A project that sends the same as the scripts, and settles as early as a simulator allows."""
    rows = "".join(f"      - {{number: '{number}', who: '{text(number)[6:]}'}}\n" for number in receivers)
    (folder / "smsdeclare.yaml").write_text(
        "version: 1\nproject: comparison\n"
        f"provider: {{name: ovh, endpoint: '{url}', service: {SERVICE}}}\n"
        "settle: {after: 1s}\n"
        f"receivers:\n  people:\n    numbers:\n{rows}"
        "messages:\n  hello:\n    text: 'Hello {{ who }}'\n    to: people\n"
        "    options: {sender: SMSDECLARE, noStopClause: true}\n",
        encoding="utf-8",
    )


def start(program, folder, url):
    """One run of a program."""
    arguments = (
        [sys.executable, "-c", _COMMAND, "apply", "--auto-approve", "-C", folder]
        if program == OURS
        else [sys.executable, SENDERS, program, url, folder / "numbers", folder / "done"]
    )
    known = Credential()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OVH_", "SMSDECLARE_", "CI"))}
    keys = {f"OVH_{name.upper()}": getattr(known, name) for name in ("application_key", "application_secret")}
    environment = {**own, **keys, "OVH_CONSUMER_KEY": known.consumer_key}
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def history(program, letter, place, count):
    """One campaign: receivers with more than one SMS (each beyond the first counts), without one, and runs it took.

    Whoever has none is lost if the last run said that all went well, and open if it did not.
    """
    script = "a" * place + ("h" if letter == "k" else letter)
    receivers = numbers(count)
    simulator = Simulator(Settings())
    with tempfile.TemporaryDirectory() as name, Server(simulator, script=script) as server:
        folder = Path(name)
        (folder / "numbers").write_text("\n".join(receivers))
        project(folder, server.url, receivers)
        code = None
        for run in range(1, AGAIN + 2):
            process = start(program, folder, server.url)
            if letter == "k" and run == 1:
                _kill(process, server)
            code = process.wait()
            if code == 0:
                break
            # Whoever starts it again has read what it said; what a program can use that time for is its own affair.
            threading.Event().wait(WAIT_SECONDS)
        received = Counter(line["receiver"] for line in simulator.journal)
    missing = sum(not received[number] for number in receivers)
    return {
        "histories": 1,
        "duplicates": sum(sms - 1 for sms in received.values()),
        "losses": 0 if code else missing,
        "open": missing if code else 0,
        "failed": int(code != 0),
        "runs": run,
    }


def _kill(process, server):
    """As soon as its request is handled and the answer is held."""
    while not server.held.wait(0.05):
        if process.poll() is not None:
            sys.exit("the program ended before it could be killed")
    process.kill()


def places(count, wanted):
    """Which POSTs a fault hits: the first, the last, and some between."""
    return sorted({place * (count - 1) // max(wanted - 1, 1) for place in range(wanted)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receivers", type=int, default=10)
    parser.add_argument("--places", type=int, default=10, help="at so many of the POSTs, in turn")
    parser.add_argument("--faults", default="".join(FAULTS), help=f"of {''.join(FAULTS)}")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    begun = time.perf_counter()
    works = [
        (program, letter, place)
        for letter, place, program in product(
            options.faults, places(options.receivers, options.places), (*SCRIPTS, OURS)
        )
    ]
    found = {}
    with ThreadPool(options.processes) as pool:
        tallies = pool.imap(lambda work: history(*work, options.receivers), works)
        for (program, letter, _), tally in zip(works, tallies, strict=True):
            found.setdefault(letter, {}).setdefault(program, Counter()).update(tally)
    report(found, options, time.perf_counter() - begun)
    results = [
        {"fault": letter, "program": program, **tally}
        for letter, programs in found.items()
        for program, tally in programs.items()
    ]
    save(options.json, document(results, receivers=options.receivers, places=options.places))
    ours = sum((programs[OURS] for programs in found.values()), Counter())
    sys.exit(bool(ours["duplicates"] or ours["losses"] or ours["open"]))


def report(found, options, seconds):
    """A table: duplicates, losses, and what stayed open."""
    programs = (*SCRIPTS, OURS)
    print(f"{options.receivers} receivers, a POST each; {seconds:.0f} s; duplicates / losses / open\n")
    print(f"| What happens to one POST | Histories | {' | '.join(programs)} |")
    print(f"|---|---|{'---|' * len(programs)}")
    whole = {program: Counter() for program in programs}
    for letter, tallies in found.items():
        cells = [_cell(tallies[program]) for program in programs]
        print(f"| {FAULTS[letter]} | {tallies[OURS]['histories']} | {' | '.join(cells)} |")
        for program in programs:
            whole[program].update(tallies[program])
    cells = [_cell(whole[program]) for program in programs]
    print(f"| all | {whole[OURS]['histories']} | {' | '.join(cells)} |")
    print("\nruns for each history:", *(f"{name} {one['runs'] / one['histories']:.1f}" for name, one in whole.items()))


def _cell(tally):
    return f"{tally['duplicates']} / {tally['losses']} / {tally['open']}"


if __name__ == "__main__":
    main()
