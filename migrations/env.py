"""Alembic's entry: our tables, our database, batch mode on SQLite (which cannot alter a column in place)."""

from alembic import context

from core import db
from migrations.models import metadata

with (context.config.attributes.get("engine") or db.engine()).connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:  # batch mode drops tables others refer to; must be said before the transaction begins
        connection.connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=sqlite,
        compare_type=True,
        user_module_prefix="core.db.",
    )
    with context.begin_transaction():
        context.run_migrations()
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() if sqlite else []
        if broken:
            raise RuntimeError(f"the migration left rows that refer to nothing: {broken[:3]}")
    connection.commit()
    if sqlite:
        connection.connection.execute("PRAGMA foreign_keys=ON")
