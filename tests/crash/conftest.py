import pytest

from smsdeclare.simulator.api import Simulator
from smsdeclare.simulator.server import Server
from smsdeclare.simulator.settings import Settings


@pytest.fixture(scope="module")
def server():
    """Each history puts a simulator of its own behind it."""
    with Server(Simulator(Settings())) as running:
        yield running
