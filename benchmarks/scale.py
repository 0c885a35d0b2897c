"""What plans, applies and looks take where there are many receivers, beside programs that do the least (floors.py).

python benchmarks/scale.py [--receivers N...] [--texts KIND...] [--rounds N] [--short-rounds N]
                           [--apply-rounds N] [--plans-only] [--programs NAME...] [--octodns FILE] [--seed N]
                           [--json FILE]

The provider is the sandbox: the real HTTP client over the simulator in the same process, no socket. Its share is in
the figures of `apply` and `settle`, the network's is not; `apply, own share` is what is left of `apply` without it.
"""

import argparse
import json
import math
import random
import shutil
import sqlite3
import tempfile
from functools import partial
from pathlib import Path

from measure import PYTHON, SMSDECLARE, Run, document, in_turn, run, save, summary

PROGRAM, APART = (str(Path(__file__).with_name(name)) for name in ("floors.py", "apart.py"))
FLOORS = ("plain", "pipeline", "commits")
HEAD = (
    f"{'':20}{'wall s':>9}{'least':>9}{'most':>9}{'CPU s':>9}{'MB':>9}{'µs each':>9}"
    f"{'÷plain':>10}{'÷pipeline':>10}{'÷commits':>10}{'CPU÷pipe':>10}"
)
RECEIVERS_PER_POST = 500
#: So many POSTs are made such as were never answered, for `settle`.
UNKNOWN_JOBS = 1_000
#: 06 39 98 is kept for fiction, ten thousand numbers. 07 00 begins numbers of fourteen digits (ARCEP 2012-0855), so
#: that those of ten are a million that no phone can have. One in a hundred more joins.
MOST = 1_000_000
#: A prime beyond MOST, so that steps of it reach every number once: a list to shuffle would make this process larger
#: than those it measures.
STEP = 15_485_863
#: Of so many receivers a plan takes little more than to begin, so that a slope takes many runs.
SHORT = 10_000
#: octoDNS keeps all of its records and takes half a minute for these; more would tell nothing else.
MOST_RECORDS = 50_000
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
OCTODNS = """providers:
  files: {class: octodns.provider.yaml.YamlProvider, directory: files}
  target: {class: octodns.provider.yaml.YamlProvider, directory: target}
zones:
  example.com.: {sources: [files], targets: [target]}
"""


def number(place):
    return f"+3363998{place:04d}" if place < 10_000 else f"+33700{place - 10_000:06d}"


def rows(places, chance):
    for place in places:
        own = f"{chance.choice(NAMES)},P{chance.randrange(100_000, 1_000_000)},{chance.randrange(8, 19)}"
        yield f"{number(place)},{own}\n"


def project(folder, text, receivers, seed):
    """A project of one message; its receivers in no order."""
    (folder / "smsdeclare.yaml").write_text(PROJECT.format(text=text), encoding="utf-8")
    with (folder / "customers.csv").open("w", encoding="utf-8") as stream:
        stream.write("number,firstName,parcel,hour\n")
        stream.writelines(rows((place * STEP % receivers for place in range(receivers)), random.Random(seed)))


def joined(folder, receivers, seed):
    """A copy of a project and its state in which there is one receiver more for a hundred."""
    copy, more = folder / "joined", max(1, receivers // 100)
    copy.mkdir()
    for path in (folder / "smsdeclare.yaml", folder / "customers.csv", *folder.glob("*.state")):
        shutil.copy(path, copy)
    with (copy / "customers.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(rows(range(receivers, receivers + more), random.Random(seed + 1)))
    return copy


def forget_answers(folder):
    """Make the first POSTs on record such as were never answered; how many."""
    (path,) = folder.glob("*.state")
    values = {"most": UNKNOWN_JOBS}
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE sends SET state = 'unknown' WHERE ordinal <= :most", values)
        changed = connection.execute(
            "UPDATE jobs SET answered_at = NULL, accepted = NULL, credits = NULL, ids = NULL WHERE ordinal <= :most",
            values,
        )
    connection.close()
    return changed.rowcount


def records(folder, count):
    """A zone of so many records for octoDNS, and nothing of it at its target."""
    for name in ("files", "target"):
        (folder / name).mkdir()
    (folder / "octodns.yaml").write_text(OCTODNS, encoding="utf-8")
    with (folder / "files" / "example.com.yaml").open("w", encoding="utf-8") as stream:
        for place in range(count):
            stream.write(f"a{place:07d}: {{type: A, value: 10.{place >> 16}.{place >> 8 & 255}.{place & 255}}}\n")


def applied(folder, own):
    """An apply to a state that has nothing yet; what of it was not the simulator's is added to `own`."""
    for left in (*folder.glob("*.state"), *folder.glob("*.outbox.jsonl")):
        left.unlink()
    apart = folder / "apart.json"
    whole = run(PYTHON, APART, str(apart), "apply", "--auto-approve", "--quiet", folder=folder)
    seconds, cpu = json.loads(apart.read_text(encoding="utf-8"))
    own.append(Run(whole.wall - seconds, whole.cpu - cpu, whole.peak))
    return whole


def committed(folder, posts, receivers_per_post):
    place = folder / "commits.sqlite"
    place.unlink(missing_ok=True)
    return run(PYTHON, PROGRAM, "commits", str(place), str(posts), str(receivers_per_post))


def settled(folder):
    forget_answers(folder)
    return run(SMSDECLARE, "settle", "--quiet", folder=folder)


def asked_for(programs, given):
    """Those of the programs that were named; the floor runs beside all of them, and without `apply` nothing is sent."""
    names = {*(given.programs or programs), "floor pipeline", "apply"}
    return {name: program for name, program in programs.items() if name in names}


def measured(kind, receivers, given):
    """Program → its runs."""
    source = TEXTS[kind]
    rounds = given.short_rounds if given.short_rounds and receivers <= SHORT else given.rounds
    posts, each = (receivers, 1) if "{{" in source else (-(-receivers // RECEIVERS_PER_POST), RECEIVERS_PER_POST)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project(folder, source, receivers, given.seed)
        floor = partial(run, PYTHON, PROGRAM)
        pipeline = partial(floor, "pipeline", str(folder / "customers.csv"), source)
        plan = partial(run, SMSDECLARE, "plan", "--offline", folder=folder)
        octodns = partial(run, given.octodns, "--config-file", "octodns.yaml", folder=folder)
        programs = {
            "floor plain": partial(floor, "plain", str(folder / "customers.csv"), source),
            "floor pipeline": pipeline,
            "validate": partial(run, SMSDECLARE, "validate", folder=folder),
            "plan": plan,
        }
        if given.octodns and receivers <= MOST_RECORDS:
            records(folder, receivers)
            programs["octoDNS"] = octodns
        runs = in_turn(asked_for(programs, given), rounds)
        if given.plans_only:
            return runs
        apply = partial(run, SMSDECLARE, "apply", "--auto-approve", "--quiet", folder=folder)
        own = []
        applies = {"floor commits": partial(committed, folder, posts, each), "apply": partial(applied, folder, own)}
        runs |= in_turn(asked_for(applies, given), given.apply_rounds)
        runs["apply, own share"] = own
        newer = joined(folder, receivers, given.seed)
        # With the floor once more, for what the machine does is not the same all the time.
        programs = {
            "floor pipeline": pipeline,
            "plan, all sent": plan,
            "plan, 1 % new": partial(run, SMSDECLARE, "plan", "--offline", folder=newer),
            "apply, all sent": apply,
            "status": partial(run, SMSDECLARE, "status", folder=folder),
        }
        if given.octodns and receivers <= MOST_RECORDS:
            shutil.copytree(folder / "files", folder / "target", dirs_exist_ok=True)
            programs["octoDNS, all there"] = octodns
        again = in_turn(asked_for(programs, given), rounds)
        runs["floor pipeline"] += again.pop("floor pipeline")
        once = asked_for({"settle": partial(settled, folder)}, given)
        return runs | again | {name: [program()] for name, program in once.items()}


def show(receivers, found):
    wall = found["wallSeconds"]
    seconds = (wall["median"], wall["least"], wall["most"], found["cpuSeconds"])
    whole = (found["peakBytes"] / 1e6, wall["median"] / receivers * 1e6)
    cells = [f"{one:9.2f}" for one in seconds] + [f"{one:9.0f}" for one in whole]
    cells += [f"{found['ratios'][name]:10.1f}" if name in found["ratios"] else " " * 10 for name in FLOORS]
    cells += [f"{found['cpuRatio']:10.2f}"]
    print(f"{found['program']:20}{''.join(cells)}")


def slope(points):
    """Of the line through the points on paper whose two scales are logarithmic: 1 where twice as many take twice."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    middle = sum(xs) / len(xs), sum(ys) / len(ys)
    across = sum((x - middle[0]) * (y - middle[1]) for x, y in zip(xs, ys, strict=True))
    return across / sum((x - middle[0]) ** 2 for x in xs)


def slopes(results, starts):
    """How each program's CPU time grows from the fewest receivers to the most, less what it takes for one receiver."""
    curves = {}
    for found in results:
        key = found["text"], found["program"]
        own = found["cpuSeconds"] - starts.get(key, 0.0)
        if own > 0:
            curves.setdefault(key, []).append((found["receivers"], own))
    return [
        {"text": text, "program": program, "slope": slope(points)}
        for (text, program), points in curves.items()
        if len(points) > 1
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--receivers", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--texts", nargs="+", choices=list(TEXTS), default=list(TEXTS), metavar="KIND")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="runs of each plan [default: 5]")
    parser.add_argument("--short-rounds", type=int, metavar="N", help=f"the same of up to {SHORT:,} receivers")
    parser.add_argument("--apply-rounds", type=int, default=1, metavar="N", help="runs of each apply [default: 1]")
    parser.add_argument("--plans-only", action="store_true", help="nothing that takes a state")
    parser.add_argument("--programs", nargs="+", metavar="NAME", help="measure these alone, and the floor beside them")
    parser.add_argument(
        "--octodns", default=shutil.which("octodns-sync"), metavar="FILE", help="octodns-sync, to compare"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the receivers' values [default: 1]")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    given = parser.parse_args()
    if not all(0 < receivers <= MOST for receivers in given.receivers):
        parser.error(f"there are numbers for 1 to {MOST:,} receivers")
    if not given.octodns:
        print("octodns-sync is not installed, so nothing is compared with octoDNS")

    results, starts = [], {}
    # First a single receiver, which takes the time to begin.
    for receivers in [1, *given.receivers] if len(given.receivers) > 1 else given.receivers:
        for kind in given.texts:
            runs = measured(kind, receivers, given)
            if strange := set(given.programs or ()) - set(runs):
                parser.error(f"nothing is called {' or '.join(sorted(strange))}")
            print(f"\n{receivers:,} receivers, {kind}\n{HEAD}")
            cpu = summary(runs["floor pipeline"], {})["cpuSeconds"]
            for name, measurements in runs.items():
                floors = {
                    below: runs[f"floor {below}"]
                    for below in FLOORS
                    if f"floor {below}" in runs and (below != "commits" or name.startswith("apply"))
                }
                found = {"receivers": receivers, "text": kind, "program": name, **summary(measurements, floors)}
                found["cpuRatio"] = found["cpuSeconds"] / cpu
                show(receivers, found)
                if receivers == 1 and len(given.receivers) > 1:
                    starts[kind, name] = found["cpuSeconds"]
                else:
                    results.append(found)
    grown = slopes(results, starts)
    if grown:
        print("\nlog-log slope of CPU time, less that of one receiver")
        for one in grown:
            print(f"{one['text']:16}{one['program']:20}{one['slope']:6.2f}")
    settings = {"seed": given.seed, "provider": "sandbox", "receiversPerPost": RECEIVERS_PER_POST}
    save(given.json, {**document(results, **settings), "slopes": grown})


if __name__ == "__main__":
    main()
