"""Which documents hold a feature, and with what weight: an inverted index over numpy arrays."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

# As if there were so many more documents without any of the features: else in a base of three articles the words they
# do have count next to nothing against a word they have not.
AS_IF = 100

type Floats = NDArray[np.float64]


class Postings:
    """Weighed features of documents, turned round. A feature nobody has counts as the rarest one.

    ``unit_length`` makes document vectors of length 1 (for :meth:`cosine`); ``saturate`` (k1, b) makes BM25 weights
    between 0 and 1 (for :meth:`coverage`).
    """

    def __init__(
        self,
        documents: Sequence[Mapping[str, float]],
        *,
        unit_length: bool = False,
        saturate: tuple[float, float] | None = None,
    ) -> None:
        self.size = len(documents)
        # dict.fromkeys and not a set: the same articles give the same sums to the last bit
        self.number = {name: i for i, name in enumerate(dict.fromkeys(chain.from_iterable(documents)))}
        column = np.fromiter(map(self.number.__getitem__, chain.from_iterable(documents)), dtype=np.int64)
        weight = np.fromiter(chain.from_iterable(doc.values() for doc in documents), dtype=np.float64)
        row = np.repeat(np.arange(self.size), [len(doc) for doc in documents])

        holders = np.bincount(column, minlength=len(self.number))
        self.idf: Floats = np.log((self.size + AS_IF) / (holders + 0.5))
        self.idf_unknown = float(np.log((self.size + AS_IF) / 0.5))
        if unit_length:
            weight = weight * self.idf[column]
            length = np.sqrt(np.bincount(row, weight**2, minlength=self.size))
            weight = weight / np.maximum(length, 1e-9)[row]
        if saturate:
            k1, b = saturate
            size = np.bincount(row, weight, minlength=self.size)
            norm = k1 * (1 - b + b * size / max(float(size.mean()) if self.size else 1.0, 1e-9))
            weight = weight / (weight + norm[row])

        order = np.argsort(column, kind="stable")
        self._row, self._weight = row[order], weight[order]
        self._bounds = np.concatenate(([0], np.cumsum(holders)))

    def cosine(self, wanted: Mapping[str, float]) -> Floats:
        """Cosine 0–1 of a query with every document."""
        weights = {name: weight * self._idf(name) for name, weight in wanted.items()}
        length = float(np.sqrt(sum(weight**2 for weight in weights.values())))
        return self._sum(weights) / max(length, 1e-9)

    def coverage(self, wanted: Mapping[str, float]) -> Floats:
        """How much of a query (by rarity of its features) every document covers, 0–1."""
        weights = {name: weight * self._idf(name) for name, weight in wanted.items()}
        return self._sum(weights) / max(sum(weights.values()), 1e-9)

    def _idf(self, name: str) -> float:
        number = self.number.get(name)
        return self.idf_unknown if number is None else float(self.idf[number])

    def _sum(self, weights: Mapping[str, float]) -> Floats:
        spans = [(self._span(name), weight) for name, weight in weights.items() if name in self.number]
        if not spans:
            return np.zeros(self.size)
        rows = np.concatenate([self._row[span] for span, _ in spans])
        values = np.concatenate([self._weight[span] * weight for span, weight in spans])
        return np.bincount(rows, values, minlength=self.size)

    def _span(self, name: str) -> slice:
        number = self.number[name]
        return slice(int(self._bounds[number]), int(self._bounds[number + 1]))
