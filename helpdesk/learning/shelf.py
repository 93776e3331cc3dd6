"""The model files: the one in force, and those it took the place of. Each swap is safe against a crash at any line.

A model goes with its stamp (the hash of what it is made of, see cli/setup.py) and with the learned phrases that are in
it. The stamp is taken away first and written last: after a crash in between, the next set-up trains anew.
"""

import json
import os
import shutil
from pathlib import Path

from core import settings
from core.errors import Conflict

LEARNED = "learned.yml"
BEFORE = "before-"
KEPT_MOST = 3


def stamp() -> Path:
    """Says what the model in force is made of."""
    return settings.load().model.with_suffix(".hash")


def learned() -> Path:
    """The phrases learned so far, as Rasa reads them; may be missing."""
    return settings.load().learned / LEARNED


def put(candidate: Path, made_of: str, phrases: str, training_id: int) -> None:
    """Makes a candidate the model in force; what it takes the place of is kept (the newest three)."""
    _keep(training_id)
    stamp().unlink(missing_ok=True)
    candidate.replace(settings.load().model)
    write(learned(), phrases)
    write(stamp(), made_of)
    for old in kept()[:-KEPT_MOST]:
        shutil.rmtree(_folder(old), ignore_errors=True)


def _keep(training_id: int) -> None:
    """The model in force, its stamp and phrases, as they were before this training; once, also when it begins anew."""
    model, folder = settings.load().model, _folder(training_id)
    if folder.exists() or not model.exists():
        return
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    os.link(model, unfinished / model.name)
    for path in (stamp(), learned()):
        if path.exists():
            shutil.copy2(path, unfinished / path.name)
    unfinished.replace(folder)


def back() -> int:
    """Puts the model before the last accepted one back, with its phrases; the number of the training that is undone.

    Raises Conflict when there is none.
    """
    here = kept()
    if not here:
        raise Conflict("没有可以退回的模型：还没有哪次训练上线过。", code="no_model")
    number, model = here[-1], settings.load().model
    folder = _folder(number)
    stamp().unlink(missing_ok=True)
    returning = model.with_name(f"{model.name}.back")
    returning.unlink(missing_ok=True)
    os.link(folder / model.name, returning)
    returning.replace(model)
    before = folder / LEARNED
    if before.exists():
        write(learned(), before.read_text(encoding="utf-8"))
    else:
        learned().unlink(missing_ok=True)
    if (folder / stamp().name).exists():
        write(stamp(), (folder / stamp().name).read_text())
    shutil.rmtree(folder)
    return number


def kept() -> list[int]:
    """The trainings that can be undone, the oldest first."""
    folder = settings.load().model_dir
    found = [p.name.removeprefix(BEFORE) for p in folder.glob(f"{BEFORE}*") if p.is_dir()]
    return sorted(int(name) for name in found if name.isdigit())


def put_aside(phrases: str, report: dict[str, object], training_id: int) -> Path:
    """Keeps a refused export with its report, to be looked at; nothing trains on it."""
    folder = settings.load().learned / "refused"
    write(folder / f"{training_id}.json", json.dumps(report, ensure_ascii=False, indent=1))
    return write(folder / f"{training_id}.yml", phrases)


def _folder(training_id: int) -> Path:
    return settings.load().model_dir / f"{BEFORE}{training_id}"


def write(path: Path, text: str) -> Path:
    """The file with this content, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return new.replace(path)
