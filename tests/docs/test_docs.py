import ast
import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from smsdeclare import codes, document, errors
from smsdeclare.cli.main import group
from smsdeclare.ledgers import statements
from smsdeclare.ledgers.sqlite_file import WORDS
from smsdeclare.schema import load_schema
from smsdeclare.states import MOVES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
SETUP = "pip install -e '.[dev]' && smsdeclare apply -C examples/quickstart --auto-approve"

_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def named(path):
    return path.relative_to(ROOT).as_posix()


def blocks(path, *infos):
    return [match["text"] for match in _BLOCK.finditer(path.read_text("utf-8")) if match["info"].strip() in infos]


def normalized(text):
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:DIGEST", text)
    text = re.sub(r"#[0-9a-z]{8}\b", "#REF", text)
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "TIME", text)


def shell(line, folder):
    """Run one line as a reader would type it; both streams as a terminal shows them."""
    own = {name: os.environ[name] for name in ("PATH", "LANG", "COVERAGE_PROCESS_START") if name in os.environ}
    done = subprocess.run(
        ["sh", "-c", f'smsdeclare() {{ "$PYTHON" -m smsdeclare "$@"; }}\n{line}'],
        cwd=folder,
        env={**own, "HOME": str(folder), "PYTHON": sys.executable, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}"
    return done.stdout


def commands(context=None):
    """Every command of the tool with its name as it is typed."""
    context = context or click.Context(group, info_name="smsdeclare", **group.context_settings)
    yield context.command_path, context.command
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            below = context.command.get_command(context, name)
            yield from commands(click.Context(below, info_name=name, parent=context))


# — pages made from the code —


def generator():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["definitions.md", "commands.md", "errors.md"])
def test_the_pages_made_from_the_code_are_current(name):
    assert generator().pages()[name] == (REFERENCE / name).read_text("utf-8"), "run python docs/generate.py"


def test_the_generator_says_which_page_is_stale_and_mends_it(tmp_path, capsys, monkeypatch):
    script = generator()
    monkeypatch.setattr(script, "PLACE", tmp_path)
    assert script.main(["--check"]) == 1
    assert "docs/reference/errors.md: stale" in capsys.readouterr().err
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0


def test_every_code_stands_among_the_errors():
    text = (REFERENCE / "errors.md").read_text("utf-8")
    missing = [code.id for code in codes.all_codes() if f"**{code.id}** {code.severity}: {code.summary}" not in text]
    assert missing == []


def test_every_command_and_option_stands_among_the_commands():
    sections = (REFERENCE / "commands.md").read_text("utf-8").split("\n## ")
    by_name = {section.partition("\n")[0]: section for section in sections[1:]}
    found = dict(commands())
    assert list(by_name) == list(found)
    for name, command in found.items():
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("-")]
        assert [option for option in options if option not in by_name[name]] == [], name


# — pages written by hand —


def test_the_architecture_fits_on_its_page():
    assert len((ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()) <= 120


def test_the_architecture_names_every_module_by_its_docstring():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    package = ROOT / "smsdeclare"
    wanted = []
    for path in sorted(package.rglob("*.py")):
        claim = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
        if claim:
            wanted.append(f"`{path.relative_to(package).as_posix()}` {claim}")
    assert [line for line in wanted if line not in text] == []
    named_there = re.findall(r"(?:^- | · )`([a-z_/]+\.py)` ", text, re.MULTILINE)
    assert [name for name in named_there if not (package / name).exists()] == []


def test_the_readme_sets_up_with_two_commands():
    first, second, third = blocks(ROOT / "README.md", "sh")[:3]
    assert first == "python3 -m venv .venv && . .venv/bin/activate\n"
    assert second == f"{SETUP}\n"
    assert third == "pytest\n"


def test_the_readme_shows_a_real_plan(tmp_path):
    shutil.copytree(ROOT / "examples" / "parcel-notices", tmp_path / "examples" / "parcel-notices")
    command, _, output = blocks(ROOT / "README.md", "console")[0].partition("\n")
    assert normalized(output) == normalized(shell(command.removeprefix("$ "), tmp_path))


@pytest.mark.parametrize("page", [ROOT / "README.md", REFERENCE / "exit-codes.md"], ids=named)
def test_every_exit_code_has_its_row(page):
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    wanted = {0, 2, 3, 4} | {kind.exit_code for kind in kinds}
    rows = re.findall(r"^\| ([0-9]+) \|", page.read_text("utf-8"), re.MULTILINE)
    assert sorted(wanted) == [int(row) for row in rows]


def test_the_state_page_has_every_legal_move_and_no_other():
    section = (REFERENCE / "state.md").read_text("utf-8").partition("## Legal moves")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
    shown = {state: set(re.findall(r"`(\w+)`", after)) for state, after in rows}
    assert {state.value: {one.value for one in after} for state, after in MOVES.items()} == shown


def test_the_state_page_has_every_column():
    connection = sqlite3.connect(":memory:")
    for table in statements.TABLES:
        connection.execute(table.format(**WORDS))
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    section = (REFERENCE / "state.md").read_text("utf-8").partition("## Tables")[2]
    for (table,) in tables:
        row = next(line for line in section.splitlines() if line.startswith(f"| `{table}` |"))
        columns = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
        assert [column for column in columns if f"`{column}`" not in row] == [], table
    connection.close()


def fields(node):
    for name, below in node.get("properties", {}).items():
        yield name
        yield from fields(below)
    if "items" in node:
        yield from fields(node["items"])


SCHEMAS = {path.name.removesuffix(".schema.json") for path in (ROOT / "schemas").glob("*.json")} - {"definitions.v1"}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_field_of_a_json_document_is_described(name):
    text = (REFERENCE / "json.md").read_text("utf-8")
    assert f"`{name}`" in text
    words = set(re.findall(r"\w+", "".join(re.findall(r"`[^`]+`", text))))
    assert set(fields(load_schema(name))) - words == set()


def listed(node):
    """The pages that a part of the navigation names."""
    if isinstance(node, str):
        return [node]
    return [page for below in (node.values() if isinstance(node, dict) else node) for page in listed(below)]


def test_the_site_has_every_page_under_one_of_four_kinds():
    navigation = document.parse((ROOT / "mkdocs.yml").read_bytes(), file="mkdocs.yml").data["nav"]
    top, *parts = navigation
    assert ("README.md", ["Tutorial", "How to", "Reference", "Explanation"]) == (
        top,
        [*map(next, map(iter, parts))][:4],
    )
    beside = {path.name for path in ROOT.glob("*.md")} - {"README.md"}
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert pages ^ (set(listed(navigation)) - beside) == set(), "mkdocs.yml names every page"


def test_the_first_page_leads_through_the_how_tos_as_the_site_does():
    navigation = document.parse((ROOT / "mkdocs.yml").read_bytes(), file="mkdocs.yml").data["nav"]
    (how_to,) = (part["How to"] for part in navigation if isinstance(part, dict) and "How to" in part)
    page = (DOCS / "README.md").read_text("utf-8")
    groups = re.findall(r"^- \*\*([^*]+)\.\*\*((?:.|\n  )*)", page, re.MULTILINE)
    found = [{name: re.findall(r"\]\(([\w/-]+\.md)\)", links)} for name, links in groups]
    assert how_to == found


# — all pages —


def anchors(path):
    text = path.read_text("utf-8")
    for heading in re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    yield from re.findall(r'<a id="([^"]+)">', text)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _BLOCK.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_whole_yaml_example_is_valid(page):
    validator = Draft202012Validator(load_schema("definitions.v1"))
    for text in blocks(page, "yaml"):
        data = document.parse(text.encode(), file=page.name).data
        assert [error.message for error in validator.iter_errors(data)] == [], text


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_says_what_it_holds(page):
    known = {"sh", "sql", "console", "yaml", "yaml fragment", "json", "text", "python", ""}
    known |= {"yaml github", "yaml gitlab", "yaml pre-commit", "groovy"}
    assert {match["info"].strip() for match in _BLOCK.finditer(page.read_text("utf-8"))} <= known


def test_the_workflow_for_github_is_the_one_that_is_linted():
    (shown,) = blocks(DOCS / "how-to" / "github.md", "yaml github")
    assert (ROOT / "ci" / "examples" / "github.yml").read_text("utf-8") == shown


def test_the_tutorial_runs_as_it_is_written(tmp_path):
    folder = tmp_path
    for block in blocks(DOCS / "tutorial.md", "sh", "console"):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = step.partition("\n")
            if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
                continue
            assert normalized(expected) == normalized(shell(line, folder)), line
