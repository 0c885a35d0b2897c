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
    """The rows that an apply leaves, in the state's own tables, and as durable: what a promise costs on this disk.

    One commit for each POST, which also notes what came of the one before.
    """
    import sqlite3  # noqa: PLC0415 - as above

    from smsdeclare.ledgers.sqlite_file import lay_tables  # noqa: PLC0415 - as above

    posts, each = int(posts), int(receivers)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    lay_tables(connection)
    names = (
        "message, revision, ordinal, tag, provider, endpoint, service, receivers, text_digest, template_digest,"
        " options, body_digest, plan_digest, claimed_at, not_after, estimate"
    )
    digest, moment = "d" * 64, "2026-12-01T08:00:00Z"
    for job in range(posts + 1):
        connection.execute("BEGIN IMMEDIATE")
        if job:
            before = [f"+33{600_000_000 + (job - 1) * each + place}" for place in (0, each - 1)]
            connection.execute(
                "UPDATE sends SET state = 'accepted' WHERE message = 'm' AND revision = 1 AND number BETWEEN ? AND ?",
                before,
            )
            answer = (moment, each, each, "[]", "q", job - 1)
            connection.execute(
                "UPDATE jobs SET answered_at = ?, accepted = ?, credits = ?, ids = ?, query_id = ?"
                " WHERE message = 'm' AND revision = 1 AND ordinal = ?",
                answer,
            )
        if job < posts:
            rows = [("m", 1, f"+33{600_000_000 + job * each + place}", "intended", job) for place in range(each)]
            connection.executemany(
                "INSERT INTO sends (message, revision, number, state, ordinal) VALUES (?, ?, ?, ?, ?)", rows
            )
            tag = f"{job:020}"
            values = ("m", 1, job, tag, "p", "e", "s", each, digest, digest, "{}", digest, digest, moment, 0, 1.0)
            connection.execute(f"INSERT INTO jobs ({names}) VALUES ({', '.join('?' * 16)})", values)
        connection.execute("COMMIT")


if __name__ == "__main__":
    {"plain": plain, "pipeline": pipeline, "commits": commits}[sys.argv[1]](*sys.argv[2:])
