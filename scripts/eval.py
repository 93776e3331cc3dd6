"""`make eval`: understanding, measured. Ours beside stock Rasa's Chinese pipeline, on messages nobody trained on.

    PYTHONPATH=. .venv/bin/python scripts/eval.py [--no-stock]

The stock pipeline (scripts/stock_pipeline.yml) needs a quarter of a minute an epoch for 800 phrases and would train for days on
all of ours, so it and a model of ours get the same sample (tests/nlu/sample.yml: every 88th phrase of each intent, twelve at least, as of
2026-11-22, fixed so that the stock model need not train anew at every new phrase); ours on everything stands beside.
Trained models are kept in var/eval by the hash of what they are made of. Sets: real customers' messages (REAL=file.tsv, not
part of this repository; ../shared/real_utterances/dev.tsv if it is there), tests/nlu/heldout.tsv, outside.tsv,
entities.tsv, mood.tsv.
"""

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from opencc import OpenCC
from pypinyin import lazy_pinyin

from cli.processes import BOT_PYTHON, ROOT
from cli.scores import Row, read_tsv, score
from core import settings
from scripts.nlu_near_copies import read_training

KEPT = ROOT / "var" / "eval"
SETS = ROOT / "tests" / "nlu"
SAMPLE = SETS / "sample.yml"
ANSWERS = "answer"
STOCK = ROOT / "scripts" / "stock_pipeline.yml"
OURS = ROOT / "config.yml"
REAL = Path(os.environ.get("REAL") or ROOT.parent / "shared" / "real_utterances" / "dev.tsv")
MARK = re.compile(r"\[([^\]\[]+)\]\(([a-z_]+)\)")
OUTSIDE = "out_of_scope"
SLIP_EVERY = 16  # characters: one slip in most messages
EXAMPLE = re.compile(r"^\s*-\s+(.*\S)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Trained:
    """A model and what it cost to train."""

    name: str
    path: Path
    seconds: float | None
    phrases: int


@dataclass(frozen=True)
class Reading:
    """What a model made of some texts, and what that cost."""

    results: list[dict[str, Any]]
    mebibytes: int

    def milliseconds(self, share: float) -> float:
        """The time a message took, at this share of the messages in order of time."""
        times = sorted(r["ms"] for r in self.results[1:])
        return float(times[int(share * (len(times) - 1))])


def train(name: str, config: Path, phrases: Path) -> Trained:
    """Trains (or takes the kept) model of these phrases. Raises CalledProcessError."""
    digest = hashlib.sha256(config.read_bytes() + phrases.read_bytes())
    if config == OURS:
        for path in sorted((ROOT / "bot" / "nlu").glob("*.*")):
            digest.update(path.read_bytes())
        digest.update((ROOT / "data" / "mood" / "mood.tsv").read_bytes())
    KEPT.mkdir(parents=True, exist_ok=True)
    model = KEPT / f"{name}-{digest.hexdigest()[:12]}.tar.gz"
    note = model.with_suffix(".json")
    count = sum(len(EXAMPLE.findall(b["examples"])) for b in yaml.safe_load(phrases.read_text())["nlu"])
    if not model.exists() or not note.exists():
        print(f"training {name} on {count} phrases …", file=sys.stderr, flush=True)
        begun = time.monotonic()
        command = [str(BOT_PYTHON), "-m", "rasa", "train", "nlu", "--nlu", str(phrases), "--config", str(config)]
        command += ["--out", str(KEPT), "--fixed-model-name", model.name.removesuffix(".tar.gz")]
        with (KEPT / f"{name}.log").open("wb") as log:
            subprocess.run(command, check=True, cwd=ROOT, env=_environment(), stdout=log, stderr=log)
        note.write_text(json.dumps({"seconds": round(time.monotonic() - begun)}))
    told = json.loads(note.read_text())["seconds"]
    return Trained(name, model, told, count)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}


def read(model: Trained, texts: Sequence[str]) -> Reading:
    """The model's readings of the texts, one after another on one core. Raises RuntimeError."""
    command = [str(BOT_PYTHON), "-m", "bot.nlu.parse", str(model.path), "--cost"]
    done = subprocess.run(
        command,
        input="".join(json.dumps(t) + "\n" for t in texts),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**_environment(), "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{model.name}: {done.stderr.strip().splitlines()[-1]}")
    *results, cost = (json.loads(line) for line in done.stdout.splitlines())
    return Reading(results, cost["mebibytes"])


# Rewriting messages


def slipped(text: str, sounds: dict[str, list[str]], chance: random.Random) -> str:
    """A character (one in sixteen, one at least) written as another of the same sound, as phones' keyboards do."""
    letters = list(text)
    places = [i for i, c in enumerate(letters) if len(sounds.get(_sound(c), ())) > 1]
    for place in chance.sample(places, min(len(places), max(1, len(text) // SLIP_EVERY))):
        letters[place] = chance.choice([c for c in sounds[_sound(letters[place])] if c != letters[place]])
    return "".join(letters)


def _sound(character: str) -> str:
    return lazy_pinyin(character)[0] if "\u4e00" <= character <= "\u9fff" else ""


def sounds_of(texts: Iterable[str]) -> dict[str, list[str]]:
    """The six commonest characters of each sound in these texts."""
    often: dict[str, int] = defaultdict(int)
    for text in texts:
        for character in text:
            if "\u4e00" <= character <= "\u9fff":
                often[character] += 1
    found: dict[str, list[str]] = defaultdict(list)
    for character in sorted(often, key=lambda c: -often[c]):
        if len(found[_sound(character)]) < 6:
            found[_sound(character)].append(character)
    return found


def unpunctuated(text: str) -> str:
    """Without punctuation and blanks."""
    return re.sub(r"[^\w]|_", "", text) or text


# Measures


def accuracy(rows: Sequence[Row], results: Sequence[dict[str, Any]]) -> float:
    """The share of right first readings; also_right counts."""
    return sum(r["intent"] in row.right for row, r in zip(rows, results, strict=True)) / max(len(rows), 1)


def inside_score(result: dict[str, Any]) -> float:
    """How sure the model is that the message is the shop's business. Stock Rasa has no more than its best confidence."""
    return 1 - float(result["outside"])


def auroc(inside: Sequence[float], outside: Sequence[float]) -> float:
    """The chance that a message inside scores above one outside."""
    wins = sum((a > b) + 0.5 * (a == b) for a in inside for b in outside)
    return wins / max(len(inside) * len(outside), 1)


def false_accepts(inside: Sequence[float], outside: Sequence[float], recall: float = 0.95) -> float:
    """The share of outside messages let in where ``recall`` of the inside ones are."""
    border = sorted(inside)[int((1 - recall) * len(inside))]
    return sum(s >= border for s in outside) / max(len(outside), 1)


def acts(result: dict[str, Any]) -> bool:
    """Whether the bot would act on it as on a wish."""
    return bool(result["decision"] == ANSWERS and result["intent"] != OUTSIDE)


def marked(line: str) -> tuple[str, set[tuple[int, int, str]]]:
    """A text with inline marks as plain text and spans."""
    text, spans, at = "", set(), 0
    for match in MARK.finditer(line):
        text += line[at : match.start()]
        spans.add((len(text), len(text) + len(match.group(1)), match.group(2)))
        text, at = text + match.group(1), match.end()
    return text + line[at:], spans


def entity_f1(results: Sequence[dict[str, Any]], truth: Sequence[set[tuple[int, int, str]]]) -> tuple[float, float]:
    """Micro F1 over spans: exact, and with any overlap of the same kind counting."""
    got = [{(e["start"], e["end"], e["entity"]) for e in r["entities"] if e["entity"] != "negated"} for r in results]
    given, wanted = sum(map(len, got)), sum(map(len, truth))
    exact = sum(len(g & t) for g, t in zip(got, truth, strict=True))

    def touched(ones: set[tuple[int, int, str]], others: set[tuple[int, int, str]]) -> int:
        return sum(any(o[2] == e[2] and o[0] < e[1] and e[0] < o[1] for o in others) for e in ones)

    precise = sum(touched(g, t) for g, t in zip(got, truth, strict=True)) / max(given, 1)
    found = sum(touched(t, g) for g, t in zip(got, truth, strict=True)) / max(wanted, 1)
    return 2 * exact / max(given + wanted, 1), 2 * precise * found / max(precise + found, 1e-9)


def mood_f1(results: Sequence[dict[str, Any]], truth: Sequence[set[str]]) -> float:
    """Macro F1 over the moods, at the shop's own borders."""
    from helpdesk.conversations import mood

    got = [set(mood.moods(r["mood"])) for r in results]
    scores = []
    for name in mood.LABELS:
        hit = sum(name in g and name in t for g, t in zip(got, truth, strict=True))
        scores.append(2 * hit / max(sum(name in g for g in got) + sum(name in t for t in truth), 1))
    return sum(scores) / len(scores)


def lines(name: str) -> list[list[str]]:
    """The rows of a set without its header."""
    return [line.split("\t") for line in (SETS / name).read_text(encoding="utf-8").splitlines()[1:] if line]


def measure(model: Trained) -> dict[str, Any]:
    """All measures of one model."""
    chance = random.Random(7)
    held, outside = read_tsv(SETS / "heldout.tsv"), lines("outside.tsv")
    real = read_tsv(REAL) if REAL.exists() else []
    sounds = sounds_of(t for texts in read_training().values() for t in texts)
    traditional = OpenCC("s2t")
    groups: dict[str, list[str]] = {
        "real": [r.text for r in real],
        "held": [r.text for r in held],
        "slips": [slipped(r.text, sounds, chance) for r in held],
        "traditional": [traditional.convert(r.text) for r in held],
        "bare": [unpunctuated(r.text) for r in held],
        "outside": [row[0] for row in outside],
        "entities": [marked(row[0])[0] for row in lines("entities.tsv")],
        "mood": [row[0] for row in lines("mood.tsv")],
    }
    reading = read(model, [text for texts in groups.values() for text in texts])
    rest = iter(reading.results)
    got = {name: [next(rest) for _ in texts] for name, texts in groups.items()}
    exact, overlap = entity_f1(got["entities"], [marked(row[0])[1] for row in lines("entities.tsv")])
    base = accuracy(held, got["held"])
    out: dict[str, Any] = {"phrases": model.phrases}
    if real:
        told = score(real, got["real"])
        inside = [(row, r) for row, r in zip(real, got["real"], strict=True) if row.intent != OUTSIDE]
        sure = [row_r for row_r in inside if row_r[1]["decision"] == ANSWERS]
        scores = [inside_score(r) for _, r in inside]
        out |= {
            "real: accuracy": told.accuracy,
            "real: macro F1": told.macro_f1,
            "real: calibration error": told.calibration_error,
            "real: acted on": len(sure) / len(inside),
            "real: right when acted on": sum(r["intent"] in row.right for row, r in sure) / max(len(sure), 1),
            "outside vs real: AUROC": auroc(scores, [inside_score(r) for r in got["outside"]]),
            "outside let in at 95 % recall": false_accepts(scores, [inside_score(r) for r in got["outside"]]),
        }
    near = [r for r, row in zip(got["outside"], outside, strict=True) if row[1] == "near"]
    mood_rows = lines("mood.tsv")
    held_scores = score(held, got["held"])
    return out | {
        "outside: not acted on": sum(not acts(r) for r in got["outside"]) / len(outside),
        "outside, near ones: not acted on": sum(not acts(r) for r in near) / len(near),
        "held-out: accuracy": base,
        "held-out: macro F1": held_scores.macro_f1,
        "held-out: calibration error": held_scores.calibration_error,
        "held-out: acted on": held_scores.acted,
        "held-out: right when acted on": held_scores.acted_right,
        "loss by homophone slips": base - accuracy(held, got["slips"]),
        "loss by traditional characters": base - accuracy(held, got["traditional"]),
        "loss by no punctuation": base - accuracy(held, got["bare"]),
        "entities: F1 exact": exact,
        "entities: F1 overlapping": overlap,
        "mood: macro F1 (lines not tuned on)": mood_f1(
            got["mood"][1::2], [set(row[1].split(",")) - {"calm"} for row in mood_rows[1::2]]
        ),
        "ms a message p50": reading.milliseconds(0.5),
        "ms a message p95": reading.milliseconds(0.95),
        "training seconds": model.seconds,
        "MiB in memory": reading.mebibytes,
    }


def table(columns: dict[str, dict[str, Any]]) -> str:
    """Measures down, models across."""
    names = list(columns)
    measures = list(dict.fromkeys(m for column in columns.values() for m in column))
    rows = [f"| {'':34} | " + " | ".join(f"{n:>18}" for n in names) + " |"]
    rows.append("|" + "---|" * (len(names) + 1))
    for one in measures:
        cells = [columns[name].get(one) for name in names]
        rows.append(f"| {one:34} | " + " | ".join(f"{_shown(cell):>18}" for cell in cells) + " |")
    return "\n".join(rows)


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) and value < 100 else f"{value:.0f}"


def main() -> None:
    """Trains what is missing, measures, prints."""
    chosen = argparse.ArgumentParser()
    chosen.add_argument("--no-stock", action="store_true", help="leave the stock pipeline out (it trains for an hour)")
    options = chosen.parse_args()
    all_of_it = Trained("ours", settings.load().model, _seconds(), sum(map(len, read_training().values())))
    models = [all_of_it]
    if not options.no_stock:
        models += [train("ours-sample", OURS, SAMPLE), train("stock-sample", STOCK, SAMPLE)]
    print(table({model.name: measure(model) for model in models}))


def _seconds() -> float | None:
    told = settings.load().model.with_name("trained_seconds")
    return float(told.read_text()) if told.exists() else None


if __name__ == "__main__":
    main()
