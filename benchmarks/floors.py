"""The least that programs of this kind can do, for scale.py: each reads the same rows and promises nothing.

python benchmarks/floors.py plain|pipeline CSV TEMPLATE
python benchmarks/floors.py commits DATABASE POSTS RECEIVERS_PER_POST
"""

import csv
import json
import sys

#: The characters of the GSM alphabet that take one unit each; those that take two count as any other here.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


def plain(path, _):
    """Rows of csv into a dict by number, out as JSON."""
    people = {}
    with open(path, encoding="utf-8", newline="") as stream:  # noqa: PTH123 - pathlib would be the largest import
        reader = csv.reader(stream)
        header = next(reader)
        for row in reader:
            people[row[0]] = dict(zip(header, row, strict=True))
    json.dump(people, sys.stdout)


def pipeline(path, source):
    """The steps of a plan and none of its promises: number, text, parts, and the keys in order."""
    import re  # noqa: PLC0415 - each floor loads what it needs

    from minijinja import Environment  # noqa: PLC0415 - as above

    number = re.compile(r"\+33[67][0-9]{8}")
    environment = Environment(undefined_behavior="strict")
    environment.add_template("text", source)
    once = None if "{{" in source else environment.render_template("text")
    sends = {}
    with open(path, encoding="utf-8", newline="") as stream:  # noqa: PTH123 - pathlib would be the largest import
        reader = csv.reader(stream)
        header = next(reader)
        for row in reader:
            if number.fullmatch(row[0]):
                own = dict(zip(header, row, strict=True))
                text = once or environment.render_template("text", **own)
                whole, part = (160, 153) if GSM.issuperset(text) else (70, 67)
                sends[row[0]] = (text, 1 if len(text) <= whole else -(-len(text) // part))
    json.dump([(key, *sends[key]) for key in sorted(sends)], sys.stdout)


def commits(path, posts, receivers):
    """Two commits for each POST, as durable as the state's, of as many rows: what a promise costs on this disk."""
    import sqlite3  # noqa: PLC0415 - as above

    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute("CREATE TABLE sends (number TEXT PRIMARY KEY, job INTEGER, state TEXT) WITHOUT ROWID")
    connection.execute("CREATE INDEX jobs ON sends (job)")
    for job in range(int(posts)):
        numbers = [(f"+33{600_000_000 + job * int(receivers) + place}", job) for place in range(int(receivers))]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO sends VALUES (?, ?, 'claimed')", numbers)
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE sends SET state = 'accepted' WHERE job = ?", (job,))
        connection.execute("COMMIT")


if __name__ == "__main__":
    {"plain": plain, "pipeline": pipeline, "commits": commits}[sys.argv[1]](*sys.argv[2:])
