"""Trains the model: at set-up when its data changed, and again with what editors assigned, when that makes it no worse."""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.children import end_all, started
from cli.processes import BOT_PYTHON, ROOT
from cli.reading import parsed
from cli.scores import Row, Scores, read_tsv, score
from core import clock, db, settings
from core.errors import Conflict
from helpdesk.conversations import brain
from helpdesk.learning import rules, shelf, trainings
from helpdesk.learning.rules import Line, Step

GOLDEN = ROOT / "tests" / "nlu" / "golden.tsv"
WORSE_SHOWN = 100
BEAT_SECONDS = 2.0
CANDIDATE = "candidate-"
LEFT_OVER_SECONDS = 24 * 3600


STRUCTURE = ("config.yml", "requirements/bot.txt", "data/rules", "data/stories", "bot/domain", "bot/nlu")
WORDS = ("data/nlu", "data/mood", "bot/lexicon")


def made_of(learned: str | None = None) -> str:
    """What a model is made of, as two hashes: what the dialogue and the components are, and the words they learn from.
    ``learned``: the phrases learned from talks (default: those in force)."""
    if learned is None and shelf.learned().exists():
        learned = shelf.learned().read_text(encoding="utf-8")
    return f"{_digest(STRUCTURE)}-{_digest(WORDS, learned or '')}"


def _digest(names: Sequence[str], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for name in names:
        inside = (p for p in (ROOT / name).rglob("*") if p.suffix in {".yml", ".py", ".txt", ".tsv"})
        for path in [ROOT / name] if (ROOT / name).is_file() else sorted(inside):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def is_trained() -> bool:
    """Whether the model in force is made of the present data."""
    return settings.load().model.exists() and _stamped() == made_of()


def serves() -> bool:
    """Whether the model in force fits the dialogue and the components of today: then only words are new, if anything."""
    return settings.load().model.exists() and _stamped().split("-")[0] == made_of().split("-", maxsplit=1)[0]


def _stamped() -> str:
    return shelf.stamp().read_text() if shelf.stamp().exists() else ""


def if_changed() -> None:
    """Trains the model when its data or pipeline changed. Raises RuntimeError with the reason."""
    if is_trained():
        return
    begun, wanted = time.monotonic(), made_of()
    print("setup: training the model (one to three minutes) …", flush=True)
    model = settings.load().model
    with _workshop(f"setup-{os.getpid()}") as folder:
        made = build(folder, shelf.learned(), lambda step: _say(step, begun))
        shelf.stamp().unlink(missing_ok=True)
        made.replace(model)
    shelf.write(shelf.stamp(), wanted)
    print(f"setup: model trained ({time.monotonic() - begun:.0f} s)", flush=True)


def _say(step: str, begun: float) -> None:
    print(f"setup:   {step} ({time.monotonic() - begun:.0f} s)", flush=True)


@contextmanager
def _workshop(name: str) -> Iterator[Path]:
    """A folder beside the models, gone at the end; those left over by killed trainings go, too."""
    folder = settings.load().model_dir / f"{CANDIDATE}{name}"
    for old in folder.parent.glob(f"{CANDIDATE}*"):
        if old.stat().st_mtime < time.time() - LEFT_OVER_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build(folder: Path, learned: Path, say: Callable[[str], None]) -> Path:
    """A model made in this folder, of our data and the learned phrases (if that file is there).

    ``say`` is told what is being trained. Raises RuntimeError with the last lines of the log (training.log beside).
    """
    log = folder.parent / "training.log"
    data = ["data", *([str(learned)] if learned.exists() else [])]
    command = [str(BOT_PYTHON), "-m", "rasa", "train", "--domain", "bot/domain", "--data", *data]
    command += ["--config", "config.yml", "--out", str(folder), "--fixed-model-name", "zhike"]
    with log.open("wb") as out, started(command, stdout=out, stderr=out) as process:
        _watch(process, log, say)
    made = folder / "zhike.tar.gz"
    if process.returncode or not made.exists():
        last = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise RuntimeError(f"training failed; the last lines of {log}:\n{last}")
    return made


def _watch(process: "subprocess.Popen[bytes]", log: Path, say: Callable[[str], None]) -> None:
    said = 0
    while True:
        try:
            process.wait(timeout=5)
            return
        except subprocess.TimeoutExpired:
            steps = [line for line in log.read_text(errors="replace").splitlines() if "Starting to train" in line]
            for line in steps[said:]:
                say(line.split("component ")[-1].strip("'."))
            said = len(steps)


# With what was learned from talks


class Stopped(Exception):
    """Another process has the training, or the one that wanted it is gone."""


@dataclass
class _Lease:
    """Keeps a training ours while we work, and stops the work when it is not, or when nobody wants it any more."""

    training_id: int
    name: str
    parent: int | None  # the process for which we work; None: somebody at a terminal
    lost: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "_Lease":
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self.done.wait(BEAT_SECONDS):
            orphaned = self.parent is not None and os.getppid() != self.parent
            if orphaned or not self.renew():
                self.lost.set()
                end_all()
                return

    def renew(self, step: Step | None = None) -> bool:
        """False when it was lost."""
        with db.writing() as session:
            return trainings.renew(session, self.training_id, self.name, clock.now(), step)

    def check(self, step: Step | None = None) -> None:
        """Raises Stopped when it was lost."""
        if self.lost.is_set() or not self.renew(step):
            raise Stopped

    def finish(self, step: Step, **result: Any) -> None:
        """The result. Raises Stopped when it was lost."""
        with db.writing() as session:
            if not trainings.finish(session, self.training_id, self.name, clock.now(), step, **result):
                raise Stopped

    def give_back(self) -> None:
        """Somebody else may begin it."""
        with db.writing() as session:
            trainings.give_back(session, self.training_id, self.name, clock.now())


def run(job: int | None) -> str:
    """Trains, measures, accepts or refuses; what became of it, in one line. ``job`` None: begun here and now.

    Raises RuntimeError when it was refused or failed, Conflict when one is under way.
    """
    with db.writing() as session:
        number = job or trainings.due(session, clock.now())  # one whose process was killed is gone on with
        number = number or trainings.ask(session, None, clock.now(), even_without=True).id
        name = trainings.take(session, number, clock.now())
    if name is None:
        raise Conflict(f"第 {number} 次训练已经有进程在做，或已经结束。", code="taken")
    if job is not None:
        os.nice(10)  # the customers' turns come first
    lease = _Lease(number, name, os.getppid() if job is not None else None)
    try:
        with lease:
            return _train(lease)
    except Stopped:
        lease.give_back()
        raise RuntimeError(f"第 {number} 次训练中断了，会重新开始。") from None
    except BaseException as error:
        if lease.lost.is_set():
            lease.give_back()
            raise RuntimeError(f"第 {number} 次训练中断了，会重新开始。") from error
        _failed(lease, error)
        raise


def _failed(lease: _Lease, error: BaseException) -> None:
    refused = isinstance(error, Refused)
    if not refused:
        told = "训练没有做完，请看日志 training.log，再试一次。"
        lease.finish(Step.FAILED, reason=told, report={"error": f"{type(error).__name__}: {error}"[-2000:]})


class Refused(RuntimeError):
    """The new model is worse."""


def _train(lease: _Lease) -> str:
    rows = read_tsv(GOLDEN)
    golden = [rules.pairs(row.text) for row in rows]
    with db.reading() as session:
        found = trainings.phrases(session, lease.training_id)
    left_out = [number for number, _, text in found if rules.is_like_any(text, golden)]
    phrases = rules.training_file((intent, text) for number, intent, text in found if number not in left_out)
    with _workshop(lease.name) as folder:
        made = build(folder, shelf.write(folder / shelf.LEARNED, phrases), lambda _: None)
        lease.check(Step.EVALUATING)
        verdict, report = _measured(rows, made, tuple(left_out))
        lease.check()
        if not verdict.accepted:
            reason = "；".join(verdict.reasons) + "。"
            shelf.put_aside(phrases, report, lease.training_id)
            lease.finish(Step.REFUSED, reason=reason, report=report, left_out=left_out)
            raise Refused(f"新模型没有通过，仍用原来的：{reason}")
        shelf.put(made, made_of(phrases), phrases, lease.training_id)
    try:
        loaded = "机器人已经换上。" if _loaded() else "机器人这会儿没在运行，下次启动时生效。"
    except brain.BadModel:
        shelf.back()
        raise
    lease.finish(Step.ACCEPTED, report=report, left_out=left_out)
    return f"新模型通过了（{report['after']['right']}/{report['golden']}，原来 {report['before']['right']}），{loaded}"


def _loaded() -> bool:
    try:
        brain.reload()
    except brain.BrainAway:
        return False
    return True


def _measured(rows: Sequence[Row], made: Path, left_out: Sequence[int]) -> tuple[rules.Verdict, dict[str, Any]]:
    """Both models on the golden set, at the same time. Without a model in force the new one is compared with itself."""
    chosen = settings.load()
    texts = [row.text for row in rows]
    with ThreadPoolExecutor(2) as pool:
        candidate = pool.submit(lambda: list(parsed(texts, made)))
        running = pool.submit(lambda: list(parsed(texts))) if chosen.model.exists() else candidate
        after, before = candidate.result(), running.result()
    lines = [
        Line(
            row.text,
            row.intent,
            b["intent"],
            a["intent"],
            b["intent"] in row.right,
            a["intent"] in row.right,
            b["decision"] == "answer",
            a["decision"] == "answer",
        )
        for row, b, a in zip(rows, before, after, strict=True)
    ]
    worse = [line for line in lines if line.right_before and not line.right_after]
    report = {
        "golden": len(rows),
        "before": _numbers(score(rows, before), sum(line.right_before for line in lines)),
        "after": _numbers(score(rows, after), sum(line.right_after for line in lines)),
        "worse": [
            {"text": line.text, "intent": line.intent, "before": line.before, "after": line.after}
            for line in worse[:WORSE_SHOWN]
        ],
        "better": sum(line.right_after and not line.right_before for line in lines),
        "left_out": len(left_out),
    }
    return rules.judge(lines, chosen.golden_lines_tolerance), report


def _numbers(scores: Scores, right: int) -> dict[str, Any]:
    return {
        "right": right,
        "accuracy": round(scores.accuracy, 4),
        "macro_f1": round(scores.macro_f1, 4),
        "acted": round(scores.acted, 4),
    }
