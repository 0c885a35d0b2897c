"""Feed a reader what a fuzzer comes up with, until it breaks its word (tests/invariants.py).

pip install atheris
python tests/fuzz/fuzz.py document|table|project [--seconds N] [--seed N]

It begins with the corpus beside this file and with what it learned before, in build/fuzz. An input that breaks a
reader is left there as `crash-…`. Mend the reader, move the input into the corpus under a name that says what it is,
and `pytest tests/fuzz` replays it ever after.
"""

import argparse
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
with atheris.instrument_imports(include=["smsdeclare", "yaml"]):
    import invariants

#: Bytes of an input. What matters about longer ones is their length, and there are tests of that.
MOST_BYTES = 2_000


def check_of(reader, folder):
    """What checks one input."""
    if reader == "document":
        return invariants.check_document_with_both_parsers
    return {"table": invariants.Tables, "project": invariants.Projects}[reader](folder).check


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("reader", choices=("document", "table", "project"))
    parser.add_argument("--seconds", type=int, default=600, metavar="N", help="how long [default: 600]")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the fuzzer's choices [default: 1]")
    given = parser.parse_args()

    place = HERE.parents[1] / "build" / "fuzz" / given.reader
    learned, project = place / "learned", place / "project"
    for folder in (learned, project):
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": given.seconds,
        "seed": given.seed,
        "max_len": MOST_BYTES,
        "artifact_prefix": f"{place}/",
        "print_final_stats": 1,
    }
    corpora = [str(learned), str(HERE / "corpus" / given.reader)]
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), *corpora]
    atheris.Setup(arguments, check_of(given.reader, project))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
