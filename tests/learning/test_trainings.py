"""Assigning, exporting, one training at a time, and the way back."""

from datetime import timedelta

import pytest

from core import clock, db, settings
from core.errors import Conflict, Forbidden, Invalid, NotFound
from helpdesk.learning import rollback, shelf, trainings
from helpdesk.learning import usecases as learning
from helpdesk.learning.models import Training
from helpdesk.learning.rules import State, Step
from helpdesk.staff.models import Agent
from tests.learning.people import collected

NOW = clock.now()


def assign(who: Agent, intent: str, *phrases: str | tuple[int | None, str]) -> int:
    """Collected ones as (id, text), others as texts."""
    with db.writing() as session:
        given = [(None, each) if isinstance(each, str) else each for each in phrases]
        return learning.assign(session, who, NOW, intent=intent, phrases=given)


def ask(who: Agent | None) -> int:
    """Asks for a training."""
    with db.writing() as session:
        return trainings.ask(session, who, NOW).id


def take(number: int, at: timedelta = timedelta()) -> str | None:
    """A process takes it."""
    with db.writing() as session:
        return trainings.take(session, number, NOW + at)


def end(number: int, step: Step, lease: str | None = None) -> None:
    """It has a result."""
    held = lease or take(number)
    assert held
    with db.writing() as session:
        assert trainings.finish(session, number, held, NOW, step)


def states() -> list[str]:
    """Of all messages, in order."""
    return [row.state for row in collected()]


def exported() -> list[tuple[str, str]]:
    """What would be learned now."""
    with db.reading() as session:
        return [(intent, text) for _, intent, text in trainings.phrases(session)]


# Assigning


def test_a_collected_message_is_assigned_with_its_mended_text_and_more_wordings(talk, editor):
    talk.unclear("豆豆攒了几颗")
    (kept,) = collected()
    assert assign(editor, "query_points", (kept.id, "俺的豆豆攒了几颗"), "豆豆还剩几颗") == 2
    assert [(row.text, row.state, row.why) for row in collected()] == [
        ("俺的豆豆攒了几颗", "assigned", "unsure"),
        ("豆豆还剩几颗", "assigned", "written"),
    ]
    assert exported() == [("query_points", "俺的豆豆攒了几颗"), ("query_points", "豆豆还剩几颗")]


def test_a_known_wording_is_added_once(editor):
    assert assign(editor, "query_points", "豆豆还剩几颗", "豆豆还剩几颗？") == 1
    assert assign(editor, "query_points", "豆豆 还剩几颗") == 0
    assert assign(editor, "faq", "豆豆还剩几颗") == 1
    assert exported() == [("faq", "豆豆还剩几颗")]  # the last word counts


def test_what_an_editor_writes_is_masked_too_and_exported_with_made_up_values(editor):
    assign(editor, "query_order", "订单202611210000183到哪了")
    assert collected()[0].text == "订单〔长号码〕到哪了"
    ((_, phrase),) = exported()
    assert "202611210000183" not in phrase
    assert phrase.removeprefix("订单").removesuffix("到哪了").isdigit()


def test_nonsense_is_refused(editor):
    for intent, phrases in (
        ("no_such", ["豆豆"]),
        ("faq", []),
        ("faq", ["  "]),
        ("faq", ["///"]),
        ("faq", ["x"] * 501),
    ):
        with pytest.raises(Invalid):
            assign(editor, intent, *phrases)
    with pytest.raises(NotFound):
        assign(editor, "faq", (4711, "豆豆"))
    assert collected() == []


def test_put_aside_and_found_again(talk, editor):
    talk.unclear("豆豆攒了几颗")
    (kept,) = collected()
    with db.writing() as session:
        learning.dismiss(session, editor, NOW, [kept.id])
    assert states() == ["dismissed"]
    with db.writing() as session:
        learning.reopen(session, editor, NOW, [kept.id])
    assert states() == ["open"]


def test_an_editors_own_wording_goes_away(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    with db.writing() as session:
        learning.reopen(session, editor, NOW, [collected()[0].id])
    assert collected() == []


def test_alike_messages_are_shown_together(talk, editor):
    for said in ("豆豆攒了几颗", "发票抬头写错咯", "豆豆攒了多少颗"):
        talk.unclear(said)
    with db.reading() as session:
        found = learning.groups(session, editor, State.OPEN)
        assert [len(group.members) for group in found] == [2, 1]
        assert learning.counts(session)["open"] == 3


def test_nobody_else_may_teach(agent, editor):
    for work in (
        lambda session: learning.groups(session, agent, State.OPEN),
        lambda session: learning.assign(session, agent, NOW, intent="faq", phrases=[(None, "豆豆")]),
        lambda session: learning.dismiss(session, agent, NOW, [1]),
        lambda session: learning.reopen(session, agent, NOW, [1]),
        lambda session: trainings.ask(session, agent, NOW),
        lambda session: trainings.begin_rollback(session, editor),  # that is for admins
    ):
        with pytest.raises(Forbidden), db.writing() as session:
            work(session)


# Trainings


def test_two_clicks_train_once(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    ask(editor)
    with pytest.raises(Conflict):
        ask(editor)


def test_without_phrases_there_is_nothing_to_train(editor):
    with pytest.raises(Conflict):
        ask(editor)


def test_one_process_has_a_training_until_its_lease_runs_out(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    number = ask(editor)
    first = take(number)
    assert first is not None
    assert take(number) is None
    later = timedelta(seconds=trainings.LEASE_SECONDS + 1)
    with db.reading() as session:
        assert trainings.due(session, NOW) is None
        assert trainings.due(session, NOW + later) == number
    second = take(number, later)
    assert second not in {None, first}
    with db.writing() as session:
        assert not trainings.renew(session, number, first, NOW + later)
        assert not trainings.finish(session, number, first, NOW + later, Step.ACCEPTED)
        assert trainings.renew(session, number, second, NOW + later, Step.EVALUATING)
    assert states() == ["assigned"]


def test_a_training_that_kills_its_process_is_given_up(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    number = ask(editor)
    for n in range(trainings.TRIES_MOST):
        assert take(number, timedelta(minutes=n)) is not None
    assert take(number, timedelta(minutes=9)) is None
    with db.reading() as session:
        assert session.get(Training, number).step == "failed"
    assert states() == ["assigned"]
    assert ask(editor) != number  # and can be asked for again


def test_a_process_that_must_go_gives_it_back(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    number = ask(editor)
    lease = take(number) or ""
    with db.writing() as session:
        trainings.give_back(session, number, lease, NOW)
        assert trainings.due(session, NOW) == number


def test_accepted_phrases_are_learned_and_refused_ones_wait_for_the_editor(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    end(ask(editor), Step.ACCEPTED)
    assign(editor, "faq", "今天天气真好")
    end(ask(editor), Step.REFUSED)
    assert states() == ["exported", "refused"]
    assert exported() == [("faq", "豆豆还剩几颗")]  # the bad one is not trained again by itself
    with pytest.raises(Conflict):
        ask(editor)
    assign(editor, "chitchat", (collected()[1].id, "今天天气真好"))
    assert exported()[-1] == ("chitchat", "今天天气真好")


def test_what_is_in_training_is_not_changed_and_what_comes_later_waits(editor):
    assign(editor, "faq", "豆豆还剩几颗")
    number = ask(editor)
    first = collected()[0].id
    with pytest.raises(Conflict):
        assign(editor, "greet", (first, "豆豆"))
    assign(editor, "faq", "豆豆攒多少了")
    end(number, Step.ACCEPTED)
    assert states() == ["exported", "assigned"]
    with pytest.raises(Conflict):
        assign(editor, "greet", (first, "豆豆"))


# The model files


def put(name: str, phrases: str, number: int) -> None:
    """A candidate takes over."""
    candidate = settings.load().model_dir / f"{name}.new"
    candidate.write_text(name)
    shelf.put(candidate, f"hash of {name}", phrases, number)


def in_force() -> tuple[str, str, str | None]:
    """The model, its stamp and its phrases."""
    learned = shelf.learned()
    return (
        settings.load().model.read_text(),
        shelf.stamp().read_text(),
        learned.read_text() if learned.exists() else None,
    )


@pytest.fixture
def first_model(engine):
    """A model as set-up leaves it."""
    settings.load().model_dir.mkdir()
    settings.load().model.write_text("A")
    shelf.stamp().write_text("hash of A")


def test_the_way_back_brings_the_model_its_stamp_and_its_phrases(first_model):
    put("B", "b", 1)
    put("C", "c", 2)
    assert in_force() == ("C", "hash of C", "c")
    assert shelf.back() == 2
    assert in_force() == ("B", "hash of B", "b")
    assert shelf.back() == 1
    assert in_force() == ("A", "hash of A", None)
    with pytest.raises(Conflict):
        shelf.back()


def test_a_training_that_begins_anew_after_its_swap_keeps_the_former_model(first_model):
    put("B", "b", 1)
    put("B again", "b", 1)
    shelf.back()
    assert in_force() == ("A", "hash of A", None)


def test_only_the_newest_former_models_are_kept(first_model):
    for number in range(1, 7):
        put(f"m{number}", "", number)
    assert shelf.kept() == [4, 5, 6]


def test_a_roll_back_gives_the_phrases_back_to_the_editor(first_model, editor, admin):
    assign(editor, "faq", "豆豆还剩几颗")
    number = ask(editor)
    put("B", "b", number)
    end(number, Step.ACCEPTED)
    done = rollback.roll_back(admin.id, NOW)
    assert done.training_id == number
    assert "下次启动" in done.told  # the brain is away here
    assert in_force()[0] == "A"
    assert states() == ["refused"]
    with pytest.raises(Conflict):
        rollback.roll_back(None, NOW)


def test_nothing_is_taken_back_while_a_training_is_under_way(first_model, editor):
    put("B", "b", 1)
    assign(editor, "faq", "豆豆还剩几颗")
    ask(editor)
    with pytest.raises(Conflict):
        rollback.roll_back(None, NOW)
    assert in_force()[0] == "B"
