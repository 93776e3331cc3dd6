"""Brings the database to the newest form, and says whether it is there."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from core import db
from core.settings import ROOT

BRAIN_SCHEMA = "brain"  # the brain's own tables on PostgreSQL; Rasa makes them, but not the schema


def config(engine: Engine | None = None) -> Config:
    """Alembic's configuration, without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(ROOT / "migrations"))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine | None = None) -> None:
    """All migrations that are missing."""
    command.upgrade(config(engine), "head")
    with (engine or db.engine()).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {BRAIN_SCHEMA}"))


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest form."""
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    return here == ScriptDirectory.from_config(config(engine)).get_current_head()
