"""What a model is made of: new phrases can be learned while the system runs, a new dialogue cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import training
from core import settings
from helpdesk.learning import shelf


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A house with one file of each kind, and a model of them."""
    for name in (
        "config.yml",
        "requirements/bot.txt",
        "data/rules/orders.yml",
        "data/nlu/orders.yml",
        "bot/nlu/text.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(training, "ROOT", tmp_path)
    monkeypatch.setenv("ZHIKE_MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ZHIKE_LEARNED_DIR", str(tmp_path / "learned"))
    settings.load.cache_clear()
    settings.load().model.parent.mkdir()
    settings.load().model.write_text("a model")
    shelf.write(shelf.stamp(), training.made_of())
    yield tmp_path
    settings.load.cache_clear()


def test_a_new_phrase_wants_training_but_the_old_model_serves_meanwhile(house: Path) -> None:
    assert training.is_trained() and training.serves()
    (house / "data/nlu/orders.yml").write_text("one phrase more")
    assert not training.is_trained()
    assert training.serves()


@pytest.mark.parametrize("changed", ["config.yml", "requirements/bot.txt", "data/rules/orders.yml", "bot/nlu/text.py"])
def test_with_another_dialogue_or_other_components_the_old_model_does_not_serve(house: Path, changed: str) -> None:
    (house / changed).write_text("changed")
    assert not training.is_trained()
    assert not training.serves()


def test_without_a_model_nothing_serves(house: Path) -> None:
    settings.load().model.unlink()
    assert not training.serves()
