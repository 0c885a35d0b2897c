"""Power loss: what a ledger writes is recorded, cut off anywhere, and reordered as a disk may; it must open and hold.

python benchmarks/power_loss.py [--states N] [--seed N]     all states, or a sample
python benchmarks/power_loss.py --plant                     leaves one sync out at a time; some of these must be noticed

A write that was not synced may be on the disk, in parts of 512 bytes, or not; so may a name. Needs strace on Linux.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path

from smsdeclare.errors import SmsdeclareError
from smsdeclare.ledgers.sqlite import SqliteLedger
from smsdeclare.records import Binding, Evidence, Intent, Outcome, Taken
from smsdeclare.states import State

SECTOR = 512
#: Of the states that one moment may leave, so many are drawn beside the plain ones.
DRAWN = 12
NUMBERS = tuple(f"+3363998{place:04d}" for place in range(60))


class Request:
    not_after, body_digest = 0, "d" * 64


def intent(numbers, send_at=None):
    return Intent(
        message="hello",
        revision=1,
        numbers=numbers,
        text_digest="t" * 64,
        template_digest="t" * 64,
        options="{}",
        plan_digest="sha256:plan",
        claimed_at="2026-12-01T08:00:00Z",
        send_at=send_at,
    )


def dump(path):
    """What is on record, as one text."""
    if not path.exists():
        return "nothing"
    with closing(SqliteLedger(path)) as ledger:
        rows = [(one.number, one.state.value, one.attempts, one.reason) for one in ledger.records()]
        return repr((rows, ledger.epoch, len(ledger.posted_in_doubt()), ledger.binding is not None))


def steps(path):
    """Every kind of write, one after another; each is durable when the generator goes on."""
    ledger = SqliteLedger(path)
    ledger.bind(Binding(project="p", provider="ovh", endpoint="ovh-eu", service="s"))
    yield
    for start in range(0, 40, 10):
        numbers = NUMBERS[start : start + 10]
        claim, _ = ledger.claim(intent(numbers), lambda _: Request(), epoch=ledger.epoch)
        yield
        if start < 20:
            state = State.REJECTED if start == 10 else State.ACCEPTED
            ledger.record(claim, Outcome(states=dict.fromkeys(numbers, state), at="2026-12-01T08:00:01Z"))
            yield
    accepted = Outcome(states=dict.fromkeys(numbers, State.ACCEPTED), at="2026-12-01T08:00:01Z")
    wanted = [(intent(NUMBERS[40:50], "2026-12-02T08:00:00Z"), lambda _: Request())]
    ((held, _),) = ledger.claim_all(wanted, epoch=ledger.epoch, outcomes=[(claim, accepted)])
    yield
    ledger.record(held, Outcome(states=dict.fromkeys(held.numbers, State.SCHEDULED), at="2026-12-01T08:00:02Z"))
    yield
    (job,) = ledger.posted_in_doubt()
    taken = {number: Taken(1, 1.0) for number in list(job.states)[:5]}
    absent = frozenset(list(job.states)[5:])
    ledger.settle(job, Evidence(at="2026-12-01T09:00:00Z", taken=taken, absent=absent, reason="absent"))
    yield
    (job,) = ledger.posted_held()
    ledger.take_back(job, "sha256:plan")
    yield
    ledger.end_take_back(job, gone=held.numbers, out={}, reason="taken back")
    yield
    ledger.miss(intent(NUMBERS[50:]), epoch=ledger.epoch)
    yield
    ledger.rename("hello", "moved", "2026-12-01T10:00:00Z")
    yield
    ledger.close()


def child(folder):
    """Do the steps; what is on record after each goes to a file of its own."""
    path = folder / "test.state"
    for number, _ in zip(count(1), steps(path), strict=False):
        (folder / f"mark-{number}").write_text(dump(path), encoding="utf-8")


# — recording —

_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_PATH = re.compile(r"<((?:\\x[0-9a-f]{2})+)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def plain(escaped):
    return bytes.fromhex(escaped.replace("\\x", ""))


def record(folder):
    """What the steps did to the disk, in order: (what, name, more)."""
    log = folder / "log"
    command = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-o", str(log), "-e",
               "trace=openat,pwrite64,write,fsync,fdatasync,unlink,ftruncate,link"]  # fmt: skip
    work = folder / "work"
    work.mkdir()
    subprocess.run([*command, sys.executable, __file__, "--child", str(work)], check=True)
    found = []
    for line in log.read_text().splitlines():
        call = _LINE.match(line)
        if call is None or int(call[3]) < 0:
            continue
        operation = read(call[1], call[2], str(work))
        if operation:
            found.append(operation)
    return found


def read(name, arguments, work):  # noqa: PLR0911 - one for each call
    texts = [plain(text) for text in _TEXT.findall(arguments)]
    paths = [plain(path).decode() for path in _PATH.findall(arguments)]
    named = [text.decode(errors="replace") for text in texts] if name in ("openat", "unlink", "link") else paths
    if not any(one.startswith(work) for one in named):
        return None
    local = [one[len(work) :].lstrip("/") for one in named if one.startswith(work)]
    match name:
        case "openat":
            return ("create", local[-1], None) if "O_CREAT" in arguments else None
        case "pwrite64":
            return ("write", local[0], (int(arguments.rsplit(",", 1)[1]), texts[0]))
        case "fsync" | "fdatasync":
            return ("sync", local[0], None)
        case "ftruncate":
            return ("truncate", local[0], int(arguments.rsplit(",", 1)[1]))
        case "unlink":
            return ("unlink", local[0], None)
        case "link":
            return ("link", local[0], local[1])
    return None


# — the disk —


class Disk:
    """Files as they surely are, and what may or may not have happened to them."""

    def __init__(self):
        self.names = {}
        self.pending_names = []
        self.current = {}
        #: Surely on the disk, by file; and what is not: (offset, bytes), or a size.
        self.content = {}
        self.pending = {}
        self.files = count()

    def do(self, what, name, more):
        match what:
            case "create":
                if name not in self.current:
                    self.current[name] = file = next(self.files)
                    self.content[file], self.pending[file] = b"", []
                    self.pending_names.append((name, file))
            case "write" | "truncate":
                self.pending[self.current[name]].append(more)
            case "unlink":
                del self.current[name]
                self.pending_names.append((name, None))
            case "link":
                self.current[more] = self.current[name]
                self.pending_names.append((more, self.current[name]))
            case "sync" if name == "":
                for one, file in self.pending_names:
                    set_name(self.names, one, file)
                self.pending_names = []
            case "sync":
                file = self.current[name]
                self.content[file] = written(self.content[file], self.pending[file])
                self.pending[file] = []

    def sectors(self, file):
        """What is pending of a file, in the smallest parts that a disk keeps whole."""
        for change in self.pending[file]:
            if isinstance(change, int):
                yield change
                continue
            offset, data = change
            for start in range(0, len(data), SECTOR):
                yield offset + start, data[start : start + SECTOR]

    def after_crash(self, choose):
        """Name → content, where `choose` takes a part of what is pending."""
        names = dict(self.names)
        for one, file in choose(self.pending_names):
            set_name(names, one, file)
        return {name: written(self.content[file], choose(list(self.sectors(file)))) for name, file in names.items()}


def set_name(names, name, file):
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def written(content, changes):
    content = bytearray(content)
    for change in changes:
        if isinstance(change, int):
            del content[change:]
            continue
        offset, data = change
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data
    return bytes(content)


def choices(chance):
    """All, nothing, and so many draws of: a beginning, most of it, little of it."""
    yield lambda changes: changes
    yield lambda _: []
    for _ in range(DRAWN):
        kind = chance.randrange(3)
        if kind == 0:
            yield lambda changes: changes[: chance.randint(0, len(changes))]
        else:
            share = 0.9 if kind == 1 else 0.1
            yield lambda changes, share=share: [one for one in changes if chance.random() < share]


def states(operations, seed):
    """Every moment and what a disk may hold then, with how many steps were durable: (steps, files)."""
    chance = random.Random(seed)
    disk, marks = Disk(), 0
    for what, name, more in operations:
        if name.startswith("mark-"):
            marks = max(marks, int(name.removeprefix("mark-")))
            continue
        disk.do(what, name, more)
        seen = set()
        for choose in choices(chance):
            files = disk.after_crash(choose)
            key = hash(tuple(sorted(files.items())))
            if key not in seen:
                seen.add(key)
                yield marks, files


def wrong(files, marks, expected, folder):
    """What is not as it was or as it was to be; empty where all is well."""
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        found = dump(folder / "test.state")
    except SmsdeclareError as error:
        return f"after step {marks}: {error}"
    allowed = expected[marks : marks + 2]
    return "" if found in allowed else f"after step {marks}: neither what was durable nor what was being written"


def check(operations, expected, seed, most, folder):
    """How many states were looked at, and what is wrong with them."""
    found = list(states(operations, seed))
    chosen = found if most is None else random.Random(seed).sample(found, min(most, len(found)))
    problems = [problem for marks, files in chosen if (problem := wrong(files, marks, expected, folder))]
    return len(chosen), problems


def recorded(folder):
    """The operations of the steps, and what is on record after each of them; before the first it is nothing."""
    operations = record(folder)
    marks = sorted((folder / "work").glob("mark-*"), key=lambda path: int(path.name.removeprefix("mark-")))
    return operations, ["nothing", *(path.read_text(encoding="utf-8") for path in marks)]


def without_one_sync(operations):
    """The operations with one sync left out, for each of them: (what is not synced, operations)."""
    syncs = [place for place, (what, _, _) in enumerate(operations) if what == "sync"]
    for place in syncs:
        yield operations[place][1], operations[:place] + operations[place + 1 :]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, help="look at a sample of so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", action="store_true", help="leave one sync out at a time")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        operations, expected = recorded(folder)
        place = folder / "crashed"
        place.mkdir()
        if given.plant:
            noticed = {}
            for what, planted in without_one_sync(operations):
                kind = "the journal" if what.endswith("-journal") else "the state" if what else "the folder"
                _, problems = check(planted, expected, given.seed, given.states, place)
                noticed.setdefault(kind, []).append(bool(problems))
            for kind, red in noticed.items():
                print(f"a sync of {kind} left out: {sum(red)} of {len(red)} noticed")
            return
        looked, problems = check(operations, expected, given.seed, given.states, place)
    print(f"{len(expected) - 1} steps, {len(operations)} operations, {looked} states, {len(problems)} wrong")
    for problem in problems[:10]:
        print(problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
