"""Views as rows of numbers: one tf-idf block a view, side by side.

scikit-learn's own vectorisers multiply by a diagonal as wide as the vocabulary for every message, some ten milliseconds for a
million features; a message has three hundred. And two million strings in dictionaries take ten seconds to read and a third of
a gigabyte: a feature is a number of 64 bits (views.py) from the start, and of two million no two share one, by all odds.
"""

from typing import Callable, List, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.preprocessing import normalize

from bot.nlu.views import WAYS, Numbers, View, features

LAST = np.uint64(2**64 - 1)  # ends the table, so that whatever is looked for has a place before the end
Seen = Tuple[Callable[[View], Numbers], float]  # one of the WAYS and the weight of its block
Entries = Tuple[np.ndarray, np.ndarray, np.ndarray]  # of some rows: of each entry its row, its place and its value


class Rows:
    """The blocks of some ways of looking at a message."""

    def __init__(self, seen: List[Seen]) -> None:
        self.weights = np.zeros(len(WAYS))
        for way, weight in seen:
            self.weights[WAYS.index(way)] = weight
        self._features = np.array([LAST])  # in order; a feature's place is its column
        self._idf = np.zeros(0, np.float32)

    def fit(self, views: List[View]) -> csr_matrix:
        """Learns the features; the rows of these views."""
        blocks, learned, weights = [], [], []
        for way in np.flatnonzero(self.weights).tolist():
            seen = [features.__wrapped__(one, (way,)) for one in views]
            begins = np.cumsum([0, *(len(one.counts) for one in seen)])
            known, columns = np.unique(np.concatenate([one.numbers for one in seen]), return_inverse=True)
            idf = np.log((1 + len(views)) / (1 + np.bincount(columns))) + 1
            values = (np.concatenate([one.counts for one in seen]) * idf[columns]).astype(np.float32)
            block = csr_matrix((values, columns, begins), shape=(len(views), len(known)))
            blocks.append(normalize(block, copy=False) * np.float32(self.weights[way]))
            learned.append(known)
            weights.append(idf.astype(np.float32))
        every = np.concatenate(learned)
        order = np.argsort(every)
        self._features, self._idf = np.append(every[order], LAST), np.concatenate(weights)[order]
        return hstack(blocks).tocsr()[:, order]

    def of(self, views: Sequence[View]) -> Entries:
        """The rows of some views: each block has its weight for length."""
        seen = [features(one) for one in views]
        rows = np.arange(len(seen)).repeat([len(one.counts) for one in seen])
        wanted = np.concatenate([one.numbers for one in seen])
        places = self._features.searchsorted(wanted)
        known = self._features[places] == wanted
        places, rows = places[known], rows[known]
        ways = np.concatenate([one.ways for one in seen])[known]
        values = np.concatenate([one.counts for one in seen])[known] * self._idf[places]
        blocks = rows * len(WAYS) + ways
        lengths = np.sqrt(np.bincount(blocks, values * values))
        return rows, places, (values * self.weights[ways] / lengths[blocks]).astype(np.float32)


def scores(entries: Entries, coefficients: csr_matrix, offsets: np.ndarray, rows: int = 1) -> np.ndarray:
    """The score of each class for each of the rows; ``coefficients`` has a row a feature, a column a class."""
    row, places, values = entries
    begins, ends = coefficients.indptr[places], coefficients.indptr[places + 1]
    lengths = ends - begins
    total = np.cumsum(lengths)
    if not len(total) or not total[-1]:
        return np.tile(offsets.astype(np.float64), (rows, 1))
    at = (begins - total + lengths).repeat(lengths) + np.arange(
        total[-1]
    )  # these features' entries, one after the other
    products = coefficients.data[at] * values.repeat(lengths)
    cells = coefficients.indices[at] + (row * len(offsets)).repeat(lengths)
    return np.bincount(cells, products, rows * len(offsets)).reshape(rows, -1) + offsets
