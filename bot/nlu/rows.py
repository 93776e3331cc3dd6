"""Views as rows of numbers: one tf-idf block a view, side by side. Fitted by scikit-learn, read without it.

scikit-learn multiplies by a diagonal as wide as the vocabulary for every message, some ten milliseconds for a million
features; a message has three hundred.
"""

import math
from collections import Counter
from typing import Any, Callable, Dict, List, Text, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.views import View

BETWEEN = "\0"
Seen = Tuple[Callable[[View], List[Text]], float]  # an analyser and the weight of its block


def packed(names: List[Text]) -> bytes:
    """Many strings as one. They must not hold BETWEEN."""
    return BETWEEN.join(names).encode()


def unpacked(data: bytes) -> List[Text]:
    """The strings again."""
    return data.decode().split(BETWEEN) if data else []


class Rows:
    """The blocks of some views."""

    def __init__(self, views: List[Seen]) -> None:
        self.views = views
        self.tables: List[Tuple[Dict[Text, int], np.ndarray]] = []  # of each view: places and idf weights

    def __getstate__(self) -> Dict[Text, Any]:
        """Vocabularies as one string each: a pickle of two million strings takes ten seconds to read."""
        return {**self.__dict__, "tables": [(packed(sorted(known, key=known.get)), idf) for known, idf in self.tables]}

    def __setstate__(self, state: Dict[Text, Any]) -> None:
        self.__dict__.update(state)
        self.tables = [({name: place for place, name in enumerate(unpacked(p))}, idf) for p, idf in state["tables"]]

    def fit(self, views: List[View]) -> csr_matrix:
        """Learns the vocabularies; the rows of these views."""
        blocks = []
        for analyser, weight in self.views:
            vectorizer = TfidfVectorizer(analyzer=analyser, sublinear_tf=True, dtype=np.float32)
            blocks.append(vectorizer.fit_transform(views) * weight)
            self.tables.append((vectorizer.vocabulary_, vectorizer.idf_.astype(np.float32)))
        return hstack(blocks).tocsr()

    def row(self, seen: View) -> Tuple[np.ndarray, np.ndarray]:
        """One view's places and values."""
        places: List[np.ndarray] = []
        values: List[np.ndarray] = []
        start = 0
        for (analyser, weight), (known, idf) in zip(self.views, self.tables):
            counted = Counter(place for place in map(known.get, analyser(seen)) if place is not None)
            at = np.fromiter(counted.keys(), np.int32, len(counted))
            block = (1 + np.log(np.fromiter(counted.values(), np.float64, len(counted)))) * idf[at]
            places.append(at + start)
            values.append(block * (weight / (math.sqrt(float(block @ block)) or 1.0)))
            start += len(known)
        return np.concatenate(places).astype(np.int32), np.concatenate(values).astype(np.float32)


def scores(row: Tuple[np.ndarray, np.ndarray], coefficients: csr_matrix, offsets: np.ndarray) -> np.ndarray:
    """The score of each class (a flat array) for one row; ``coefficients`` has a row a feature, a column a class."""
    places, values = row
    told = offsets.astype(np.float64).copy()
    begins, ends = coefficients.indptr[places], coefficients.indptr[places + 1]
    lengths = ends - begins
    if not lengths.any():
        return told
    starts = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
    at = starts + np.arange(len(starts))  # the places of all these rows' entries, one row after the other
    products = coefficients.data[at] * np.repeat(values, lengths)
    return told + np.bincount(coefficients.indices[at], products, len(offsets))
