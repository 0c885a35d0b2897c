import os

import hypothesis
import pytest
import worlds

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("dev", deadline=None)
# Where a failure is expected, and nobody reads it.
hypothesis.settings.register_profile(
    "unshrunk", hypothesis.settings.get_profile("ci"), phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate]
)
# For a machine that has a night: `--hypothesis-profile=long`.
hypothesis.settings.register_profile("long", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """Nothing of the developer's environment reaches a test, and CI's rules are tested where they are meant."""
    for name in list(os.environ):
        if name.startswith(("OVH_", "SMSDECLARE_")) or name in ("CI", "NO_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def command(capfd):
    """The command, run in this process: `command("plan", "-C", folder)`."""
    return worlds.command(capfd)


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server, started by the first test of a process that wants one."""
    import postgresql_server

    with postgresql_server.running() as cluster:
        yield cluster
