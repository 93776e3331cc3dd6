"""What the models see of a message: five ways of looking at the same text.

Characters carry meaning without a word border; words and their pairs add what characters miss; concepts (concepts.yml)
make 啥时候 and 几号 the same question; syllables make 发漂 sound like 发票; the masked text forgets which fridge it was.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Text, Tuple

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


@lru_cache(maxsize=64)
def concepts(shaped: Text) -> List[Text]:
    """The concepts of a text, each pair of neighbours in order, and each pair whatever the order."""
    pattern, meaning = _concepts()
    in_order = [["^"], *(meaning[m.group()] for m in pattern.finditer(shaped)), ["$"]]
    single = [c for group in in_order[1:-1] for c in group]
    follow = [f"{a}>{b}" for first, then in zip(in_order, in_order[1:]) for a in first for b in then]
    distinct = sorted(set(single))
    both = [f"{a}&{b}" for i, a in enumerate(distinct) for b in distinct[i + 1 :]]
    return [*single, *follow, *both]


@lru_cache(maxsize=64)
def _runs(text: Text) -> List[Text]:
    whole = f"^{text}$"
    return [whole[i : i + n] for n in (1, 2, 3) for i in range(len(whole) + 1 - n)]


def seen_characters(seen: View) -> List[Text]:
    """Runs of one to three characters."""
    return _runs(seen.shaped)


def seen_masked(seen: View) -> List[Text]:
    """The same with entities masked."""
    return _runs(seen.masked)


def seen_words(seen: View) -> List[Text]:
    """Words, pairs of neighbours, marks."""
    return [*seen.words, *(f"{a}_{b}" for a, b in zip(seen.words, seen.words[1:])), *seen.marks]


def seen_concepts(seen: View) -> List[Text]:
    """See :func:`concepts`."""
    return concepts(seen.shaped)


def seen_syllables(seen: View) -> List[Text]:
    """Runs of one to three syllables, without tones."""
    whole = ["^", *seen.syllables, "$"]
    return [" ".join(whole[i : i + n]) for n in (1, 2, 3) for i in range(len(whole) + 1 - n)]
