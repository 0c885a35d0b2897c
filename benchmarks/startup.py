"""How long a command takes that has little to do, beside a Python that only imports click.

python benchmarks/startup.py [--rounds N] [--json FILE]
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from measure import PYTHON, SMSDECLARE, document, in_turn, run, save, summary

FLOOR = "import click"
MESSAGES = 10


def project(folder):
    """Ten messages, and a state that has them all as sent."""
    lines = ["version: 1", "project: startup", "provider: {name: sandbox}", "messages:"]
    for place in range(MESSAGES):
        text = f"Votre colis {place} arrive demain."
        lines.append(f'  notice-{place}: {{text: "{text}", to: "+3363998{place:04d}", options: {{sender: ACME}}}}')
    (folder / "smsdeclare.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(SMSDECLARE, "apply", "--auto-approve", folder=folder)


def measured(rounds):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project(folder)
        programs = {
            FLOOR: partial(run, PYTHON, "-c", "import click"),
            "version": partial(run, SMSDECLARE, "version"),
            "--help": partial(run, SMSDECLARE, "--help"),
            "preview": partial(run, SMSDECLARE, "preview", folder=folder),
            "validate": partial(run, SMSDECLARE, "validate", folder=folder),
            "plan --offline": partial(run, SMSDECLARE, "plan", "--offline", folder=folder),
        }
        in_turn(programs, 1)  # the first run of each compiles its modules and fills the system's cache
        return in_turn(programs, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40, metavar="N", help="runs of each command [default: 40]")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    given = parser.parse_args()

    runs = measured(given.rounds)
    results = [{"program": name, **summary(found, {FLOOR: runs[FLOOR]})} for name, found in runs.items()]
    print(f"{'milliseconds':20}{'median':>8}{'least':>8}{'most':>8}{'CPU':>8}{'ratio':>8}")
    for found in results:
        wall = found["wallSeconds"]
        seconds = (wall["median"], wall["least"], wall["most"], found["cpuSeconds"])
        cells = "".join(f"{1000 * one:8.0f}" for one in seconds)
        print(f"{found['program']:20}{cells}{found['ratios'][FLOOR]:8.2f}")
    save(given.json, document(results, rounds=given.rounds, messages=MESSAGES))


if __name__ == "__main__":
    main()
