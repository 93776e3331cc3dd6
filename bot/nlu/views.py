"""What the models see of a message: five ways of looking at the same text.

Characters carry meaning without a word border; words and their pairs add what characters miss; concepts (concepts.yml)
make 啥时候 and 几号 the same question; syllables make 发漂 sound like 发票; the masked text forgets which fridge it was.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Text, Tuple

import numpy as np
import yaml
from pypinyin import lazy_pinyin

from bot.nlu import words
from bot.nlu.text import fold, shape

MASKS = {
    "product": "Ⓟ",
    "brand": "Ⓑ",
    "address": "Ⓐ",
    "city": "Ⓒ",
    "person_name": "Ⓝ",
    "carrier": "Ⓚ",
    "date_time": "Ⓓ",
    "amount": "Ⓜ",
    "order_number": "№",
    "tracking_number": "№",
    "serial_number": "№",
    "phone_number": "☎",
    "quantity": "Ⓠ",
    "fault": "Ⓕ",
    "invoice_title": "Ⓘ",
    "tax_number": "Ⓣ",
    "email": "Ⓔ",
}
MARKED = {
    "product",
    "brand",
    "fault",
    "carrier",
    "date_time",
    "amount",
    "address",
    "person_name",
    "negated",
    "quantity",
}
# Odd, with their bits well mixed, so that what differs stays different.
STEP, PAIR, TRIPLE = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93))
SALT = 0xA24BAED4963EE407  # sets the same number of two ways of looking apart
Numbers = np.ndarray  # of np.uint64
CONCEPTS = Path(__file__).with_name("concepts.yml")


class View(NamedTuple):
    """One message: shaped characters, the same with entities masked, words, marks of entities, syllables."""

    shaped: Text
    masked: Text
    words: Tuple[Text, ...]
    marks: Tuple[Text, ...]
    syllables: Tuple[Text, ...]


Spans = Tuple[Tuple[Text, int, int], ...]  # entity, start, end


def view(text: Text, entities: List[Dict[Text, Any]]) -> View:
    """A message as the models see it. ``entities`` as the recogniser found them in ``text``."""
    return _view(text, _spans(entities))


@lru_cache(maxsize=64)  # intents and moods look at the same message
def _view(text: Text, spans: Spans) -> View:
    shaped = shape(fold(text)[0])
    length = "<short>" if len(shaped) <= 4 else "<long>" if len(shaped) > 20 else "<middle>"
    cut = words.cut(shaped)
    marks = (*(f"<{entity}>" for entity, _, _ in spans if entity in MARKED), length)
    return View(shaped, _masked(text, spans), cut, marks, tuple(s for word in cut for s in _sounds(word)))


@lru_cache(maxsize=100_000)  # a word sounds as it sounds; asking anew is the slowest thing here
def _sounds(word: Text) -> Tuple[Text, ...]:
    return tuple(lazy_pinyin(word))


def _spans(entities: List[Dict[Text, Any]]) -> Spans:
    return tuple((e["entity"], e["start"], e["end"]) for e in entities)


def masked_text(text: Text, entities: List[Dict[Text, Any]]) -> Text:
    """The shaped text with a sign for each entity instead of its words."""
    return _masked(text, _spans(entities))


def _masked(text: Text, spans: Spans) -> Text:
    parts, at = [], 0
    for entity, start, end in spans:
        mask = MASKS.get(entity)
        if mask and start >= at:
            parts += [fold(text[at:start])[0], mask]  # folding would open a circled letter again
            at = end
    return shape("".join([*parts, fold(text[at:])[0]]))


@lru_cache(maxsize=1)
def _concepts() -> "Tuple[re.Pattern[str], Dict[Text, List[Text]]]":
    found: Dict[Text, List[Text]] = {}
    for concept, wordings in yaml.safe_load(CONCEPTS.read_text(encoding="utf-8")).items():
        for wording in wordings:
            found.setdefault(str(wording), []).append(concept)
    longest_first = sorted(found, key=len, reverse=True)
    return re.compile("|".join(re.escape(wording) for wording in longest_first)), found


def _concepts_of(shaped: Text) -> List[Text]:
    """The concepts of a text, each pair of neighbours in order, and each pair whatever the order."""
    pattern, meaning = _concepts()
    in_order = [["^"], *(meaning[m.group()] for m in pattern.finditer(shaped)), ["$"]]
    single = [c for group in in_order[1:-1] for c in group]
    follow = [f"{a}>{b}" for first, then in zip(in_order, in_order[1:]) for a in first for b in then]
    distinct = sorted(set(single))
    both = [f"{a}&{b}" for i, a in enumerate(distinct) for b in distinct[i + 1 :]]
    return [*single, *follow, *both]


# Features are numbers (rows.py says why). A run of tokens has the number that its tokens' numbers make.


@lru_cache(maxsize=200_000)
def _number(token: Text) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "big")


def numbers(tokens: Iterable[Text]) -> Numbers:
    """A number of 64 bits for each token, the same in every process."""
    return np.array([_number(token) for token in tokens], np.uint64)


def _runs(single: Numbers) -> Numbers:
    pairs = single[:-1] * STEP + single[1:]
    return np.concatenate([single, pairs + PAIR, pairs[:-1] * STEP + single[2:] + TRIPLE])


def _character_runs(text: Text) -> Numbers:
    codes = np.frombuffer(f"^{text}$".encode("utf-32-le"), np.uint32)
    return _runs(codes.astype(np.uint64) * STEP)


def seen_characters(seen: View) -> Numbers:
    """Runs of one to three characters."""
    return _character_runs(seen.shaped)


def seen_masked(seen: View) -> Numbers:
    """The same with entities masked."""
    return _character_runs(seen.masked)


def seen_words(seen: View) -> Numbers:
    """Words, pairs of neighbours, marks."""
    single = numbers(seen.words)
    return np.concatenate([single, single[:-1] * STEP + single[1:] + PAIR, numbers(seen.marks)])


def seen_concepts(seen: View) -> Numbers:
    """See :func:`_concepts_of`."""
    return numbers(_concepts_of(seen.shaped))


def seen_syllables(seen: View) -> Numbers:
    """Runs of one to three syllables, without tones."""
    return _runs(numbers(["^", *seen.syllables, "$"]))


def seen_shouts(seen: View) -> Numbers:
    """How it is said: runs of marks, as classes."""
    loud = sum(seen.shaped.count(mark) for mark in "!！")
    asking = sum(seen.shaped.count(mark) for mark in "?？")
    doubled = any(a == b for a, b in zip(seen.words, seen.words[1:]))
    signs = {"<calm marks>": not loud and not asking, "<!>": loud == 1, "<!!>": loud > 1, "<??>": asking > 1}
    return numbers([*(sign for sign, there in signs.items() if there), *(["<doubled>"] if doubled else [])])


WAYS: "Tuple[Callable[[View], Numbers], ...]" = (
    seen_characters,
    seen_masked,
    seen_words,
    seen_concepts,
    seen_syllables,
    seen_shouts,
)
SALTS = np.array([n * SALT % 2**64 for n in range(len(WAYS))], np.uint64)


class Features(NamedTuple):
    """Of one message: each feature once, of which of the WAYS it is, and how much it counts by how often it is there."""

    numbers: Numbers
    ways: np.ndarray
    counts: np.ndarray


@lru_cache(maxsize=64)  # intents and moods look at the same message
def features(seen: View, chosen: Tuple[int, ...] = tuple(range(len(WAYS)))) -> Features:
    """What is seen of a message in the ``chosen`` WAYS."""
    parts = [WAYS[way](seen) for way in chosen]
    ways = np.array(chosen).repeat([len(part) for part in parts])
    every = np.concatenate(parts) ^ SALTS[ways]
    order = every.argsort()
    every = every[order]
    is_new = np.ones(len(every), bool)
    np.not_equal(every[1:], every[:-1], out=is_new[1:])
    first = is_new.nonzero()[0]
    return Features(every[first], ways[order[first]], 1 + np.log(np.diff(first, append=len(every))))
