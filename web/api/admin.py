"""The API of the administration: what the bot learns from talks (docs/api.md). For editors and admins."""

from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from flask import g
from sqlalchemy.orm import Session

from core import clock, db, settings
from core.errors import Unauthenticated
from helpdesk.learning import rollback, rules, shelf, trainings
from helpdesk.learning import usecases as learning
from helpdesk.learning.models import Collected, Training
from helpdesk.learning.rules import LABELS, PHRASES_MOST, Group, HintKind, State, Step, Why
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import Role
from web.access import agent
from web.api.customer import responses
from web.body import Lenient

bp = APIBlueprint("admin", __name__, url_prefix="/api/v1/admin", tag="admin")
ID_MOST = 2**31 - 1


class Which(Lenient):
    """Which messages."""

    state = String(load_default=State.OPEN.value, validate=OneOf([s.value for s in State]))


class Phrase(Lenient):
    """A collected message by its id, or (without one) a further wording."""

    id = Integer(load_default=None, allow_none=True, strict=True, validate=Range(1, ID_MOST))
    text = String(required=True, validate=Length(min=1, max=1000))


class Assignment(Lenient):
    """What these phrases mean."""

    intent = String(required=True, validate=Length(min=1, max=40))
    phrases = List(Nested(Phrase), required=True, validate=Length(min=1, max=PHRASES_MOST))


class These(Lenient):
    """Messages by their ids."""

    ids = List(
        Integer(strict=True, validate=Range(1, ID_MOST)), required=True, validate=Length(min=1, max=PHRASES_MOST)
    )


def _me(session: Session) -> Agent:
    found = session.get(Agent, g.agent_id)
    if found is None:
        raise Unauthenticated("登录已过期，请重新登录。", code="session")
    return found


@bp.get("/learning/groups")
@agent
@bp.input(Which, location="query")
@bp.doc(summary="Messages by likeness", security="bearer", responses=responses(200, 401, 403, 422))
def groups(query_data: dict[str, Any]) -> dict[str, Any]:
    """The newest 500 messages in a state, the largest group first, and how many there are in each state."""
    with db.reading() as session:
        found = learning.groups(session, _me(session), State(query_data["state"]))
        return {"groups": [_group(each) for each in found], "counts": learning.counts(session)}


@bp.get("/learning/intents")
@agent
@bp.doc(summary="The 46 intents", security="bearer", responses=responses(200, 401, 403))
def intents() -> dict[str, Any]:
    """To choose from."""
    with db.reading() as session:
        learning.need_editor(_me(session))
    return {"intents": [{"name": name, "label": label} for name, label in LABELS.items()]}


@bp.post("/learning/assign")
@agent
@bp.input(Assignment)
@bp.doc(summary="Say what phrases mean", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422))
def assign(json_data: dict[str, Any]) -> dict[str, Any]:
    """Collected ones with their mended text, and further wordings; known wordings are left out."""
    phrases = [(phrase["id"], phrase["text"]) for phrase in json_data["phrases"]]
    with db.writing() as session:
        return {
            "assigned": learning.assign(session, _me(session), clock.now(), intent=json_data["intent"], phrases=phrases)
        }


@bp.post("/learning/dismiss")
@agent
@bp.input(These)
@bp.doc(
    summary="Nothing to learn from these", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422)
)
def dismiss(json_data: dict[str, Any]) -> dict[str, Any]:
    """They can be opened again."""
    with db.writing() as session:
        return {"dismissed": learning.dismiss(session, _me(session), clock.now(), json_data["ids"])}


@bp.post("/learning/reopen")
@agent
@bp.input(These)
@bp.doc(summary="Begin again with these", security="bearer", responses=responses(200, 400, 401, 403, 404, 409, 422))
def reopen(json_data: dict[str, Any]) -> dict[str, Any]:
    """An editor's own wording goes away."""
    with db.writing() as session:
        return {"opened": learning.reopen(session, _me(session), clock.now(), json_data["ids"])}


@bp.get("/learning/trainings")
@agent
@bp.doc(summary="Trainings, the newest first", security="bearer", responses=responses(200, 401, 403))
def history() -> dict[str, Any]:
    """With both models' numbers; ``back_to``: which training a roll-back would undo."""
    with db.reading() as session:
        me = _me(session)
        learning.need_editor(me)
        kept = shelf.kept()
        return {
            "trainings": [_training(each) for each in trainings.latest(session)],
            "assigned": learning.counts(session)[State.ASSIGNED.value],
            "tolerance": settings.load().golden_lines_tolerance,
            "back_to": kept[-1] if kept else None,
            "may_roll_back": me.role == Role.ADMIN,
        }


@bp.post("/learning/trainings")
@agent
@bp.doc(summary="Export and train", security="bearer", responses=responses(202, 401, 403, 409))
def train() -> tuple[dict[str, Any], int]:
    """All that is assigned; one at a time."""
    with db.writing() as session:
        return {"training": _training(trainings.ask(session, _me(session), clock.now()))}, 202


@bp.post("/learning/rollback")
@agent
@bp.doc(summary="Back to the former model", security="bearer", responses=responses(200, 401, 403, 409))
def roll_back() -> dict[str, Any]:
    """Admins only."""
    done = rollback.roll_back(g.agent_id, clock.now())
    return {"training_id": done.training_id, "told": done.told}


def _group(group: Group[Collected]) -> dict[str, Any]:
    first = group.members[0]
    suggested = next(
        (label for row in group.members if (label := row.assigned_intent or rules.label_of(row.hint, row.hint_kind))),
        None,
    )
    return {
        "id": first.id,
        "example": first.text,
        "count": len(group.members),
        "suggested": suggested,
        "messages": [_message(row) for row in group.members],
    }


def _message(row: Collected) -> dict[str, Any]:
    hint_label = LABELS.get(row.hint or "", row.hint)
    return {
        "id": row.id,
        "text": row.text,
        "state": row.state,
        "why": row.why,
        "why_label": Why(row.why).label,
        "intent": row.intent,
        "intent_label": LABELS.get(row.intent or "", row.intent),
        "confidence": row.confidence,
        "decision": row.decision,
        "hint": f"{HintKind(row.hint_kind).label}：{hint_label}" if row.hint_kind else None,
        "assigned_intent": row.assigned_intent,
        "assigned_label": LABELS.get(row.assigned_intent or ""),
        "assigned_by": row.agent.display_name if row.agent else None,
        "training_id": row.training_id,
        "created_at": clock.iso(row.created_at),
    }


def _training(training: Training) -> dict[str, Any]:
    report = dict(training.report or {})
    report.pop("error", None)  # for the log, in English
    report["worse"] = [
        {**line, "intent_label": LABELS.get(line["intent"], line["intent"]), "after_label": LABELS.get(line["after"])}
        for line in report.get("worse", [])
    ]
    return {
        "id": training.id,
        "step": training.step,
        "step_label": Step(training.step).label,
        "running": training.step in rules.RUNNING,
        "phrases": training.phrases,
        "reason": training.reason,
        "report": report if training.report else None,
        "asked_by": training.agent.display_name if training.agent else "命令行",
        "asked_at": clock.iso(training.asked_at),
        "began_at": clock.iso(training.began_at),
        "ended_at": clock.iso(training.ended_at),
    }
