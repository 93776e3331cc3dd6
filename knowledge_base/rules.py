"""What counts as an answer, and how articles are told apart. Pure: standard library only."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

type Decision = Literal["answer", "suggest", "none"]

# Chosen by experiment (scripts/kb_eval.py, the half for tuning), so that hardly any answer given is a wrong one.
# Whoever changes weights in words.py or search.py measures these anew.
SURE, CLEAR = 0.50, 0.04  # this good, it need be only so much better than the next
LIKELY, FAR_AHEAD = 0.28, 0.08  # less good, it must stand out more
POSSIBLE = 0.20  # below, the hits are chance
VERBATIM = 0.95
BARE_WORD = 3  # characters: 退款, 包邮吗. They name a subject; what is wanted of it only the customer can say

LONG_NUMBER = re.compile(r"\d[\d\- ]{5,}\d")


@dataclass(frozen=True)
class Hit:
    """An article found. ``score`` is 0–1, ``id`` the outside id (the table's ``key``), ``answer`` Markdown."""

    id: str
    question: str
    score: float
    answer: str
    category: str = ""


def decision(hits: Sequence[Hit], query: str) -> Decision:
    """Whether to answer with the best hit, to offer the hits to choose from, or to say that nothing fits.

    A clear winner needs less than one with a close second; ``hits`` are best first, as :meth:`Index.search` gives them.
    """
    said = "".join(character for character in query if character.isalnum())
    if not hits or not said or hits[0].score < POSSIBLE:
        return "none"
    best = hits[0].score
    ahead = best - (hits[1].score if len(hits) > 1 else 0.0)
    if len(said) <= BARE_WORD and best < VERBATIM:
        return "suggest"
    clear = (best >= SURE and ahead >= CLEAR) or (best >= LIKELY and ahead >= FAR_AHEAD)
    return "answer" if clear else "suggest"


def key_of(question: str) -> str:
    """A stable id for an article that came without one: the same question, whatever its spacing, has the same id."""
    same = "".join(unicodedata.normalize("NFKC", question).casefold().split())
    return "q-" + hashlib.sha256(same.encode()).hexdigest()[:16]


def fingerprint(question: str, answer: str, category: str, tags: Sequence[str], also: Sequence[str]) -> str:
    """A hash (64 hex digits) of all that an editor can change in an article's text."""
    parts = (question, answer, category, "\x1f".join(tags), "\x1f".join(also))
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()


def without_numbers(text: str) -> str:
    """The text with phone, order and card numbers made unreadable: open questions are read by editors."""
    return LONG_NUMBER.sub("…", text)
