"""Views as rows of numbers: one tf-idf block a view, side by side. Fitted by scikit-learn, read without it.

scikit-learn multiplies by a diagonal as wide as the vocabulary for every message, some ten milliseconds for a million
features; a message has three hundred. And two million strings in dictionaries take ten seconds to read and a third of a
gigabyte: a vocabulary is stored as one string, and remembered by its strings' hashes.
"""

from collections import Counter
from functools import lru_cache
from typing import Any, Callable, Collection, Dict, List, Text, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.views import View

BETWEEN = "\0"
LAST = np.uint64(2**64 - 1)  # ends the table, so that whatever is looked for has a place before the end
SALT = 0x9E3779B97F4A7C15  # a number with its bits well mixed
VIEW_SALT = 0xC2B2AE3D27D4EB4F  # sets the same string of two views apart
Seen = Tuple[Callable[[View], List[Text]], float]  # an analyser and the weight of its block
Row = Tuple[np.ndarray, np.ndarray]  # places and values


def packed(names: List[Text]) -> bytes:
    """Many strings as one. They must not hold BETWEEN."""
    return BETWEEN.join(names).encode()


def unpacked(data: bytes) -> List[Text]:
    """The strings again."""
    return data.decode().split(BETWEEN) if data else []


class Places:
    """The features of several vocabularies, each with its place, the vocabularies one after the other. Knows their hashes only
    (64 bits; Python's own, so they hold for this process): of two million features no two share one, by all odds."""

    def __init__(self, vocabularies: List[List[Text]]) -> None:
        self._salts = np.array([n * VIEW_SALT % 2**64 for n in range(len(vocabularies))], np.uint64)
        sizes = [len(names) for names in vocabularies]
        hashes = _hashes([name for names in vocabularies for name in names]) ^ np.repeat(self._salts, sizes)
        self._places = np.argsort(hashes).astype(np.int32)
        self._hashes = np.append(hashes[self._places], LAST)

    def of(self, hashes: np.ndarray, vocabularies: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Which of the features, told by their strings' hashes, their vocabularies (of each its number) know, and the places of
        those."""
        hashes = hashes ^ self._salts[vocabularies]
        at = self._hashes.searchsorted(hashes)
        known = self._hashes[at] == hashes
        return known, self._places[at[known]]


def _hashes(names: Collection[Text]) -> np.ndarray:
    """Python hashes a string's bytes, whatever their width: 物 and ``ir`` are the same ones. Their lengths set them apart."""
    hashes = np.fromiter(map(hash, names), np.int64, len(names)).view(np.uint64)
    return hashes ^ np.fromiter(map(len, names), np.uint64, len(names)) * np.uint64(SALT)


@lru_cache(maxsize=256)  # intents and moods look at the same message
def _shown(analyser: Callable[[View], List[Text]], seen: View) -> Tuple[np.ndarray, np.ndarray]:
    """What a view shows: the features' hashes, each once, and how much each counts by how often it is there."""
    count = Counter(analyser(seen))
    return _hashes(count), 1 + np.log(np.fromiter(count.values(), np.float64, len(count)))


class Rows:
    """The blocks of some views."""

    def __init__(self, views: List[Seen]) -> None:
        self.views = views
        self._weights = np.array([weight for _, weight in views])
        self._names: List[bytes] = []  # of each view, packed; only until the model is stored
        self._places = Places([])
        self._idf = np.zeros(0, np.float32)

    def __getstate__(self) -> Dict[Text, Any]:
        """Views, names and idf weights."""
        return {"views": self.views, "names": self._names, "idf": self._idf}

    def __setstate__(self, state: Dict[Text, Any]) -> None:
        self.__init__(state["views"])  # type: ignore[misc]
        self._idf = state["idf"]
        self._places = Places([unpacked(names) for names in state["names"]])

    def fit(self, views: List[View]) -> csr_matrix:
        """Learns the vocabularies; the rows of these views."""
        blocks, vocabularies, weights = [], [], []
        for analyser, weight in self.views:
            vectorizer = TfidfVectorizer(analyzer=analyser, sublinear_tf=True, dtype=np.float32)
            blocks.append(vectorizer.fit_transform(views) * weight)
            vocabularies.append([str(name) for name in vectorizer.get_feature_names_out()])
            weights.append(vectorizer.idf_.astype(np.float32))
        self._names, self._idf = [packed(names) for names in vocabularies], np.concatenate(weights)
        self._places = Places(vocabularies)
        return hstack(blocks).tocsr()

    def row(self, seen: View) -> Row:
        """One view's row: each block has its weight for length."""
        shown = [_shown(analyser, seen) for analyser, _ in self.views]
        block = np.repeat(np.arange(len(shown)), [len(hashes) for hashes, _ in shown])
        known, places = self._places.of(np.concatenate([hashes for hashes, _ in shown]), block)
        block = block[known]
        values = np.concatenate([counts for _, counts in shown])[known] * self._idf[places]
        lengths = np.sqrt(np.bincount(block, values * values, len(shown)))
        lengths[lengths == 0] = 1.0
        return places, (values * (self._weights / lengths)[block]).astype(np.float32)


def scores(row: Row, coefficients: csr_matrix, offsets: np.ndarray) -> np.ndarray:
    """The score of each class (a flat array) for one row; ``coefficients`` has a row a feature, a column a class."""
    places, values = row
    told = offsets.astype(np.float64)
    begins, ends = coefficients.indptr[places], coefficients.indptr[places + 1]
    lengths = ends - begins
    starts = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
    if not len(starts):
        return told
    at = starts + np.arange(len(starts))  # the places of all these rows' entries, one row after the other
    products = coefficients.data[at] * np.repeat(values, lengths)
    return told + np.bincount(coefficients.indices[at], products, len(offsets))
