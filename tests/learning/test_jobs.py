"""The web process trains what was asked for, and one that is killed in the middle is made good by the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core import clock, db
from helpdesk.learning import trainings
from helpdesk.learning import usecases as learning
from helpdesk.learning.models import Training
from helpdesk.staff.models import Agent
from tests.resilience.conftest import until
from tests.stack import Stack, stack

AGAIN_SECONDS = trainings.LEASE_SECONDS + 30


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stack]:
    """A web process with a model folder of its own."""
    with stack("web", ZHIKE_MODEL_DIR=str(tmp_path / "models")) as made:
        yield made


@pytest.fixture
def records(running: Stack) -> Iterator[Engine]:
    """Its database."""
    made = db.make_engine(f"sqlite:///{running.folder / 'zhike.db'}")
    yield made
    made.dispose()


def test_a_training_whose_process_is_killed_begins_again(running: Stack, records: Engine, tmp_path: Path) -> None:
    now = clock.now()
    with db.writing(records) as session:
        who = Agent(
            name="bianji",
            display_name="小文",
            role="editor",
            password_hash="-",
            capacity=5,
            presence="offline",
            created_at=now,
        )
        session.add(who)
        session.flush()
        learning.assign(session, who, now, intent="faq", phrases=[(None, "豆豆还剩几颗")])
        number = trainings.ask(session, who, now).id

    def begun(tries: int) -> bool:
        with db.reading(records) as session:
            found = session.get(Training, number)
            return found is not None and found.tries == tries and found.step == "training"

    def at_work() -> list[Path]:
        return list((tmp_path / "models").glob("candidate-*/learned.yml"))

    until(lambda: begun(1) and at_work(), "the training begins", AGAIN_SECONDS)
    first = at_work()
    running.kill("web")  # kill -9, with the training
    assert begun(1)
    running.start("web")
    until(lambda: begun(2) and set(at_work()) - set(first), "it begins again", AGAIN_SECONDS)
    assert not begun(3)
