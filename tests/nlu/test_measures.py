"""The measuring sets: well made, and no line of them is trained on. What the model gives on them: `make eval`."""

from collections import Counter
from pathlib import Path

import pytest

from cli.scores import read_tsv
from scripts.eval import SETS, auroc, entity_f1, false_accepts, lines, marked, slipped, sounds_of, unpunctuated
from scripts.nlu_near_copies import golden_clashes, read_training, squeeze

MOODS = {"calm", "anger", "worry", "threat", "urgency"}
ROOT = Path(__file__).resolve().parents[2]


def test_the_held_out_set_has_every_label_and_no_line_that_is_trained_on() -> None:
    rows = read_tsv(SETS / "heldout.tsv")
    assert len(rows) >= 500
    assert len({row.intent for row in rows}) == 46
    assert golden_clashes(read_training(), [row.text for row in rows]) == []


def test_what_is_outside_is_not_trained_on_and_most_of_it_is_near() -> None:
    rows = lines("outside.tsv")
    assert Counter(kind for _, kind in rows)["near"] >= 150
    assert golden_clashes(read_training(), [text for text, _ in rows]) == []


def test_moods_are_known_ones_and_measured_on_lines_nobody_trained_on() -> None:
    measured, trained = lines("mood.tsv"), (ROOT / "data" / "mood" / "mood.tsv").read_text(encoding="utf-8")
    pairs = [line.split("\t") for line in trained.splitlines()]
    assert all(set(mood.split(",")) <= MOODS for mood, _ in pairs)
    assert all(set(mood.split(",")) <= MOODS for _, mood in measured)
    assert not {squeeze(text) for text, _ in measured} & {squeeze(text) for _, text in pairs}


def test_marked_entities_lie_where_they_say() -> None:
    for (line,) in lines("entities.tsv"):
        text, spans = marked(line)
        assert spans and all(0 <= start < end <= len(text) for start, end, _ in spans)


def test_a_slip_changes_a_character_for_one_that_sounds_the_same() -> None:
    import random

    sounds = sounds_of(["发票发漂到了倒了"])
    assert slipped("发票", sounds, random.Random(1)) == "发漂"
    assert slipped("OK", sounds, random.Random(1)) == "OK"


def test_a_message_of_marks_only_keeps_them() -> None:
    assert unpunctuated("在吗？ 你好") == "在吗你好"
    assert unpunctuated("？？") == "？？"


@pytest.mark.parametrize(
    ("inside", "outside", "area"), [([0.9, 0.8], [0.1], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5], 0.5)]
)
def test_the_area_says_how_well_inside_is_told_from_outside(
    inside: list[float], outside: list[float], area: float
) -> None:
    assert auroc(inside, outside) == area


def test_false_accepts_are_those_above_the_border_that_keeps_most_of_the_inside() -> None:
    inside = [i / 100 for i in range(100)]
    assert false_accepts(inside, [0.01, 0.02, 0.5, 0.9]) == 0.5


def test_an_entity_counts_exactly_or_by_overlap() -> None:
    found = [{"entities": [{"entity": "product", "start": 0, "end": 2}]}]
    assert entity_f1(found, [{(0, 2, "product")}]) == (1.0, 1.0)
    exact, overlap = entity_f1(found, [{(0, 3, "product")}])
    assert exact == 0.0 and overlap > 0.99
