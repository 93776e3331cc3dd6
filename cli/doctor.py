"""What a working installation needs, checked one by one."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from cli import processes
from cli.training import is_trained
from core import db, migrate, settings

ENOUGH_BYTES = 1024**3


@dataclass(frozen=True)
class Check:
    """One thing, whether it is right, and the mend."""

    what: str
    ok: bool
    mend: str = ""


def checks() -> Iterator[Check]:
    """All checks, in the order in which things depend on each other."""
    chosen = settings.load()
    yield Check("settings", True)
    free = shutil.disk_usage(chosen.var_dir if chosen.var_dir.exists() else processes.ROOT).free
    yield Check("disk", free > ENOUGH_BYTES, "less than 1 GB is free; make room")
    yield Check("brain's environment", processes.BOT_PYTHON.exists(), "run: make setup")
    yield Check("desk's build", (processes.ROOT / "web/static/desk/index.html").exists(), "run: make setup")
    yield Check("model is of the present data", is_trained(), "run: make setup")
    yield from _database()
    environment = processes.environment()
    for name in processes.ORDER:
        yield Check(f"{name} answers", processes.is_up(name, environment), "start it: make run")


def _database() -> Iterator[Check]:
    try:
        with db.engine().connect() as connection:
            connection.execute(text("SELECT 1"))
    except Exception as error:
        yield Check("database", False, f"cannot be reached ({type(error).__name__}); see ZHIKE_DATABASE_URL")
        return
    yield Check("database", True)
    yield Check("database form", migrate.is_current(db.engine()), "run: zhike db upgrade")
