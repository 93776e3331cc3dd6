"""Shows that no two shipped articles are near copies of each other: prints the nearest pairs, exits 1 above the limit.

    PYTHONPATH=. .venv/bin/python scripts/kb_near_copies.py [FOLDER] [--limit 0.45] [--pairs 15]

Likeness is the idf-weighted cosine (0–1) of two whole articles (question, other wordings, answer) over their pairs of
characters, so that what all articles share (您, 可以, 退款) weighs little. The limit is 0.45: measured,
an article with words exchanged throughout has 0.87–0.98 to its model, one that repeats half of another 0.51–0.75,
and two articles on neighbouring questions of one subject 0.15–0.25.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from knowledge_base.files import read_markdown
from knowledge_base.postings import Postings
from knowledge_base.rows import Row
from knowledge_base.words import HAN_RUN, fold

ARTICLES = Path(__file__).resolve().parent.parent / "knowledge_base" / "articles"
LIMIT = 0.45


def _pairs_of_characters(row: Row) -> dict[str, float]:
    text = fold("\n".join((row.question, *row.also, row.answer)))
    return {a + b: 1.0 for run in HAN_RUN.findall(text) for a, b in pairwise(run)}


def nearest(rows: list[Row]) -> list[tuple[float, str, str]]:
    """All pairs as ``(likeness, id, id)``, the most alike first."""
    documents = [_pairs_of_characters(row) for row in rows]
    postings = Postings(documents, unit_length=True)
    likeness = np.array([postings.cosine(document) for document in documents])
    ones, others = np.triu_indices(len(rows), k=1)
    order = np.argsort(-likeness[ones, others])
    return [(float(likeness[i, j]), rows[i].key, rows[j].key) for i, j in zip(ones[order], others[order], strict=True)]


def main() -> int:
    """Print the nearest pairs; 1 when any is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ARTICLES)
    parser.add_argument("--limit", type=float, default=LIMIT)
    parser.add_argument("--pairs", type=int, default=15)
    chosen = parser.parse_args()
    pairs = nearest(read_markdown(chosen.folder))
    for likeness, one, other in pairs[: chosen.pairs]:
        print(f"{likeness:.3f}  {one}  {other}")
    above = sum(likeness > chosen.limit for likeness, _, _ in pairs)
    print(f"{above} of {len(pairs)} pairs above {chosen.limit}")
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
