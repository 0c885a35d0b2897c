"""Every block of code in the pages: commands are typed, definitions validated, or the reason why not stands here."""

import json
import os
import re
import shlex
import shutil
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path

import pytest
import worlds
from terminal import somebody_who_says_yes, type_in

from smsdeclare import document
from smsdeclare.cli.main import run
from smsdeclare.schema import load_schema

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
#: Page and beginning of a block of commands that this file does not type, and why.
NOT_TYPED = {
    ("CONTRIBUTING.md", "python3 -m venv"): "makes the environment in which this runs; .ci/run does it",
    ("README.md", "python3 -m venv"): "makes the environment in which this runs; .ci/run does it",
    ("README.md", "pip install"): "makes the environment in which this runs; .ci/run does it",
    ("README.md", "pytest"): "is what runs",
    ("README.md", "smsdeclare init ../acme-shop"): "begins the sandbox; tests/golden/test_sandbox.py types it",
    ("README.md", "smsdeclare apply -C ../acme-shop"): "needs the sandbox; tests/golden/test_sandbox.py types it",
    ("README.md", "$ smsdeclare plan -C examples"): "test_docs.py types it and compares what is printed",
    ("docs/how-to/first-real-sms.md", "smsdeclare login\n"): "asks OVHcloud; tests/golden/test_login.py does",
    ("docs/how-to/jenkins-and-shell.md", "git pull"): "needs a remote; its other line stands in scheduled-campaigns.md",
    ("docs/how-to/move-or-restore-a-state.md", "smsdeclare state pull --out"): "writes to /var/backups",
    ("docs/how-to/move-or-restore-a-state.md", "smsdeclare state pull | gpg"): "needs a key of the reader's",
    ("docs/how-to/move-or-restore-a-state.md", "smsdeclare state migrate"): "needs files that name another place",
    ("docs/how-to/move-or-restore-a-state.md", "for file in"): "needs the program sqlite3",
    ("docs/how-to/sandbox.md", "smsdeclare sandbox"): "runs until it is ended; tests/golden/test_sandbox.py does",
    ("docs/how-to/sandbox.md", "smsdeclare apply -f trials.yaml"): "needs the sandbox of another terminal",
    ("docs/reference/simulator.md", "$ python -m smsdeclare.simulator"): "runs until it is ended",
    ("docs/reference/simulator.md", "export OVH_APPLICATION_KEY"): "needs the simulator of another terminal",
    ("docs/how-to/state-in-git.md", "smsdeclare state pull"): "needs a remote; tests/contract/test_git.py does",
    ("docs/how-to/state-in-postgresql.md", "CREATE ROLE"): "needs a server of the reader's",
    ("docs/how-to/state-in-postgresql.md", "GRANT USAGE"): "needs a server of the reader's",
}  # fmt: skip
ELSE = "A block that can't be typed here has its reason in NOT_TYPED."
#: Pages whose blocks are all typed elsewhere.
TYPED_ELSEWHERE = {"docs/tutorial.md": "test_docs.py", "docs/reference/commands.md": "test_help.py"}
#: Pages that begin before anything was sent; on all others it was.
BEFORE_AN_APPLY = {"README.md", *(f"docs/how-to/{name}.md" for name in ("jenkins-and-shell", "first-real-sms"))}
#: Beginnings of blocks that are about what the sandbox brings about only by chance or after a while.
IN_ANOTHER_STATE = {
    "smsdeclare resend message.sale@1 --status cancelled": ("cancelled", "sale"),
    "smsdeclare state list message.hello@1 --status failed": ("failed", "hello"),
    "smsdeclare settle": ("unknown", "hello"),
    "smsdeclare state list --status unknown": ("unknown", "hello"),
    "smsdeclare resolve": ("unknown", "hello"),
}


def found_blocks(*infos):
    """Page and text of every block that says it holds one of these."""
    return list(_found(infos))


def _found(infos):
    for page in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        name = page.relative_to(ROOT).as_posix()
        for match in _BLOCK.finditer(page.read_text("utf-8")):
            if match["info"].strip() in infos:
                yield pytest.param(name, match["text"], id=f"{name}-{match['text'].splitlines()[0][:40]}")


def reason(page, text):
    """Why a block is not typed here, or None."""
    found = [why for (of, begins), why in NOT_TYPED.items() if of == page and text.startswith(begins)]
    return TYPED_ELSEWHERE.get(page) or (found[0] if found else None)


# — commands —

CUSTOMERS = (
    "number,phone,firstName,shop,optIn\n+33639980001,+33639980001,Ana,A,yes\n+33639980002,+33639980002,Bo,B,yes\n"
)
LATER = (datetime.now(tz=UTC) + timedelta(hours=5)).strftime("%Y-%m-%d %H:%MZ")
PROJECT = {
    "smsdeclare.yaml": worlds.root().replace("project: test", "project: acme-shop"),
    "messages.sms.yaml": (
        "receivers: {customers: {csv: data/customers.csv}}\n"
        + worlds.message("Bonjour {{ firstName }}", "customers", name="order-shipped")
        + '  hello: {text: Hello, to: ["+33639980003", "+33639980004"]}\n'
        + f'  sale: {{text: Soldes, to: ["+33639980005", "+33639980006"], sendAt: {LATER}}}\n'
    ),
    "data/customers.csv": CUSTOMERS,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Two projects: before an apply, and after."""
    before, after = (tmp_path_factory.mktemp(name) for name in ("before", "after"))
    for folder in (before, after):
        worlds.write(folder, PROJECT)
        assert 0 == type_in("smsdeclare plan --out plan.json >/dev/null", folder)[0]
    assert 0 == type_in("smsdeclare apply plan.json", after)[0]
    return before, after


def changed(folder, state, message):
    """Make the state as the block needs it."""
    connection = sqlite3.connect(folder / "smsdeclare.sandbox.state", isolation_level=None)
    connection.execute("UPDATE sends SET state = ?, taken_back = 'stop' WHERE message = ?", (state, message))
    if state == "unknown":
        connection.execute("UPDATE jobs SET not_after = not_after - 100000")
    connection.close()


def typed(text, folder, capfd, monkeypatch):
    """Type a block: in this process where it is nothing but commands of the tool, else in a shell."""
    lines = [re.sub(r"\s+#.*", "", line) for line in text.splitlines()]
    if any(not line.startswith("smsdeclare ") or set(line) & set("|$<>&;") for line in lines):
        code, shown = type_in(text, folder)
        assert 0 == code, f"{text}\n{shown}\n{ELSE}"
        return
    for line in lines:
        with somebody_who_says_yes() as terminal, open(os.dup(terminal), encoding="utf-8") as keyboard:  # noqa: PTH123 - a descriptor
            monkeypatch.setattr(sys, "stdin", keyboard)
            monkeypatch.chdir(folder)
            code = run(shlex.split(line)[1:])
        captured = capfd.readouterr()
        assert 0 == code, f"{line}\n{captured.out}{captured.err}\n{ELSE}"


@pytest.mark.parametrize(("page", "text"), found_blocks("sh", "console", "sql"))
def test_a_block_of_commands_works_as_it_stands(prepared, tmp_path, capfd, monkeypatch, page, text):
    if text.startswith("python benchmarks/"):
        for line in text.splitlines():
            script, *arguments = line.split()[1:]
            known = (ROOT / script).read_text("utf-8") + (ROOT / "benchmarks" / "shared.py").read_text("utf-8")
            assert [one for one in arguments if one.startswith("--") and f'"{one}"' not in known] == []
        return
    if reason(page, text):
        return
    folder = tmp_path / "project"
    shutil.copytree(prepared[page not in BEFORE_AN_APPLY], folder)
    for begins, (state, message) in IN_ANOTHER_STATE.items():
        if text.startswith(begins):
            changed(folder, state, message)
    if text.startswith("$ "):  # with what is printed; here it counts that the commands are right
        text = "".join(f"{line.removeprefix('$ ')}\n" for line in text.splitlines() if line.startswith("$ "))
    if "sha256:…" in text:
        text = text.replace("sha256:…", json.loads((folder / "plan.json").read_text())["digest"])
    if "#" in text.partition(" --")[0]:
        code, listed = type_in("smsdeclare state list message.hello@1 --json", folder)
        assert 0 == code, listed
        text = re.sub(r"#[0-9a-z]{8}\b", f"#{json.loads(listed)['sends'][0]['ref']}", text)
    typed(text, folder, capfd, monkeypatch)


def test_every_reason_is_about_a_block_that_is_there():
    found = [one.values for one in found_blocks("sh", "console", "sql")]
    unused = [key for key in NOT_TYPED if not any(key[0] == page and text.startswith(key[1]) for page, text in found)]
    assert unused == []


# — definitions —

LISTS = ("customers", "optedOut", "team", "readers")


def surroundings(data):
    """What a fragment leaves out: the rest of a root file, and the lists and messages that it speaks of."""
    rest = {"version": 1, "project": "acme-shop", "provider": {"name": "sandbox"}}
    head = {key: value for key, value in rest.items() if key not in data}
    lists = {name: {"csv": "data/customers.csv"} for name in LISTS if name not in data.get("receivers", {})}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items()), json.dumps({"receivers": lists})


@pytest.mark.parametrize(("page", "text"), found_blocks("yaml", "yaml fragment"))
def test_a_block_of_definitions_is_valid_in_a_project(command, tmp_path, monkeypatch, page, text):
    data = document.parse(text.encode(), file=page).data
    is_root = set(data) <= set(load_schema("definitions.v1")["$defs"]["root"]["properties"])
    if not is_root:  # a policy from outside
        worlds.write(tmp_path, {"policy.yaml": text})
        monkeypatch.setenv("SMSDECLARE_POLICY", "policy.yaml")
        text, data = "", {}
    head, others = surroundings(data)
    files = {"smsdeclare.yaml": head + text, "others.sms.yaml": others}
    files |= {f"data/{name}": CUSTOMERS for name in ["customers.csv", *re.findall(r"csv: data/([\w-]+\.csv)", text)]}
    checked = command("validate", "-C", worlds.write(tmp_path, files))
    assert 0 == checked.code, checked.out


def test_the_entry_for_schemastore_matches_the_files_and_leads_to_the_schema():
    (entry,) = (json.loads(text) for _, text in (one.values for one in found_blocks("json")) if "fileMatch" in text)
    schema = load_schema(entry["url"].rpartition("/")[2].removesuffix(".schema.json"))
    assert {"$schema", "$id", "title", "description"} <= set(schema)
    for name in ("smsdeclare.yaml", "smsdeclare.staging.yaml", "campaign.sms.yaml", "campaign.sms.yml"):
        assert any(fnmatch(name, pattern) for pattern in entry["fileMatch"]), name
    assert not any(fnmatch("compose.yaml", pattern) for pattern in entry["fileMatch"])


@pytest.mark.parametrize(("page", "text"), found_blocks("json"))
def test_a_block_of_json_is_json(page, text):
    assert json.loads(text)


@pytest.mark.parametrize(("page", "text"), found_blocks("yaml github", "yaml gitlab", "yaml pre-commit"))
def test_a_block_for_a_ci_system_is_yaml(page, text):
    assert document.parse(text.encode(), file=page).data


def test_a_block_that_does_not_work_is_noticed(prepared, tmp_path, capfd, monkeypatch):
    shutil.copytree(prepared[0], tmp_path / "project")
    for text in ("smsdeclare plan --no-such-option\n", "smsdeclare validate | grep -c nothing-like-that\n"):
        with pytest.raises(AssertionError, match="smsdeclare"):
            typed(text, tmp_path / "project", capfd, monkeypatch)
