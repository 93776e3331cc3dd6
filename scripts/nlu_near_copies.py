"""Shows how varied the training phrases are, which of them are copies, and that none is a line of the golden set.

    PYTHONPATH=. .venv/bin/python scripts/nlu_near_copies.py

Per intent: how many phrases, the share of distinct pairs of characters among all pairs, and the mean likeness (0–100,
rapidfuzz's ratio) of a phrase to the nearest other one. Copies are equal once spaces, punctuation and case are gone;
near copies are alike to 90 or more with digits gone too, golden ones to 92, and have 8 characters or more by then.
Exits 1 on an intent below 200 phrases, copies between intents, more than 1 % near copies, or a golden line trained on.
"""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml
from rapidfuzz import fuzz, process

ROOT = Path(__file__).resolve().parent.parent
TRAINING = ROOT / "data" / "nlu"
GOLDEN = ROOT / "tests" / "nlu" / "golden.tsv"
FEWEST, NEAR, NEAR_GOLDEN, LONG_ENOUGH, NEAR_SHARE = 200, 90, 92, 8, 0.01
ENTITY = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
EXAMPLE = re.compile(r"^\s*-\s+(.*\S)\s*$", re.MULTILINE)
type Phrases = dict[str, list[str]]


def read_training(folder: Path = TRAINING) -> Phrases:
    """The phrases of every intent, without entity markup, from all files of the folder."""
    found: Phrases = defaultdict(list)
    for path in sorted(folder.glob("*.yml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu") or ():
            if "intent" in item:
                found[item["intent"]] += [ENTITY.sub(r"\1", text) for text in EXAMPLE.findall(item["examples"])]
    return found


def read_golden(path: Path = GOLDEN) -> list[dict[str, str]]:
    """The golden lines: text, intent, also_right."""
    return [*csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)]


def squeeze(text: str) -> str:
    """The text without spaces, punctuation and case; as it is when nothing is left."""
    return re.sub(r"[\W_]+", "", text).lower() or text


def long_ones(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """The texts that are long enough without digits, and what of them is compared."""
    kept = [(text, rest) for text in texts if len(rest := re.sub(r"\d+", "", squeeze(text))) >= LONG_ENOUGH]
    return [text for text, _ in kept], [rest for _, rest in kept]


def likeness(ones: list[str], others: list[str]) -> np.ndarray:
    """The ratio of each text to each other one, 0–100."""
    return process.cdist(ones, others, scorer=fuzz.ratio, workers=-1, dtype=np.float32)


def variety(texts: list[str]) -> tuple[float, float]:
    """The share of distinct pairs of characters, and the mean likeness to the nearest other phrase."""
    pairs = [a + b for text in texts for a, b in pairwise(squeeze(text))]
    alike = likeness(texts, texts)
    np.fill_diagonal(alike, 0)
    return len(set(pairs)) / max(len(pairs), 1), float(alike.max(axis=1).mean())


def copies(phrases: Phrases) -> list[list[str]]:
    """Each text that stands more than once, with the intents in which it does."""
    where: dict[str, list[str]] = defaultdict(list)
    for intent, text in ((intent, text) for intent, texts in phrases.items() for text in texts):
        where[squeeze(text)].append(intent)
    return [[text, *intents] for text, intents in where.items() if len(intents) > 1]


def near_copies(texts: list[str]) -> Iterator[tuple[float, str, str]]:
    """Each phrase that is nearly an earlier one of its intent: likeness, the phrase, the nearest earlier one."""
    long, rests = long_ones(texts)
    alike = np.tril(likeness(rests, rests), k=-1)
    for row in np.flatnonzero(alike.max(axis=1, initial=0) >= NEAR):
        yield float(alike[row].max()), long[row], long[int(alike[row].argmax())]


def golden_clashes(phrases: Phrases, golden: list[str]) -> list[tuple[str, str]]:
    """Golden lines that equal, or nearly are, a training phrase, and that phrase."""
    equal = {squeeze(text): text for texts in phrases.values() for text in texts}
    found = {line: equal[squeeze(line)] for line in golden if squeeze(line) in equal}
    (lines, ones), (known, others) = long_ones(golden), long_ones(equal.values())
    alike = likeness(ones, others)
    for row in np.flatnonzero(alike.max(axis=1, initial=0) >= NEAR_GOLDEN):
        found.setdefault(lines[row], known[int(alike[row].argmax())])
    return [*found.items()]


def main() -> int:
    """Print it all; 1 when something is beyond its limit."""
    phrases = read_training()
    total = sum(map(len, phrases.values()))
    for intent, texts in sorted(phrases.items()):
        distinct, nearest = variety(texts)
        print(f"{intent:24}{len(texts):5}  distinct pairs {distinct:.2f}  nearest {nearest:.0f}")
    few = [intent for intent, texts in phrases.items() if len(texts) < FEWEST]
    doubled = copies(phrases)
    between = [one for one in doubled if len(set(one[1:])) > 1]
    near = [(*one, intent) for intent, texts in phrases.items() for one in near_copies(texts)]
    clashes = golden_clashes(phrases, [line["text"] for line in read_golden()])
    for title, rows in (("copy", doubled), ("near copy", sorted(near, reverse=True)), ("golden", clashes)):
        for row in rows:
            print(f"{title}: {'  '.join(f'{part:.0f}' if isinstance(part, float) else part for part in row)}")
    print(f"{len(phrases)} intents, {total} phrases; fewer than {FEWEST}: {', '.join(few) or 'none'}")
    print(f"copies: {len(doubled)}, between intents {len(between)}; near copies: {len(near)} ({len(near) / total:.2%})")
    print(f"golden lines in the training data: {len(clashes)}")
    return 1 if few or between or clashes or len(near) > NEAR_SHARE * total else 0


if __name__ == "__main__":
    sys.exit(main())
