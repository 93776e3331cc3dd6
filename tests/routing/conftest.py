"""A running web process that gives waiting talks to agents by itself, on SQLite; the brain's part is a stand-in."""

from collections.abc import Callable, Iterator

import pytest

from helpdesk.routing.models import ClientManager, OpeningHours, SpecialDay
from helpdesk.staff.models import Agent
from tests.shop import Shop
from tests.stack import stack
from tests.web.brain import StandInBrain
from tests.web.people import Site, Staff, Visitor
from tests.web.test_sockets import Listener

PICK_UP_SECONDS = 600  # nobody is given up while a test is slow; who waits in vain is made to have waited


@pytest.fixture(scope="session")
def _running() -> Iterator[Site]:
    with stack(ZHIKE_PICK_UP_SECONDS=str(PICK_UP_SECONDS), ZHIKE_PRESENCE_TIMEOUT_SECONDS="600") as made:
        brain = StandInBrain(made.port("brain"))
        made.start("web")
        site = Site(made, brain)
        yield site
        site.engine.dispose()
        brain.stop()


@pytest.fixture
def site(_running: Site) -> Iterator[Site]:
    """Nobody is there and nobody waits. Afterwards the log holds no stack."""
    _running.change(Agent, presence="offline")
    _running.nobody_waits()
    for table in (ClientManager, OpeningHours, SpecialDay):
        _running.clear(table)
    begin = len(_running.stack.log("web"))
    yield _running
    told = _running.stack.log("web")[begin:]
    assert "Traceback" not in told, told


@pytest.fixture
def shop(site: Site) -> Shop:
    """Makes records in the site's database."""
    return site.shop


@pytest.fixture
def listen(site: Site) -> Iterator[Callable[..., Listener]]:
    """Opens connections; a visitor's page or an agent's desk."""
    opened: list[Listener] = []

    def connect(who: Visitor | Staff, **auth: object) -> Listener:
        namespace = "/chat" if isinstance(who, Visitor) else "/desk"
        opened.append(Listener(site, namespace, token=who.token, **auth))
        return opened[-1]

    yield connect
    for listener in opened:
        listener.client.disconnect()
