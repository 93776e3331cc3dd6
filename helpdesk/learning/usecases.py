"""The editor's side of learning: what was collected is looked through, assigned to an intent, or put aside."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.text import clean
from helpdesk.learning import rules
from helpdesk.learning.models import Collected, Training
from helpdesk.learning.rules import LABELS, PHRASES_MOST, RUNNING, Group, State, Why
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent
from helpdesk.staff.rules import EDITS

LOOKED_AT_MOST = 500


def need_editor(who: Agent) -> None:
    """Raises Forbidden unless this member of staff may teach the bot."""
    if who.role not in EDITS:
        raise Forbidden("这里只对知识编辑和管理员开放，需要的话请联系管理员。", code="role")


def groups(session: Session, who: Agent, state: State) -> list[Group[Collected]]:
    """The newest messages in a state, grouped by likeness. Raises Forbidden."""
    need_editor(who)
    found = session.scalars(
        select(Collected).where(Collected.state == state).order_by(Collected.id.desc()).limit(LOOKED_AT_MOST)
    ).all()
    return rules.grouped([(row, row.text) for row in found])


def counts(session: Session) -> dict[str, int]:
    """How many there are in each state."""
    query = select(Collected.state, func.count()).group_by(Collected.state)
    found = {str(state): int(number) for state, number in session.execute(query)}
    return {state.value: found.get(state.value, 0) for state in State}


def assign(
    session: Session, who: Agent, now: datetime, *, intent: str, phrases: Sequence[tuple[int | None, str]]
) -> int:
    """Says what these mean: collected ones by id with their (mended) text, or further wordings without an id.

    Wordings that are known already for this intent are left out; gives how many phrases were assigned. Raises
    Forbidden, Invalid, NotFound, and Conflict for one that is learned already or in training.
    """
    need_editor(who)
    if intent not in LABELS:
        raise Invalid("没有这个意图，请从列表里选。", code="intent")
    if not 1 <= len(phrases) <= PHRASES_MOST:
        raise Invalid(f"一次请分配 1 到 {PHRASES_MOST} 条。", code="phrases")
    rows = {row.id: row for row in _changeable(session, [number for number, _ in phrases if number is not None])}
    known = _known(session, intent, set(rows))
    done = 0
    for number, text in phrases:
        masked = rules.mask(clean(text))
        if not rules.squeeze(rules.trainable(masked)):
            raise Invalid("说法不能是空的，请写一句客户会说的话。", code="empty")
        if number is None and rules.squeeze(masked) in known:
            continue
        known.add(rules.squeeze(masked))
        row = rows[number] if number is not None else Collected(why=Why.WRITTEN.value, created_at=now)
        row.text, row.state, row.training_id = masked, State.ASSIGNED.value, None
        row.assigned_intent, row.assigned_by, row.assigned_at = intent, who.id, now
        session.add(row)
        done += 1
    staff.audit(session, who, "phrases_assigned", now, f"{intent}: {done}")
    session.flush()
    return done


def dismiss(session: Session, who: Agent, now: datetime, ids: Sequence[int]) -> int:
    """Nothing to learn from these. Raises Forbidden, NotFound, Conflict."""
    need_editor(who)
    rows = _changeable(session, ids)
    for row in rows:
        row.state, row.assigned_intent, row.training_id = State.DISMISSED.value, None, None
        row.assigned_by, row.assigned_at = who.id, now
    staff.audit(session, who, "phrases_dismissed", now, str(len(rows)))
    return len(rows)


def reopen(session: Session, who: Agent, now: datetime, ids: Sequence[int]) -> int:
    """Back to the beginning; an editor's own wording goes away. Raises Forbidden, NotFound, Conflict."""
    need_editor(who)
    rows = _changeable(session, ids)
    for row in rows:
        if row.why == Why.WRITTEN:
            session.delete(row)
        row.state, row.assigned_intent, row.training_id = State.OPEN.value, None, None
        row.assigned_by = row.assigned_at = None
    staff.audit(session, who, "phrases_reopened", now, str(len(rows)))
    return len(rows)


def _changeable(session: Session, ids: Sequence[int]) -> list[Collected]:
    """These, in their order, nobody else changing them."""
    found = session.scalars(
        select(Collected).where(Collected.id.in_(set(ids))).order_by(Collected.id).with_for_update()
    ).all()
    if len(found) != len(set(ids)):
        raise NotFound("有的说法已经不在了，请刷新后再试。")
    in_training = set(session.scalars(select(Training.id).where(Training.step.in_(RUNNING))))
    for row in found:
        if row.state == State.EXPORTED:
            raise Conflict("这条已经学会了；要撤回，请退回上一个模型。", code="exported")
        if row.state == State.ASSIGNED and row.training_id in in_training:
            raise Conflict("这条正在训练，等结果出来再改。", code="training")
    return list(found)


def _known(session: Session, intent: str, but: set[int]) -> set[str]:
    """The wordings this intent has been given already."""
    found = session.execute(
        select(Collected.id, Collected.text).where(
            Collected.assigned_intent == intent, Collected.state.in_((State.ASSIGNED, State.EXPORTED))
        )
    )
    return {rules.squeeze(text) for number, text in found if number not in but}
