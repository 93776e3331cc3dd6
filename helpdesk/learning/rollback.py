"""Taking the last accepted model back: one step for the page and the command line."""

from dataclasses import dataclass
from datetime import datetime

from core import db
from helpdesk.conversations import brain
from helpdesk.learning import shelf, trainings
from helpdesk.staff.models import Agent


@dataclass(frozen=True)
class RolledBack:
    """Which training was undone, and what to tell."""

    training_id: int
    told: str


def roll_back(agent_id: int | None, now: datetime) -> RolledBack:
    """Puts the former model back and has the brain load it. ``agent_id`` None: from the command line.

    Raises Forbidden; Conflict when there is no former model or a training is under way.
    """
    with db.writing() as session:
        who = session.get(Agent, agent_id) if agent_id is not None else None
        trainings.begin_rollback(session, who)
        number = shelf.back()
        trainings.rolled_back(session, who, now, number)
    return RolledBack(number, f"已退回第 {number} 次训练之前的模型，{_loaded()}")


def _loaded() -> str:
    try:
        brain.reload()
    except brain.BrainAway:
        return "机器人这会儿没在运行，下次启动时生效。"
    except brain.BadModel:
        return "但机器人没能载入它，请看日志 brain.log，再重启机器人。"
    return "机器人已经换上。"
