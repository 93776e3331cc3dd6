"""``zhike backup`` and ``zhike restore``: all that is yours in one file, taken while everything runs.

In it: the records and the bot's memory (SQLite's own online copies, or one ``pg_dump``), customers' pictures, what was
learned, and the secrets that were made here. Not in it: the model, which set-up trains again of data and learned phrases.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import URL, inspect, make_url

from cli import processes
from core import db, migrate, settings
from core.secrets import NAMES

# The bot's memory before the records, and the records before the pictures: a restored bot never takes for done what
# the records do not know, and a line's picture is never missing.
SQLITE_FILES = ("brain.db", "zhike.db")
DUMP = "database.dump"
SECRETS = "secrets.json"


def save(
    file: Annotated[Path, typer.Argument(help="where to write, e.g. backup/zhike.tar.gz; must not be there yet")],
) -> None:
    """Writes records, the bot's memory, pictures, learned phrases and secrets to one file, while all goes on running."""
    if file.exists():
        raise RuntimeError(f"{file} is there already; name another file")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as folder:
        made = Path(folder) / file.name
        made.touch(mode=0o600)  # customers' data and secrets are in it
        with tarfile.open(made, "w:gz") as archive:
            for path, name in _parts(Path(folder)):
                archive.add(path, name)
        made.replace(file)
    print(f"{file}: {file.stat().st_size / 1024**2:.1f} MB")
    outside = _secrets_elsewhere()
    if outside:
        print(f"Not in it, because they come from the environment: {', '.join(outside)}. Keep them in a safe place.")


def _secrets_elsewhere() -> list[str]:
    """The variables of the secrets in force that are not those of the file kept here."""
    chosen = settings.load()
    path = chosen.var_dir / SECRETS
    kept = json.loads(path.read_text()) if path.exists() else {}
    return [f"ZHIKE_{name.upper()}" for name in NAMES if getattr(chosen, name) != kept.get(name)]


def _parts(workshop: Path) -> Iterator[tuple[Path, str]]:
    """What goes into the file, and under which name; copies are made when they are asked for, in this order."""
    chosen = settings.load()
    url = make_url(chosen.database)
    if _is_postgresql(url):
        _postgresql("pg_dump", url, ["--format=custom", "--no-owner", f"--file={workshop / DUMP}"])
        yield workshop / DUMP, DUMP
    else:
        for name, original in _sqlite_files(url).items():
            if original.exists() or name == SQLITE_FILES[-1]:
                _copy(original, workshop / name)
                yield workshop / name, name
    for path, name in _folders().items():
        if path.exists():
            yield path, name


def _folders() -> dict[Path, str]:
    """What is kept as files, by where it is here."""
    chosen = settings.load()
    return {
        chosen.var_dir / "uploads": "uploads",
        chosen.learned: "learned",
        chosen.var_dir / SECRETS: SECRETS,
    }


def _sqlite_files(url: URL) -> dict[str, Path]:
    return dict(zip(SQLITE_FILES, (settings.load().var_dir / "brain.db", Path(url.database or "")), strict=True))


def _copy(original: Path, copy: Path) -> None:
    """SQLite's online copy of one moment, checked. Raises RuntimeError."""
    if not original.exists():
        raise RuntimeError(f"there is no database at {original}; see ZHIKE_DATABASE_URL and ZHIKE_VAR_DIR")
    source, target = sqlite3.connect(original), sqlite3.connect(copy)
    try:
        source.backup(target)
        (told,) = target.execute("PRAGMA integrity_check").fetchone()
    finally:
        source.close()
        target.close()
    if told != "ok":
        raise RuntimeError(f"the copy of {original} is damaged ({told}); is the disk whole?")


def _is_postgresql(url: URL) -> bool:
    return url.get_backend_name() in {"postgresql", "postgres"}


def _postgresql(program: str, url: URL, options: Sequence[str]) -> None:
    """pg_dump or pg_restore on our database; the password goes by the environment, where nobody else reads it.

    Raises RuntimeError with the program's last line.
    """
    if shutil.which(program) is None:
        raise RuntimeError(f"{program} is not installed here (Debian: postgresql-client, not older than the server)")
    shown = url.set(drivername="postgresql", password=None).render_as_string()
    env = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(
        [program, f"--dbname={shown}", *options], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def restore(file: Annotated[Path, typer.Argument(help="what zhike backup wrote", exists=True, dir_okay=False)]) -> None:
    """Puts a backup into an empty place: a var folder without a database, or a new PostgreSQL database. Overwrites none."""
    chosen = settings.load()
    url = make_url(chosen.database)
    _check_stopped()
    _check_empty(url)
    chosen.var_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=chosen.var_dir) as folder:
        unpacked = Path(folder)
        with tarfile.open(file) as archive:
            archive.extractall(unpacked, filter="data")
        _check_kind(unpacked, url)
        for path, name in _folders().items():
            if (unpacked / name).exists():
                _put(unpacked / name, path)
        if _is_postgresql(url):
            options = ["--exit-on-error", "--single-transaction", "--no-owner", str(unpacked / DUMP)]
            _postgresql("pg_restore", url, options)
        else:
            for name, path in _sqlite_files(url).items():
                if (unpacked / name).exists():
                    (unpacked / name).replace(path)
    print("Restored. Now: zhike setup (brings the database to this version's form, trains the model), then start.")


def _check_stopped() -> None:
    environment = processes.environment()
    up = [name for name in processes.ORDER if processes.is_up(name, environment)]
    if up:
        raise RuntimeError(f"still running: {', '.join(up)}; stop Zhike first")


def _check_empty(url: URL) -> None:
    if not _is_postgresql(url):
        for path in _sqlite_files(url).values():
            there = [p.name for p in path.parent.glob(f"{path.name}*")]  # an old -wal would spoil the restored file
            if there:
                raise RuntimeError(f"{', '.join(there)} in {path.parent}: move it away first")
        return
    found = inspect(db.engine())
    if found.get_table_names() or migrate.BRAIN_SCHEMA in found.get_schema_names():
        raise RuntimeError("the database is not empty; make a new one and name it in ZHIKE_DATABASE_URL")


def _check_kind(unpacked: Path, url: URL) -> None:
    wanted, other = (DUMP, "SQLite") if _is_postgresql(url) else (SQLITE_FILES[-1], "PostgreSQL")
    if not (unpacked / wanted).exists():
        raise RuntimeError(f"this is no backup of this kind of database (of {other}?); see ZHIKE_DATABASE_URL")


def _put(unpacked: Path, path: Path) -> None:
    """A file or folder to its place; what lies there already stays, unless it has the same name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if unpacked.is_dir():
        shutil.copytree(unpacked, path, dirs_exist_ok=True)
    else:
        shutil.copy2(unpacked, path)
