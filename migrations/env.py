"""Alembic's entry: our tables, our database, batch mode on SQLite (which cannot alter a column in place)."""

from alembic import context

from core import db
from migrations.models import metadata

with (context.config.attributes.get("engine") or db.engine()).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        user_module_prefix="core.db.",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
