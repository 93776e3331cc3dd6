"""How well the search finds the shipped articles: hit@1, hit@3, and what the decision rule made of it.

    PYTHONPATH=. .venv/bin/python scripts/kb_eval.py [FILE.tsv] [--without-also] [--misses] [--speed]

FILE is ``query<TAB>id|id`` (empty: no article answers it). Lines are split by a hash of the query: weights and
thresholds were chosen on the half called "tuning", the half called "held out" was only looked at afterwards.
"""

import argparse
import hashlib
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from knowledge_base.files import read_markdown
from knowledge_base.search import Entry, Index, decision
from knowledge_base.words import segmenter

ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ROOT / "knowledge_base" / "articles"
QUESTIONS = ROOT / "tests" / "knowledge_base" / "questions.tsv"

type Question = tuple[str, frozenset[str]]


def read_questions(path: Path) -> list[Question]:
    """``(query, right ids)`` of each line."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [(line[0], frozenset(filter(None, line[1].split("|")))) for line in lines]


def shipped(without_also: bool = False) -> list[Entry]:
    """The shipped articles as the index takes them."""
    rows = read_markdown(ARTICLES)
    entries = [Entry(r.key, r.question, r.answer, r.category, tuple(r.tags), tuple(r.also)) for r in rows]
    return [replace(entry, also=()) for entry in entries] if without_also else entries


def held_out(query: str) -> bool:
    """Whether this line was kept from the tuning."""
    return hashlib.sha256(query.encode()).digest()[0] % 2 == 0


def measure(index: Index, questions: list[Question], misses: bool = False) -> dict[str, float]:
    """hit@1 and hit@3 over the answerable ones; shares of each decision, over those right first, wrong first, none."""
    first = third = 0
    table: Counter[tuple[str, str]] = Counter()
    answerable = [question for question in questions if question[1]]
    for query, right in questions:
        hits = index.search(query, 5)
        ids = [hit.id for hit in hits]
        decided = decision(hits, query)
        kind = "none" if not right else "right" if ids[:1] and ids[0] in right else "wrong"
        table[kind, decided] += 1
        first += kind == "right"
        third += bool(right & set(ids[:3]))
        if misses and (kind == "wrong" or (kind == "none" and decided != "none")):
            print(f"  {decided:8}{query} → {[(hit.id, hit.score) for hit in hits[:3]]} wanted {sorted(right)}")
    result = {"hit@1": first / max(len(answerable), 1), "hit@3": third / max(len(answerable), 1)}
    for kind in ("right", "wrong", "none"):
        for decided in ("answer", "suggest", "none"):
            result[f"{kind}/{decided}"] = table[kind, decided]
    return result


def _speed() -> None:
    base = shipped()
    entries = [
        replace(e, key=f"{e.key}-{i}", question=f"{e.question}{i}", also=tuple(f"{other}{i}" for other in e.also))
        for i in range(21)
        for e in base
    ][:5000]
    segmenter()  # its dictionary is loaded once a process, whatever the number of articles
    started = time.process_time()
    index = Index(entries)
    print(
        f"build of {len(index):,} articles, five wordings each: {time.process_time() - started:.2f} s of processor time"
    )
    queries = [query for query, _ in read_questions(QUESTIONS)]
    taken = []
    for query in queries:
        started = time.perf_counter()
        index.search(query)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    print(f"query: p50 {taken[len(taken) // 2]:.2f} ms, p95 {taken[int(len(taken) * 0.95)]:.2f} ms")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=QUESTIONS)
    parser.add_argument("--without-also", action="store_true", help="index the articles' own questions only")
    parser.add_argument("--misses", action="store_true", help="print what went wrong, of the tuning half only")
    parser.add_argument("--speed", action="store_true", help="measure 5,000 articles instead")
    chosen = parser.parse_args()
    if chosen.speed:
        _speed()
        return
    index = Index(shipped(chosen.without_also))
    questions = read_questions(chosen.file)
    tuning = [question for question in questions if not held_out(question[0])]
    kept = [question for question in questions if held_out(question[0])]
    for name, part, show in (("tuning", tuning, chosen.misses), ("held out", kept, False), ("all", questions, False)):
        result = measure(index, part, show)
        print(f"{name}: {len(part)} lines, hit@1 {result['hit@1']:.3f}, hit@3 {result['hit@3']:.3f}")
        print(f"  {'':14}{'answer':>8}{'suggest':>8}{'none':>8}")
        for kind, label in (("right", "right first"), ("wrong", "wrong first"), ("none", "no article")):
            print(f"  {label:14}" + "".join(f"{int(result[f'{kind}/{d}']):8}" for d in ("answer", "suggest", "none")))


if __name__ == "__main__":
    main()
