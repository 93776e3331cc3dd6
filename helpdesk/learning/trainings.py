"""Trainings: asked for once, run by one process under a lease, accepted or refused, and taken back.

What runs one is ``zhike nlu train`` (cli/training.py), started from the command line or by the worker (jobs/training.py).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core import db, wake
from core.errors import Conflict, Forbidden
from core.ids import new_id
from helpdesk.learning import rules
from helpdesk.learning.models import Collected, Training
from helpdesk.learning.rules import RUNNING, State, Step
from helpdesk.learning.usecases import need_editor
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import Role

ASKED = "training"  # wake topic: {} – a training waits
LEASE_SECONDS = 30.0
TRIES_MOST = 3
SHOWN_MOST = 20


def ask(session: Session, who: Agent | None, now: datetime, *, even_without: bool = False) -> Training:
    """A training of all that is assigned, waiting for a process. ``who`` None: the command line.

    Raises Forbidden; Conflict when one is under way, or nothing is assigned (unless ``even_without``).
    """
    if who is not None:
        need_editor(who)
    _alone(session)
    rows = session.scalars(select(Collected).where(Collected.state == State.ASSIGNED).with_for_update()).all()
    if not rows and not even_without:
        raise Conflict("还没有分配好的说法，先给几条说法选好意图吧。", code="nothing")
    training = Training(
        step=Step.QUEUED.value, phrases=len(rows), asked_by=who.id if who else None, asked_at=now, reason="", tries=0
    )
    session.add(training)
    session.flush()
    for row in rows:
        row.training_id = training.id
    staff.audit(session, who, "training_asked", now, f"training:{training.id}")
    wake.note(session, ASKED)
    return training


def _alone(session: Session) -> None:
    """Raises Conflict while a training is under way; nobody else asks or takes back until this transaction ends."""
    db.one_at_a_time(session, "training")
    if session.scalar(select(Training.id).where(Training.step.in_(RUNNING)).limit(1)) is not None:
        raise Conflict("已经有一次训练在进行，等它出结果再来。", code="training")


def due(session: Session, now: datetime) -> int | None:
    """A training that waits, or whose process is gone."""
    return session.scalar(
        select(Training.id)
        .where(Training.step.in_(RUNNING), or_(Training.lease_until.is_(None), Training.lease_until < now))
        .order_by(Training.id)
        .limit(1)
    )


def take(session: Session, training_id: int, now: datetime) -> str | None:
    """The lease of a training that waits, or None when another process has it or it is over. It begins anew.

    One that ended its process three times is given up.
    """
    training = _locked(session, training_id)
    if training is None or training.step not in RUNNING:
        return None
    if training.lease_until is not None and training.lease_until > now:
        return None
    if training.tries >= TRIES_MOST:
        _end(session, training, Step.FAILED, now, "训练进程多次中断，请看日志 var/logs/training.log", None)
        return None
    training.step, training.tries, training.began_at = Step.TRAINING.value, training.tries + 1, now
    training.lease_id, training.lease_until = new_id(), now + timedelta(seconds=LEASE_SECONDS)
    return training.lease_id


def renew(session: Session, training_id: int, lease: str, now: datetime, step: Step | None = None) -> bool:
    """A sign of life, and the next step; False when the lease was lost: stop."""
    training = _locked(session, training_id)
    if training is None or training.lease_id != lease or training.step not in RUNNING:
        return False
    training.lease_until = now + timedelta(seconds=LEASE_SECONDS)
    training.step = step.value if step else training.step
    return True


def give_back(session: Session, training_id: int, lease: str, now: datetime) -> None:
    """This process must end before its time: another one may begin at once."""
    training = _locked(session, training_id)
    if training is not None and training.lease_id == lease and training.step in RUNNING:
        training.step, training.lease_until, training.lease_id = Step.QUEUED.value, None, None
        wake.note(session, ASKED)


def finish(
    session: Session,
    training_id: int,
    lease: str,
    now: datetime,
    step: Step,
    *,
    reason: str = "",
    report: dict[str, Any] | None = None,
    left_out: Collection[int] = (),
) -> bool:
    """The result; its phrases are learned, or wait for the editor. False when the lease was lost.

    ``left_out``: phrases that were not trained on, because they stand in the golden set.
    """
    training = _locked(session, training_id)
    if training is None or training.lease_id != lease or training.step not in RUNNING:
        return False
    session.execute(update(Collected).where(Collected.id.in_(left_out)).values(state=State.DISMISSED.value))
    _end(session, training, step, now, reason, report)
    return True


def _end(
    session: Session, training: Training, step: Step, now: datetime, reason: str, report: dict[str, Any] | None
) -> None:
    training.step, training.reason, training.report, training.ended_at = step.value, reason, report, now
    training.lease_until = training.lease_id = None
    mine = update(Collected).where(Collected.training_id == training.id, Collected.state == State.ASSIGNED)
    if step == Step.ACCEPTED:
        session.execute(mine.values(state=State.EXPORTED.value))
    elif step == Step.REFUSED:
        session.execute(mine.values(state=State.REFUSED.value))
    else:  # nothing was found out: they wait as before
        session.execute(mine.values(training_id=None))
    session.expire_all()
    staff.audit(session, training.agent, f"training_{step}", now, f"training:{training.id}")


def phrases(session: Session, training_id: int | None = None) -> list[tuple[int, str, str]]:
    """What a training learns, or (without one) what would be learned now: id, intent, text of all learned and assigned.

    Of two that say the same, the one assigned last counts.
    """
    mine = Collected.state == State.ASSIGNED
    if training_id is not None:
        mine &= Collected.training_id == training_id
    found = session.scalars(
        select(Collected)
        .where(or_(Collected.state == State.EXPORTED, mine))
        .order_by(Collected.assigned_at, Collected.id)
    )
    newest: dict[str, tuple[int, str, str]] = {}
    for row in found:
        text = rules.trainable(row.text)
        if text and row.assigned_intent:
            newest[rules.squeeze(text)] = (row.id, row.assigned_intent, text)
    return list(newest.values())


def latest(session: Session) -> Sequence[Training]:
    """The newest trainings first."""
    return session.scalars(select(Training).order_by(Training.id.desc()).limit(SHOWN_MOST)).all()


def begin_rollback(session: Session, who: Agent | None) -> None:
    """Raises Forbidden for anybody but an admin (``who`` None: the command line), Conflict while a training is under way.

    Nobody else asks or takes back until this transaction ends.
    """
    if who is not None and who.role != Role.ADMIN:
        raise Forbidden("退回模型需要管理员来操作。", code="role")
    _alone(session)


def rolled_back(session: Session, who: Agent | None, now: datetime, training_id: int) -> None:
    """The model of this training was taken back: its phrases wait for the editor."""
    training = _locked(session, training_id)
    if training is not None:
        training.step = Step.ROLLED_BACK.value
        session.execute(
            update(Collected)
            .where(Collected.training_id == training_id, Collected.state == State.EXPORTED)
            .values(state=State.REFUSED.value)
        )
        session.expire_all()
    staff.audit(session, who, "model_rolled_back", now, f"training:{training_id}")


def _locked(session: Session, training_id: int) -> Training | None:
    return session.scalar(
        select(Training)
        .where(Training.id == training_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
