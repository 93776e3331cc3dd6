"""Waits for the database to be in form, then takes this process's place with one of Zhike's: ``start.py web|actions``."""

import os
import sys
import time

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from cli import processes
from core import db, migrate

LOOK_EVERY_SECONDS = 3


def is_usable() -> bool:
    """Whether the database has our form or a newer one: migrations only add, so older processes go on beside them."""
    scripts = ScriptDirectory.from_config(migrate.config())
    older = {script.revision for script in scripts.walk_revisions()} - set(scripts.get_heads())
    try:
        with db.engine().connect() as connection:
            here = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return False
    return here is not None and here not in older


def main(name: str) -> None:
    """Does not return."""
    while not is_usable():
        sys.stderr.write(f"{name} waits for set-up to bring the database to its form\n")
        time.sleep(LOOK_EVERY_SECONDS)
    db.engine().dispose()
    command, environment = processes.command(name, processes.environment())
    os.execve(command[0], command, environment)  # noqa: S606 – a program of ours, without a shell


if __name__ == "__main__":
    main(sys.argv[1])
