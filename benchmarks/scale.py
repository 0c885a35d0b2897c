"""What plans and applies of many receivers take, beside programs that do the least (floors.py).

python benchmarks/scale.py [--receivers N...] [--rounds N] [--apply-rounds N] [--seed N] [--json FILE]

The provider is the sandbox: the real HTTP client over the simulator in the same process, no socket. Its share is in
the figures of `apply`, the network's is not.
"""

import argparse
import random
import tempfile
from functools import partial
from pathlib import Path

from measure import PYTHON, SMSDECLARE, document, in_turn, run, save, summary

PROGRAM = str(Path(__file__).with_name("floors.py"))
FLOORS = ("plain", "pipeline", "commits")
HEAD = (
    f"{'':16}{'wall s':>9}{'least':>9}{'most':>9}{'CPU s':>9}{'MB':>9}{'µs each':>9}"
    f"{'÷plain':>10}{'÷pipeline':>10}{'÷commits':>10}"
)
RECEIVERS_PER_POST = 500
#: 06 39 98 is kept for fiction, ten thousand numbers. 07 00 begins numbers of fourteen digits (ARCEP 2012-0855), so
#: that those of ten are a million that no phone can have.
MOST = 1_010_000
#: A prime beyond MOST, so that steps of it reach every number once: a list to shuffle would make this process larger
#: than those it measures.
STEP = 15_485_863
TEXTS = {
    "one text": "Votre colis arrive demain, entre 8 h et 18 h.",
    "personalized": "Bonjour {{ firstName }}, votre colis {{ parcel }} arrive demain vers {{ hour }} h.",
}
#: One that is not in the GSM alphabet, so that some texts are Unicode.
NAMES = ("Adèle", "Ana", "Bo", "Cleo", "Eva", "Ida", "Jules", "Léa", "Max", "Noé", "Paul", "Rémy", "Tom", "Zoë")
PROJECT = """version: 1
project: scale
provider: {{name: sandbox}}
receivers:
  customers: {{csv: customers.csv}}
messages:
  parcel-tomorrow:
    text: "{text}"
    to: customers
    options: {{sender: ACME, noStopClause: true}}
"""


def number(place):
    return f"+3363998{place:04d}" if place < 10_000 else f"+33700{place - 10_000:06d}"


def project(folder, text, receivers, seed):
    """A project of one message; its receivers in no order."""
    chance = random.Random(seed)
    (folder / "smsdeclare.yaml").write_text(PROJECT.format(text=text), encoding="utf-8")
    with (folder / "customers.csv").open("w", encoding="utf-8") as stream:
        stream.write("number,firstName,parcel,hour\n")
        for place in range(receivers):
            own = f"{chance.choice(NAMES)},P{chance.randrange(100_000, 1_000_000)},{chance.randrange(8, 19)}"
            stream.write(f"{number(place * STEP % receivers)},{own}\n")


def applied(folder):
    """An apply to a state that has nothing yet."""
    for left in (*folder.glob("*.state"), *folder.glob("*.outbox.jsonl")):
        left.unlink()
    return run(SMSDECLARE, "apply", "--auto-approve", "--quiet", folder=folder)


def committed(folder, posts, receivers_per_post):
    place = folder / "commits.sqlite"
    place.unlink(missing_ok=True)
    return run(PYTHON, PROGRAM, "commits", str(place), str(posts), str(receivers_per_post))


def measured(kind, receivers, given):
    """Program → its runs."""
    source = TEXTS[kind]
    posts, each = (receivers, 1) if "{{" in source else (-(-receivers // RECEIVERS_PER_POST), RECEIVERS_PER_POST)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project(folder, source, receivers, given.seed)
        floor = partial(run, PYTHON, PROGRAM)
        plan = partial(run, SMSDECLARE, "plan", "--offline", folder=folder)
        runs = in_turn(
            {
                "floor plain": partial(floor, "plain", str(folder / "customers.csv"), source),
                "floor pipeline": partial(floor, "pipeline", str(folder / "customers.csv"), source),
                "plan": plan,
            },
            given.rounds,
        )
        runs |= in_turn(
            {"floor commits": partial(committed, folder, posts, each), "apply": partial(applied, folder)},
            given.apply_rounds,
        )
        return runs | in_turn({"plan, all sent": plan}, given.rounds)


def show(receivers, found):
    wall = found["wallSeconds"]
    seconds = (wall["median"], wall["least"], wall["most"], found["cpuSeconds"])
    whole = (found["peakBytes"] / 1e6, wall["median"] / receivers * 1e6)
    cells = [f"{one:9.2f}" for one in seconds] + [f"{one:9.0f}" for one in whole]
    cells += [f"{one:10.1f}" for one in found["ratios"].values()]
    print(f"{found['program']:16}{''.join(cells)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--receivers", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="runs of each plan [default: 5]")
    parser.add_argument("--apply-rounds", type=int, default=1, metavar="N", help="runs of each apply [default: 1]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the receivers' values [default: 1]")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    given = parser.parse_args()
    if not all(0 < receivers <= MOST for receivers in given.receivers):
        parser.error(f"there are numbers for 1 to {MOST:,} receivers")

    results = []
    for receivers in given.receivers:
        for kind in TEXTS:
            print(f"\n{receivers:,} receivers, {kind}")
            runs = measured(kind, receivers, given)
            print(HEAD)
            for name, measurements in runs.items():
                floors = {below: runs[f"floor {below}"] for below in FLOORS if below != "commits" or name == "apply"}
                found = {"receivers": receivers, "text": kind, "program": name, **summary(measurements, floors)}
                show(receivers, found)
                results.append(found)
    settings = {"seed": given.seed, "provider": "sandbox", "receiversPerPost": RECEIVERS_PER_POST}
    save(given.json, document(results, **settings))


if __name__ == "__main__":
    main()
