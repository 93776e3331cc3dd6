"""Stores many rows that bring their own ids."""

from collections.abc import Iterable

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.db import Base


def store(session: Session, *groups: Iterable[Base]) -> None:
    """Adds the groups' rows in one flush, then sets PostgreSQL's sequences behind the highest ids."""
    models: dict[type[Base], None] = {}
    for group in groups:
        for row in group:
            models[type(row)] = None
            session.add(row)
    session.flush()
    if session.get_bind().dialect.name != "postgresql":
        return
    for model in models:
        table = model.__table__
        highest = session.scalar(select(func.max(table.c.id)))
        sequence = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)")
        session.execute(sequence, {"name": model.__tablename__, "highest": highest})
