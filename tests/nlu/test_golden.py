"""The golden set: customers' phrases by another author than the training data's, none of which is trained on."""

from collections import Counter
from functools import cache
from pathlib import Path

import yaml

from scripts.nlu_near_copies import GOLDEN, ROOT, golden_clashes, read_golden, read_training

ROWS = read_golden()
FEWEST = 12
OWN = "nlu_fallback"  # Rasa's, not a label


@cache
def _intents() -> set[str]:
    """The label set, as the bot's domain has it."""
    files: list[Path] = sorted((ROOT / "bot" / "domain").glob("*.yml"))
    listed = [one for path in files for one in yaml.safe_load(path.read_text(encoding="utf-8")).get("intents") or ()]
    return {one if isinstance(one, str) else next(iter(one)) for one in listed} - {OWN}


def test_the_labels_are_the_46_and_each_has_enough_lines() -> None:
    counts = Counter(row["intent"] for row in ROWS)
    assert len(counts) == 46
    assert set(counts) == _intents()
    assert {intent: n for intent, n in counts.items() if n < FEWEST} == {}


def test_what_is_also_right_is_another_label() -> None:
    for row in ROWS:
        others = [one for one in row["also_right"].split(",") if one]
        assert set(others) <= _intents() - {row["intent"]}, row


def test_each_line_has_three_columns_and_stands_once() -> None:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "text\tintent\talso_right"
    assert [line for line in lines if line.count("\t") != 2 or not line.split("\t")[0].strip()] == []
    assert [text for text, n in Counter(row["text"] for row in ROWS).items() if n > 1] == []


def test_no_line_stands_in_the_training_data() -> None:
    assert golden_clashes(read_training(), [row["text"] for row in ROWS]) == []
