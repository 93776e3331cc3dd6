"""The search: published articles in memory, found by likeness of the question.

Every way to ask (the question, each ``also``) is an entry of its own, since a query resembles one wording, not the
sum of them. Entries are compared by tf-idf cosine; the article as a whole (all wordings, category, tags, answer)
says by BM25 how much of the query it covers at all. Both are 0–1 and are blended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge_base.postings import Floats, Postings
from knowledge_base.rules import Decision, Hit, decision
from knowledge_base.words import Features, features, things

__all__ = ["Decision", "Entry", "Hit", "Index", "decision"]

COVERAGE = 0.75  # share of the article as a whole in the score
ASKED, LABELLED, ANSWERED = 3.0, 2.0, 1.0  # how often a word of this field counts in the whole
K1, B = 1.5, 0.3
OTHER_THING = 0.7  # an article on other appliances than the one asked about
ANSWER_CHARS = 100  # the beginning of an answer says what it is about; the rest is detail


@dataclass(frozen=True)
class Entry:
    """An article as the index needs it. ``key`` is the outside id; only published ones belong in here."""

    key: str
    question: str
    answer: str
    category: str = ""
    tags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@lru_cache(maxsize=40_000)
def _asked(text: str) -> Features:
    # Kept, so that rebuilding after one edited article analyses one article and not all.
    return features(text)


@lru_cache(maxsize=20_000)
def _whole(entry: Entry) -> Features:
    """Counts of the article's words over all fields."""
    counts: Features = {}

    def add(found: Iterable[str], share: float) -> None:
        for word in found:
            counts[word] = counts.get(word, 0.0) + share

    for text in (entry.question, *entry.also):
        add(_asked(text), ASKED)
    add(features(" ".join((entry.category, *entry.tags)), sounds=False), LABELLED)
    add(features(entry.answer[:ANSWER_CHARS], sounds=False), ANSWERED)
    return counts


class Index:
    """Built once, then only read (any number of threads). 5,000 articles: about 3 s to build, 1 ms a query."""

    def __init__(self, articles: Iterable[Entry]) -> None:
        self.articles: list[Entry] = sorted(articles, key=lambda article: article.key)
        asked: list[Features] = []
        starts: list[int] = []
        for article in self.articles:
            starts.append(len(asked))
            asked.extend(_asked(text) for text in (article.question, *article.also))
        self._starts: NDArray[np.intp] = np.array(starts, dtype=np.intp)
        self._asked = Postings(asked, unit_length=True)
        wholes = [_whole(article) for article in self.articles]
        self._about = [things(whole) for whole in wholes]
        self._whole = Postings(wholes, saturate=(K1, B))

    def __len__(self) -> int:
        return len(self.articles)

    def search(self, query: str, top: int = 5) -> list[Hit]:
        """The ``top`` most alike articles, best first; fewer (or none) where nothing at all is shared. Never raises."""
        scores = self.scores(query)
        if not len(scores) or top < 1:
            return []
        first = np.argsort(-scores, kind="stable")[:top]
        return [self._hit(int(i), float(scores[i])) for i in first if scores[i] > 0]

    def scores(self, query: str) -> Floats:
        """A score 0–1 for each of :attr:`articles`."""
        if not self.articles:
            return np.zeros(0)
        wanted = features(query, mend=True)
        alike = np.maximum.reduceat(self._asked.cosine(wanted), self._starts)
        covered = self._whole.coverage(wanted)
        blended = (1 - COVERAGE) * alike + COVERAGE * covered
        # A query that is one of the wordings is certain, though BM25 never quite reaches 1.
        scores: Floats = np.clip(np.maximum(blended, alike**2), 0.0, 1.0)
        if about := things(wanted):
            scores[[bool(others) and not others & about for others in self._about]] *= OTHER_THING
        return scores

    def _hit(self, position: int, score: float) -> Hit:
        article = self.articles[position]
        return Hit(article.key, article.question, round(score, 4), article.answer, article.category)
