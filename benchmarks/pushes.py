"""How many pushes an apply takes whose state is in Git, and how long, beside the same with its state in a file.

python benchmarks/pushes.py [--receivers N...] [--text one|personalized] [--clear] [--json FILE]

The provider is the sandbox, the remote a bare repository on this disk, so the network's share is in neither figure:
add the time of one push for each. The state is encrypted, unless `--clear`.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import scale
from measure import SMSDECLARE, document, run, save

KINDS = {"one": "one text", "personalized": "personalized"}
BRANCH = "smsdeclare-state-sandbox"
#: It stands in the root file where the state is in Git.
STATE = "state: {{backend: git, remote: ../remote.git, encryption: {encryption}}}\n"


def git(folder, *arguments):
    words = ("git", "-C", folder, *arguments)
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def measured(receivers, kind, *, is_clear):
    """The runs with both kinds of state; pushes, and bytes of the last version."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "project"
        folder.mkdir()
        scale.project(folder, scale.TEXTS[KINDS[kind]], receivers, 1)
        in_a_file = run(SMSDECLARE, "apply", "--auto-approve", "--quiet", folder=folder)
        remote = Path(place) / "remote.git"
        remote.mkdir()
        git(remote, "init", "--quiet", "--bare")
        root = folder / "smsdeclare.yaml"
        root.write_text(root.read_text() + STATE.format(encryption="none" if is_clear else "required"))
        for path in folder.glob("*.outbox.jsonl"):
            path.unlink()
        # What measures takes nothing of the developer's own along; so the key comes by a program in between.
        key = f"SMSDECLARE_STATE_KEY={os.urandom(32).hex()}"
        in_git = run("env", key, SMSDECLARE, "apply", "--auto-approve", "--quiet", folder=folder)
        pushes = int(git(remote, "rev-list", "--count", BRANCH))
        size = int(git(remote, "cat-file", "-s", f"{BRANCH}:smsdeclare.state"))
    return in_a_file, in_git, pushes, size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receivers", type=int, nargs="+", default=[2000], metavar="N")
    parser.add_argument("--text", choices=tuple(KINDS), default="personalized")
    parser.add_argument("--clear", action="store_true", help="not encrypted")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    results = []
    for receivers in options.receivers:
        in_a_file, in_git, pushes, size = measured(receivers, options.text, is_clear=options.clear)
        print(f"{receivers:,} receivers, {KINDS[options.text]}: {pushes} pushes, the last of {size / 1e6:.2f} MB")
        for name, one in (("git", in_git), ("file", in_a_file)):
            print(f"  {name:5}{one.wall:>9.1f} s{one.cpu:>9.1f} s of CPU{one.peak / 1e6:>8.0f} MB", flush=True)
        found = {"pushes": pushes, "bytes": size, "git": in_git._asdict(), "file": in_a_file._asdict()}
        results.append({"receivers": receivers, "text": options.text, **found})
    save(options.json, document(results, clear=options.clear))


if __name__ == "__main__":
    main()
