"""What all tests share: the tables, the running system, and that no test talks beyond this machine."""

import os
import socket
from collections.abc import Iterator

import hypothesis
import pytest

import migrations.models  # noqa: F401 – every table is known before the first query
from core import db, settings
from helpdesk.conversations import brain
from knowledge_base import usecases as knowledge
from tests.shop import Shop
from tests.stack import Stack, stack

hypothesis.settings.register_profile("here", deadline=None)  # a busy machine is no fault of a rule
hypothesis.settings.load_profile("here")
pytest_plugins = ["tests.services"]
LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine fails the test."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])  # type: ignore[index]
            assert host.startswith(LOOPBACK), f"a test wanted to talk to {host}"
        return real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(scope="session")
def running() -> Iterator[Stack]:
    """Web, brain and actions on a fresh database with the shipped articles; this process works on the same database."""
    with stack() as made:
        kept = dict(os.environ)
        os.environ.update({k: v for k, v in made.environment.items() if k.startswith("ZHIKE_")})
        forget = (settings.load, db.engine, brain._clients)
        for cached in forget:
            cached.cache_clear()
        with db.writing() as session:
            knowledge.load_shipped(session)
        for name in ("actions", "brain", "web"):
            made.start(name)
        yield made
        os.environ.clear()
        os.environ.update(kept)
        for cached in forget:
            cached.cache_clear()


@pytest.fixture
def shop(running: Stack) -> Shop:
    """Makes records."""
    return Shop()
