"""API tests: over HTTP and sockets to the running web process, on its own database, with a stand-in for the brain."""

from collections.abc import Iterator

import pytest

from tests.shop import Shop
from tests.stack import stack
from tests.web.brain import StandInBrain
from tests.web.people import Site

LIMITS = {
    "ZHIKE_TRUSTED_PROXIES": "1",  # each caller comes from an address of its own
    "ZHIKE_MESSAGES_PER_TALK": "150/60 seconds",
    "ZHIKE_TALKS_PER_ADDRESS": "20/minute",
    "ZHIKE_SIGN_INS_FAILED": "3/5 minutes",
    "ZHIKE_PRESENCE_TIMEOUT_SECONDS": "24",
    "ZHIKE_DISTRIBUTION": "by_hand",
}


@pytest.fixture(scope="session")
def _site() -> Iterator[Site]:
    with stack(**LIMITS) as made:
        brain = StandInBrain(made.port("brain"))
        made.start("web")
        site = Site(made, brain)
        yield site
        site.engine.dispose()
        brain.stop()


@pytest.fixture
def site(_site: Site) -> Iterator[Site]:
    """The running web process. Afterwards its log holds no stack, no token and nothing a customer said."""
    begin = len(_site.stack.log("web"))
    yield _site
    told = _site.stack.log("web")[begin:]
    assert "Traceback" not in told, told
    assert not [secret for secret in _site.kept_quiet if secret in told], told


@pytest.fixture
def shop(site: Site) -> Shop:
    """Makes records in the site's database."""
    return site.shop


@pytest.fixture
def brain(site: Site) -> StandInBrain:
    """What answers the customers."""
    return site.brain
