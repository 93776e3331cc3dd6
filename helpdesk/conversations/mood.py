"""What the service does about a customer's mood. The brain measures it (bot/nlu/mood.py); here stand the consequences."""

from collections.abc import Iterable, Mapping

# From these probabilities on a mood counts; chosen on every other line of tests/nlu/mood.tsv, measured on the rest.
COUNTS_FROM = {"anger": 0.5, "threat": 0.5, "worry": 0.5, "urgency": 0.4}
ANGRY_FROM = {
    "anger": 0.7,
    "threat": 0.9,
}  # a complaint said like this goes to a person at once; 我要投诉 alone is none
LABELS = {"anger": "生气", "threat": "要投诉或曝光", "worry": "担心", "urgency": "着急"}
POINTS = {"threat": 15, "anger": 10, "urgency": 10, "worry": 3}


def moods(measured: Mapping[str, float]) -> list[str]:
    """The moods that count, in the order of LABELS. ``measured``: probabilities, 0–1."""
    return [mood for mood in LABELS if measured.get(mood, 0.0) >= COUNTS_FROM[mood]]


def is_angry(measured: Mapping[str, float]) -> bool:
    """Whether a complaint in this mood goes to a person at once."""
    return any(measured.get(mood, 0.0) >= least for mood, least in ANGRY_FROM.items())


def points(found: Iterable[str]) -> int:
    """Priority in the queue: the strongest mood counts, not their sum."""
    return max((POINTS[mood] for mood in found if mood in POINTS), default=0)


def told(found: Iterable[str]) -> str:
    """As agents read it: ``生气、着急``."""
    return "、".join(LABELS[mood] for mood in LABELS if mood in set(found))
