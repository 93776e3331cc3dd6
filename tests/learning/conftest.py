"""A database and folders of their own, and a talk to learn from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core import clock, db, settings
from helpdesk.conversations import brain
from helpdesk.staff.models import Agent
from migrations.models import metadata
from tests.learning.people import Talk
from tests.stack import free_port


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine of this process, on an empty database; the brain is away."""
    for name, value in {
        "ZHIKE_VAR_DIR": tmp_path,
        "ZHIKE_MODEL_DIR": tmp_path / "models",
        "ZHIKE_DATABASE_URL": "",
        "ZHIKE_BRAIN_PORT": free_port(),
    }.items():
        monkeypatch.setenv(name, str(value))
    cached = (settings.load, db.engine, brain._clients)
    for each in cached:
        each.cache_clear()
    metadata.create_all(db.engine())
    yield db.engine()
    db.engine().dispose()
    for each in cached:
        each.cache_clear()


def _staff(engine: Engine, role: str) -> Agent:
    with db.writing() as session:
        made = Agent(
            name=role,
            display_name=role,
            role=role,
            password_hash="-",
            capacity=5,
            presence="online",
            created_at=clock.now(),
        )
        session.add(made)
    return made


@pytest.fixture
def editor(engine: Engine) -> Agent:
    """May teach."""
    return _staff(engine, "editor")


@pytest.fixture
def admin(engine: Engine) -> Agent:
    """May teach, and take back."""
    return _staff(engine, "admin")


@pytest.fixture
def agent(engine: Engine) -> Agent:
    """Serves customers, and may not teach."""
    return _staff(engine, "agent")


@pytest.fixture
def talk(engine: Engine) -> Talk:
    """A customer's talk with the bot."""
    return Talk()
