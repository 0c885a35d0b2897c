import pytest
import worlds

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings


@pytest.fixture
def keys(monkeypatch):
    """The simulator's keys in the environment."""
    for name, value in worlds.KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def serve(keys):
    """Start servers with a fault script and settings: `serve("al", credits=…).url`."""
    opened = []

    def start(script="", **settings):
        opened.append(Server(Simulator(Settings(**settings)), script=script).__enter__())
        return opened[-1]

    yield start
    for one in opened:
        one.__exit__(None, None, None)
