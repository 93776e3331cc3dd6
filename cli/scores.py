"""Measures of understanding, from labelled messages and what the brain made of them. Pure but for reading the file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """A labelled message; ``right`` are all labels that count."""

    text: str
    intent: str
    right: frozenset[str]


def read_tsv(path: Path) -> list[Row]:
    """``text<TAB>intent[<TAB>also_right]`` with a header; ``also_right`` separated by commas, spaces or ``|``."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        cells = line.split("\t")
        if number == 1 and cells[0] == "text":
            continue
        if len(cells) < 2 or not cells[1].strip():
            raise RuntimeError(f"{path.name} line {number}: text and intent are needed, separated by a tab")
        also = cells[2].replace(",", " ").replace("|", " ").split() if len(cells) > 2 else []
        rows.append(Row(cells[0], cells[1].strip(), frozenset({cells[1].strip(), *also})))
    return rows


@dataclass(frozen=True)
class Scores:
    """Shares are 0–1. ``acted``: share of messages the bot would act on, ``acted_right``: of those, right."""

    messages: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    acted: float
    acted_right: float
    confusions: list[tuple[str, str, int]]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self.__dict__, "confusions": [list(c) for c in self.confusions]}

    def table(self) -> str:
        """For people."""
        lines = [
            f"messages            {self.messages}",
            f"accuracy            {self.accuracy:.3f}",
            f"macro F1            {self.macro_f1:.3f}",
            f"calibration error   {self.calibration_error:.3f}",
            f"acted on            {self.acted:.3f}, of these right {self.acted_right:.3f}",
            "most confused (said → read):",
        ]
        return "\n".join([*lines, *(f"  {a} → {b}: {n}" for a, b, n in self.confusions[:15])])


def score(rows: Sequence[Row], results: Sequence[dict[str, Any]]) -> Scores:
    """The measures. A label in ``also_right`` counts as right, and as the row's own label for F1."""
    hits = [
        (row, r["intent"], r["intent"] in row.right, float(r["confidence"]), r["decision"])
        for row, r in zip(rows, results, strict=True)
    ]
    confusions = Counter((row.intent, got) for row, got, right, _, _ in hits if not right)
    acted = [right for _, _, right, _, decision in hits if decision == "answer"]
    return Scores(
        messages=len(hits),
        accuracy=_mean([right for _, _, right, _, _ in hits]),
        macro_f1=_macro_f1([(got if right else row.intent, got) for row, got, right, _, _ in hits]),
        calibration_error=_calibration([(confidence, right) for _, _, right, confidence, _ in hits]),
        acted=len(acted) / max(len(hits), 1),
        acted_right=_mean(acted),
        confusions=[(a, b, n) for (a, b), n in confusions.most_common()],
    )


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / max(len(values), 1)


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    labels = {truth for truth, _ in pairs}
    scores = []
    for label in labels:
        hit = sum(t == label == g for t, g in pairs)
        given, true = sum(g == label for _, g in pairs), sum(t == label for t, _ in pairs)
        scores.append(2 * hit / (given + true) if given + true else 0.0)
    return sum(scores) / max(len(scores), 1)


def _calibration(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error over ten equal bins."""
    error = 0.0
    for n in range(bins):
        inside = [(c, r) for c, r in pairs if n / bins < c <= (n + 1) / bins]
        if inside:
            error += abs(sum(c for c, _ in inside) / len(inside) - _mean([r for _, r in inside])) * len(inside)
    return error / max(len(pairs), 1)
