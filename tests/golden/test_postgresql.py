"""Every command on a state in PostgreSQL, as a user types it; and what nobody may ever read."""

import sys
import uuid

import postgresql_server
import psycopg
import pytest
import worlds


@pytest.fixture
def schema():
    return f"g{uuid.uuid4().hex[:12]}"


@pytest.fixture
def project(tmp_path, postgresql, schema, monkeypatch):
    """A project in the sandbox; the variable names a role that may make schemas, with its password."""
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {schema} LOGIN PASSWORD '{postgresql_server.PASSWORD}'")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO {schema}")
    monkeypatch.setenv("SMSDECLARE_POSTGRESQL_URL", postgresql.url("postgres", schema, postgresql_server.PASSWORD))
    # A state elsewhere is what CI wants.
    monkeypatch.setenv("CI", "true")
    files = {
        "smsdeclare.yaml": worlds.root(more=f"state: {{backend: postgresql, schema: {schema}}}\n"),
        "hello.sms.yaml": worlds.message(to='["+33639980001", "+33639980002"]'),
    }
    yield worlds.write(tmp_path, files)
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {schema} CASCADE")
        connection.execute(f"DROP ROLE {schema}")


@pytest.fixture
def call(command, project):
    """The command on the project, which never shows a password nor a traceback."""

    def run(*arguments):
        result = command(*arguments, "-C", project)
        said = result.out + result.err
        for secret in (postgresql_server.PASSWORD, "%70%61", "Traceback"):
            assert secret not in said
        return result

    return run


def code(result):
    return result.err.partition(":")[0].split()[-1]


def test_from_the_first_plan_to_the_last_command(call, project, schema, postgresql):
    assert (2, 0) == (call("plan", "--detailed-exitcode").code, call("state", "list").code)
    plan = call("plan", "--out", "plan.json", "--json").json
    assert 0 == call("apply", "plan.json").code
    # In a schema of its own, since it is the sandbox.
    names = postgresql.run(f"SELECT nspname FROM pg_namespace WHERE nspname LIKE '{schema}%'")
    assert [(f"{schema}_sandbox",)] == names
    assert 0 == call("plan", "--detailed-exitcode").code
    assert plan["digest"] == call("apply", "plan.json", "--json").json["digest"]
    assert ["accepted", "accepted"] == [row["status"] for row in call("state", "list", "--json").json["sends"]]
    assert "2 accepted" in call("status").out
    assert "+336•••••01" in call("state", "show", "message.hello@1").out
    assert 0 == call("resend", "message.hello@1/+33639980001", "--reason", "lost").code
    assert 0 == call("stop", "--reason", "wrong price").code
    stopped = call("apply", "--auto-approve")
    assert (6, "SMS511") == (stopped.code, code(stopped))
    assert 0 == call("resume").code
    for action in (("apply", "--auto-approve"), ("settle",), ("refresh",), ("state", "unlock")):
        assert 0 == call(*action).code
    assert 3 == len(worlds.outbox(project))
    assert 0 == call("state", "pull", "--out", "copy.state").code
    assert "Nothing to do" in call("state", "push", "copy.state").out


def test_a_state_moves_from_a_file_into_the_database_and_on(call, project):
    root = project / "smsdeclare.yaml"
    in_database = root.read_text()
    root.write_text(worlds.root())
    assert 0 == call("apply", "--auto-approve").code
    call("state", "pull", "--out", "copy.state")
    root.write_text(in_database)
    assert 0 == call("state", "push", "copy.state").code
    assert 0 == call("plan", "--detailed-exitcode").code
    assert 2 == len(worlds.outbox(project))


def test_a_state_moves_by_one_command_and_keeps_no_number_from_then_on(call, project, monkeypatch, postgresql, schema):
    root = project / "smsdeclare.yaml"
    in_database = root.read_text()
    root.write_text(worlds.root())
    assert 0 == call("apply", "--auto-approve").code
    root.write_text(in_database)
    moved = call("state", "migrate", "smsdeclare.sandbox.state", "--auto-approve")
    assert f"Moved 2 sends from file smsdeclare.sandbox.state to PostgreSQL schema {schema}_sandbox." in moved.out
    monkeypatch.setenv("SMSDECLARE_NUMBERS_KEY", "6b" * 32)
    assert 0 == call("state", "hash-numbers", "--auto-approve").code
    root.write_text(in_database.replace("schema:", "numbers: hashed, schema:"))
    assert [] == postgresql.run(f"SELECT 1 FROM {schema}_sandbox.sends WHERE number LIKE '+%'")
    assert 0 == call("state", "forget", "+33639980001", "--auto-approve").code
    assert 0 == call("apply", "--auto-approve").code
    assert 2 == len(worlds.outbox(project))
    assert 2 == call("state", "list").out.count("(number not kept)")
    assert "Nobody holds it." in call("state", "lock", "show").out


@pytest.mark.parametrize("broken", ["hello.sms.yaml", "smsdeclare.yaml"])
def test_the_panic_button_needs_no_valid_files(call, project, broken):
    call("apply", "--auto-approve")
    path = project / broken
    path.write_text(path.read_text() + "nonsense: 1\n")
    assert 0 == call("stop", "--reason", "panic").code
    path.write_text(path.read_text().removesuffix("nonsense: 1\n"))
    assert 6 == call("apply", "--auto-approve").code


def test_before_the_first_apply_there_is_nothing_to_stop(call):
    stopped = call("stop", "--reason", "panic")
    assert (1, "SMS509") == (stopped.code, code(stopped))


def test_offline_nobody_is_asked_and_that_is_said(call, monkeypatch):
    call("apply", "--auto-approve")
    monkeypatch.delenv("SMSDECLARE_POSTGRESQL_URL")
    plan = call("plan", "--offline")
    assert (0, "SMS577") == (plan.code, code(plan))
    assert "2 to send" in plan.out


def test_without_a_database_named_nothing_is_guessed(call, monkeypatch):
    monkeypatch.delenv("SMSDECLARE_POSTGRESQL_URL")
    for arguments in (("plan",), ("apply", "--auto-approve"), ("state", "list"), ("stop", "--reason", "x")):
        result = call(*arguments)
        assert (1, "SMS575") == (result.code, code(result))


def test_what_libpq_reads_is_enough(call, monkeypatch, postgresql, schema):
    monkeypatch.delenv("SMSDECLARE_POSTGRESQL_URL")
    for name, value in {"HOST": postgresql.folder, "DATABASE": "postgres", "USER": schema}.items():
        monkeypatch.setenv(f"PG{name}", str(value))
    monkeypatch.setenv("PGPASSWORD", postgresql_server.PASSWORD)
    assert 0 == call("apply", "--auto-approve").code


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        pytest.param(lambda url: url.replace("?host=", "?host=/nowhere"), "SMS570", id="out of reach"),
        pytest.param(lambda url: url.replace("%70", "%71", 1), "SMS571", id="wrong password"),
        pytest.param(lambda url: url.replace("/postgres?", "/nothing?"), "SMS571", id="no such database"),
        pytest.param(lambda url: url.replace("postgresql:", "mysql:"), "SMS575", id="no URL"),
    ],
)
def test_a_database_that_is_not_there_is_told(call, monkeypatch, postgresql, schema, change, wanted):
    url = postgresql.url("postgres", schema, postgresql_server.PASSWORD)
    monkeypatch.setenv("SMSDECLARE_POSTGRESQL_URL", change(url))
    for arguments in (("plan",), ("apply", "--auto-approve", "-v"), ("apply", "--auto-approve", "--json")):
        result = call(*arguments)
        assert 1 == result.code
        assert wanted == (result.json["errors"][0]["code"] if "--json" in arguments else code(result))


def test_without_the_driver_it_says_what_to_install(call, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("smsdeclare.ledgers.postgresql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    result = call("plan")
    assert (1, "SMS576") == (result.code, code(result))
    assert "pip install 'smsdeclare[postgresql]'" in result.err


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("{backend: postgresql, path: x.state}", "SMS110"),
        ("{backend: file, schema: acme}", "SMS110"),
        ("{backend: postgresql, schema: Acme}", "SMS104"),
        ("{backend: postgresql, schema: pg_acme}", "SMS104"),
        ("{backend: s3}", "SMS112"),
    ],
)
def test_what_does_not_fit_together_is_refused(command, tmp_path, state, wanted):
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=f"state: {state}\n{worlds.message()}")})
    assert [wanted] == [one["code"] for one in command("validate", "--json", "-C", tmp_path).json["errors"]]


def test_a_url_in_the_files_is_refused_and_its_password_is_not_shown(command, tmp_path):
    state = "state: {backend: postgresql, url: 'postgresql://app:s3cret-x@db/acme'}\n"
    worlds.write(tmp_path, {"smsdeclare.yaml": worlds.root(more=state + worlds.message())})
    for arguments in (("validate",), ("validate", "--json"), ("validate", "--format", "github"), ("plan",)):
        result = command(*arguments, "-C", tmp_path)
        assert 1 == result.code
        assert "s3cret-x" not in result.out + result.err
