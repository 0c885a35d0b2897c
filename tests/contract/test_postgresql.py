"""What a ledger in PostgreSQL does where a file has no such thing: connections, rights, settings, several at once."""

import threading
from contextlib import closing
from types import SimpleNamespace

import ledgers
import postgresql_server
import psycopg
import pytest
from ledgers import AT, BINDING, A, B, Schema, claim, intent, send

from smsdeclare.clock import SystemClock
from smsdeclare.errors import Held, InputError, StateError
from smsdeclare.ledgers.postgresql import PostgresqlLedger
from smsdeclare.ledgers.postgresql_server import read_url
from smsdeclare.records import Outcome
from smsdeclare.states import State


@pytest.fixture
def place(postgresql, tmp_path):
    return Schema(postgresql, tmp_path)


@pytest.fixture
def ledger(place):
    with closing(ledgers.opened(place)) as ledger:
        yield ledger


@pytest.fixture
def proxy(postgresql):
    proxy = postgresql_server.Proxy(postgresql)
    yield proxy
    proxy.close()


@pytest.fixture
def through(proxy, place, ledger):
    """The same state, over a line that can be cut."""
    with closing(PostgresqlLedger(proxy.url, place.name, SystemClock())) as reached:
        yield reached


def diagnostic(caught):
    return caught.value.diagnostics[0]


def states(ledger):
    return {one.number: one.state for one in ledger.known("hello", 1)}


# — lines that are cut —


@pytest.mark.parametrize(
    ("when", "after"),
    [pytest.param("before", {}, id="before it"), pytest.param("after", {A: State.NOT_SENT}, id="after it")],
)
def test_a_claim_whose_commit_is_not_known_is_never_posted(through, ledger, proxy, when, after):
    proxy.cuts.append(when)
    with pytest.raises(StateError) as caught:
        claim(through, A)
    assert ("SMS574", after) == (diagnostic(caught).code.id, states(ledger))
    # It is free for whoever comes next.
    assert (A,) == claim(ledger, A).numbers


def test_where_others_have_written_since_it_stays_in_doubt(ledger):
    """Whose the commit was can't be told then."""
    claimed = claim(ledger, A)
    send(ledger, State.ACCEPTED, B)
    ledger._give_back([claimed], "its own writer", AT)
    assert {A: State.INTENDED, B: State.ACCEPTED} == states(ledger)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_outcome_that_a_lost_claim_took_along_is_recorded_once_more(through, ledger, proxy, when):
    became = [(claim(through, A), Outcome(states={A: State.ACCEPTED}, at=AT))]
    proxy.cuts.append(when)
    with pytest.raises(StateError):
        through.claim_all([(intent(B), lambda claim: ledgers.Request())], epoch=1, outcomes=became)
    through.record_all(became)
    free = {B: State.NOT_SENT} if when == "after" else {}
    assert {A: State.ACCEPTED, **free} == states(ledger)


@pytest.mark.parametrize("cuts", [["before"], ["after"], ["after", "before", "after"]])
def test_an_outcome_is_written_until_it_is_written(through, ledger, proxy, cuts):
    claimed = claim(through, A)
    proxy.cuts += cuts
    through._clock = SimpleNamespace(sleep=lambda seconds: None)
    through.record(claimed, Outcome(states={A: State.ACCEPTED}, at=AT))
    assert {A: State.ACCEPTED} == states(ledger)


def test_an_outcome_that_can_not_be_written_leaves_a_doubt(through, ledger, proxy):
    claimed, waited = claim(through, A), []
    proxy.close()
    through._clock = SimpleNamespace(sleep=waited.append)
    with pytest.raises(StateError) as caught:
        through.record(claimed, Outcome(states={A: State.ACCEPTED}, at=AT))
    assert ("SMS570", True, {A: State.INTENDED}) == (diagnostic(caught).code.id, sum(waited) > 10, states(ledger))


def test_a_line_that_was_cut_while_it_was_idle_is_opened_anew(through, proxy):
    proxy.drop()
    assert (A,) == claim(through, A).numbers
    proxy.drop()
    assert through.stopped is None


def test_a_line_that_is_cut_inside_a_transaction_undoes_it(through, ledger, proxy):
    with pytest.raises(StateError) as caught:
        through.claim(intent(A), lambda claim: proxy.drop() or ledgers.Request(), epoch=1)
    assert ("SMS570", {}) == (diagnostic(caught).code.id, states(ledger))


# — several at once —


def test_of_several_that_make_it_one_does_and_all_use_it(place):
    lineages, barrier = [], threading.Barrier(6)

    def make():
        with closing(place.ledger()) as ledger:
            barrier.wait()
            ledger.bind(BINDING)
            lineages.append(ledger._meta["lineage"])

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (6, 1) == (len(lineages), len(set(lineages)))


def test_each_number_goes_to_one_of_several(place, ledger):
    taken, barrier = [], threading.Barrier(4)
    numbers = [f"+3363998{index:04d}" for index in range(40)]

    def take():
        with closing(place.ledger()) as mine:
            barrier.wait()
            claims = [claim(mine, *numbers[start : start + 5]) for start in range(0, 40, 5)]
            taken.extend((one.ordinal, one.numbers) for one in claims if one)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == sorted(number for _, some in taken for number in some)
    assert sorted({ordinal for ordinal, _ in taken}) == list(range(1, len(taken) + 1))


def test_nothing_rests_on_a_session_of_its_own(postgresql, place):
    """Six runs share the two connections that PgBouncer has in transaction mode."""
    numbers = [f"+3363998{index:04d}" for index in range(60)]
    with postgresql_server.pooled(postgresql) as url:
        taken, barrier = [], threading.Barrier(6)

        def work():
            with closing(PostgresqlLedger(url, place.name, SystemClock())) as mine:
                barrier.wait()
                mine.bind(BINDING)
                for start in range(0, 60, 5):
                    if claimed := claim(mine, *numbers[start : start + 5]):
                        mine.record(claimed, Outcome(states=dict.fromkeys(claimed.numbers, State.ACCEPTED), at=AT))
                        taken.extend(claimed.numbers)
                assert numbers == sorted(one.number for one in mine.records() if one.number in numbers)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with closing(PostgresqlLedger(url, place.name, SystemClock())) as ledger:
            assert set(states(ledger).values()) == {State.ACCEPTED}
            copy = place.parent / "copy.state"
            ledger.pull(copy)
            assert not ledger.push(copy, BINDING, AT).is_changed
    assert numbers == sorted(taken)


def test_an_older_format_is_upgraded_once(place):
    ledgers.opened(place).close()
    with place.reading() as connection:
        for index in ("sends_released", "sends_held", "sends_taken_back"):
            connection.execute(f"DROP INDEX {index}")
        for column in ("released_from", "sms", "taken_back"):
            connection.execute(f"ALTER TABLE sends DROP COLUMN {column}")
        connection.execute("ALTER TABLE sends ADD COLUMN releases BIGINT")
        connection.execute("ALTER TABLE jobs DROP COLUMN times")
        connection.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
    before = int(ledgers.meta(place)["serial"])
    threads = [threading.Thread(target=lambda: place.ledger().close()) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "2" == ledgers.meta(place)["format"]
    assert before < int(ledgers.meta(place)["serial"]) <= before + 3
    with closing(place.ledger()) as ledger:
        assert send(ledger, State.ACCEPTED, A)


# — what the server must be —


@pytest.fixture
def role(postgresql, place):
    """A role that may make schemas in a database of its own; its URL."""
    name = f"r{place.name}"
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{postgresql_server.PASSWORD}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
        yield SimpleNamespace(
            name=name, url=postgresql.url(name, name, postgresql_server.PASSWORD), run=connection.execute
        )
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {name}")


def refused(url, schema="acme"):
    def use():
        with closing(PostgresqlLedger(url, schema, SystemClock())) as ledger:
            ledger.bind(BINDING)

    with pytest.raises((StateError, InputError)) as caught:
        use()
    found = diagnostic(caught)
    for secret in (postgresql_server.PASSWORD, "pass-w", "%40"):
        assert secret not in found.message + found.detail
    assert caught.value.__cause__ is None or postgresql_server.PASSWORD not in str(caught.value.__cause__)
    return found.code.id, found.detail


def test_a_role_that_owns_its_database_needs_nothing_else(role):
    with closing(PostgresqlLedger(role.url, "acme", SystemClock())) as ledger:
        ledger.bind(BINDING)
        assert send(ledger, State.ACCEPTED, A)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("synchronous_commit", "off"), ("synchronous_commit", "local"), ("default_transaction_read_only", "on")],
)
def test_a_server_that_may_lose_a_commit_or_takes_none_is_refused(role, setting, value):
    role.run(f"ALTER ROLE {role.name} SET {setting} = {value}")
    code, detail = refused(role.url)
    assert ("SMS572", True) == (code, setting in detail)


def test_what_somebody_left_behind_in_a_session_is_noticed(ledger):
    """A pooler hands one session to many."""
    ledger._server._connection.execute("SET synchronous_commit = off")
    with pytest.raises(StateError) as caught:
        claim(ledger, A)
    assert ("SMS572", {}) == (diagnostic(caught).code.id, states(ledger))


def test_a_standby_is_refused(ledger):
    with pytest.raises(StateError) as caught:
        ledger._server._check_settings("on", "on", True)
    assert "SMS572" == diagnostic(caught).code.id


def test_another_encoding_is_refused(role):
    role.run(f"CREATE DATABASE {role.name}_latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0 OWNER {role.name}")
    code, detail = refused(role.url.replace(f"/{role.name}?", f"/{role.name}_latin?"))
    role.run(f"DROP DATABASE {role.name}_latin WITH (FORCE)")
    assert ("SMS572", True) == (code, "LATIN1" in detail)


def test_a_wrong_password_is_told_and_not_shown(role, postgresql):
    wrong = postgresql.url(role.name, role.name, postgresql_server.PASSWORD + "x")
    assert "SMS571" == refused(wrong)[0]


def test_who_may_not_make_the_schema_is_told(role):
    role.run(f"ALTER DATABASE {role.name} OWNER TO postgres")
    code, detail = refused(role.url)
    assert ("SMS571", True) == (code, "permission denied" in detail)


def test_a_schema_that_was_made_for_the_role_is_enough(role, postgresql):
    role.run(f"ALTER DATABASE {role.name} OWNER TO postgres")
    postgresql.run(f"CREATE SCHEMA acme AUTHORIZATION {role.name}", role.name)
    with closing(PostgresqlLedger(role.url, "acme", SystemClock())) as ledger:
        ledger.bind(BINDING)
        assert send(ledger, State.ACCEPTED, A)


def test_the_state_of_another_role_is_closed(role, postgresql):
    with closing(PostgresqlLedger(postgresql.url(role.name), "acme", SystemClock())) as other:
        other.bind(BINDING)
    assert "SMS571" == refused(role.url)[0]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://app:{}@127.0.0.1:1/x", "SMS570"),
        ("postgresql://app:{}@/x?host=/nowhere", "SMS570"),
        ("postgresql://app:pass-w@rd@127.0.0.1/x", "SMS575"),
        ("postgresql://app:pass-w/rd@127.0.0.1/x", "SMS575"),
        ("postgresql://app:pass-w?rd@127.0.0.1:1/x", "SMS570"),
        ("postgresql://app:pass-w#rd@127.0.0.1:1/x", "SMS570"),
        ("password=pass-w rd", "SMS575"),
        ("mysql://app:pass-w@127.0.0.1/x", "SMS575"),
    ],
)
def test_no_part_of_a_password_is_shown_whatever_the_url(url, code):
    assert code == refused(url.format("pass-w"))[0]


def test_what_a_url_says_wins(postgresql):
    assert "3" == read_url("postgresql://x/y?connect_timeout=3")["connect_timeout"]
    assert "UTF8" == read_url("postgresql://x/y?client_encoding=latin1")["client_encoding"]


@pytest.mark.parametrize(
    ("raised", "error", "code"),
    [
        ("53100", StateError, "SMS573"),
        ("55P03", Held, "SMS506"),
        ("40P01", Held, "SMS506"),
        ("42501", StateError, "SMS571"),
        ("25006", StateError, "SMS572"),
        ("57014", StateError, "SMS570"),
        ("53300", StateError, "SMS570"),
        ("XX001", StateError, "SMS501"),
        ("23505", StateError, "SMS501"),
    ],
)
def test_what_a_server_refuses_has_a_name(ledger, place, raised, error, code):
    with place.reading() as connection:
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{raised}'; END $$"
        )
        connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON sends FOR EACH ROW EXECUTE FUNCTION refuse()")
    with pytest.raises(error) as caught:
        claim(ledger, A)
    assert (code, {}) == (diagnostic(caught).code.id, states(ledger))
    # The next transaction is not spoiled by that one.
    ledger.complete([("hello", 1)], AT)


# — what is in it —


@pytest.mark.parametrize("table", ["meta", "sends", "jobs", "completions", "events"])
def test_a_state_with_a_part_missing_is_no_empty_state(place, table):
    ledgers.opened(place).close()
    ledgers.change(place, f"ALTER TABLE {table} RENAME TO gone") if table != "meta" else drop_meta(place)
    with pytest.raises(StateError) as caught:
        place.ledger()
    assert "SMS501" == diagnostic(caught).code.id


def drop_meta(place):
    with place.reading() as connection:
        connection.execute("DROP TABLE meta")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE meta SET value = '3' WHERE name = 'format'", "SMS503"),
        ("DELETE FROM meta WHERE name = 'epoch'", "SMS501"),
        ("DELETE FROM meta", "SMS501"),
    ],
)
def test_a_state_that_can_not_be_kept_whole_is_left_alone(place, change, code):
    ledgers.opened(place).close()
    with place.reading() as connection:
        connection.execute(change)
    with pytest.raises(StateError) as caught:
        place.ledger()
    assert code == diagnostic(caught).code.id


def test_a_state_without_a_serial_takes_no_claim(ledger, place):
    with place.reading() as connection:
        connection.execute("DELETE FROM meta WHERE name = 'serial'")
    with pytest.raises(StateError) as caught:
        claim(ledger, A)
    assert ("SMS501", {}) == (diagnostic(caught).code.id, states(ledger))


def test_text_is_ordered_by_its_bytes_whatever_the_database_thinks(ledger, place, postgresql):
    rows = postgresql.run(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns "
        f"WHERE table_schema = '{place.name}' AND data_type = 'text'"
    )
    assert len(rows) > 20
    assert [] == [row for row in rows if row[2] != "C"]


def test_many_rows_come_one_after_another(ledger, place):
    send(ledger, State.ACCEPTED, A)
    with place.reading() as connection:
        connection.execute(
            "INSERT INTO sends SELECT message, revision, '+33700' || lpad(n::text, 6, '0'), state, ordinal "
            "FROM sends, generate_series(1, 4500) n"
        )
    known = ledger.known("hello", 1)
    first = next(known)
    # Others write and read meanwhile.
    assert (B,) == claim(ledger, B).numbers
    numbers = [first.number, *(one.number for one in known)]
    assert (4501, sorted(numbers)) == (len(numbers), numbers)
    assert first.number == next(ledger.records()).number


def test_nothing_is_left_in_a_session(ledger):
    send(ledger, State.ACCEPTED, A)
    send(ledger, State.ACCEPTED, B)
    list(ledger.records())
    connection = ledger._server._connection
    assert [] == connection.execute("SELECT name FROM pg_prepared_statements").fetchall()
    assert [] == connection.execute("SELECT locktype FROM pg_locks WHERE locktype = 'advisory'").fetchall()
    for setting, kept in (("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")):
        assert [(kept,)] == connection.execute(f"SHOW {setting}").fetchall()


def test_whoever_stands_still_inside_a_transaction_is_thrown_out(ledger):
    with ledger._server.writing() as run:
        assert ("15s",) == run("SHOW idle_in_transaction_session_timeout", {}).fetchone()
        assert ("30s",) == run("SHOW lock_timeout", {}).fetchone()


def test_an_answer_with_a_nul_is_kept_without_it(ledger):
    claimed = claim(ledger, A)
    ledger.record(claimed, Outcome(states={A: State.NOT_SENT}, at=AT, reasons={State.NOT_SENT: "no\0way"}))
    assert ["no\ufffdway"] == [one.reason for one in ledger.records()]


def test_figures_keep_their_digits(ledger):
    claimed = claim(ledger, A)
    ledger.record(claimed, Outcome(states={A: State.ACCEPTED}, at=AT, credits=123456.789, ids=[2**62]))
    (record,) = ledger.records()
    assert (123456.789, 2**62) == (record.credits, record.id)
    assert 123456.789 == ledger.credits_taken("hello", 1)
