"""How a customer feels: anger, worry, a threat to go public or to the authorities, urgency. Calm is none of them.

One linear model per mood over the same views as the intents; probabilities by Platt's sigmoid on held-out lines.
Learned from data/mood/mood.tsv (``moods<TAB>text``), measured on tests/nlu/mood.tsv by another author.
"""

from pathlib import Path
from typing import Any, Dict, List, Text, Tuple

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.svm import LinearSVC

from bot.nlu import fingerprint, rows
from bot.nlu.recognizer import recognise
from bot.nlu.rows import Rows
from bot.nlu.views import View, seen_characters, seen_concepts, seen_shouts, seen_syllables, seen_words, view

MOODS = ("anger", "worry", "threat", "urgency")
LINES = Path(__file__).resolve().parent.parent.parent / "data" / "mood" / "mood.tsv"
VIEWS = [
    (seen_characters, 1.0),
    (seen_words, 0.7),
    (seen_concepts, 0.5),
    (seen_syllables, 0.4),
    (seen_shouts, 0.5),
]


class Moods:
    """Fitted rows, one linear model a mood, and what its scores mean."""

    def __init__(self) -> None:
        self.rows = Rows(VIEWS)
        self.coefficients = csr_matrix((0, 0), dtype=np.float32)
        self.offsets = np.zeros(0)
        self.sure = np.zeros((0, 2))  # a mood's slope and offset from score to probability

    def fit(self, views: List[View], moods: "List[set[str]]") -> "Moods":
        """Learns each mood against all that lacks it; what scores mean, from three held-out folds."""
        matrix, models, sure = self.rows.fit(views), [], []
        for mood in MOODS:
            truth = np.array([mood in had for had in moods])
            held = cross_val_predict(_linear(), matrix, truth, cv=3, method="decision_function")
            fitted = LogisticRegression(C=10).fit(held.reshape(-1, 1), truth)
            sure.append([fitted.coef_[0][0], fitted.intercept_[0]])
            models.append(_linear().fit(matrix, truth))
        self.coefficients = csr_matrix(np.vstack([m.coef_[0] for m in models]).T.astype(np.float32))
        self.offsets, self.sure = np.array([m.intercept_[0] for m in models]), np.array(sure)
        return self

    def probabilities(self, seen: View) -> Dict[Text, float]:
        """One message's moods, each 0–1."""
        (told,) = rows.scores(self.rows.of([seen]), self.coefficients, self.offsets)
        chances = 1 / (1 + np.exp(-(self.sure[:, 0] * told + self.sure[:, 1])))
        return {mood: round(float(p), 3) for mood, p in zip(MOODS, chances)}


def _linear() -> LinearSVC:
    return LinearSVC(C=0.5, class_weight="balanced", tol=0.01)


def read_lines(path: Path = LINES) -> "Tuple[List[Text], List[set[str]]]":
    """Texts and their moods; ``calm`` is the empty set."""
    pairs = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [text for _, text in pairs], [set(moods.split(",")) & set(MOODS) for moods, text in pairs]


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=True)
class MoodReader(GraphComponent):
    """Rasa's wrapper around :class:`Moods`."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, model: Moods) -> None:
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``code`` and ``lines``: what the model depends on besides Rasa's own training data."""
        return {"code": fingerprint.code(), "lines": fingerprint.of(LINES)}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "MoodReader":
        """An untrained one."""
        return cls(model_storage, resource, Moods())

    def train(self, training_data: TrainingData) -> Resource:
        """Fits and stores."""
        texts, moods = read_lines()
        self._model.fit([view(text, recognise(text)) for text in texts], moods)
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / "moods.joblib", compress=3)
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "MoodReader":
        """The trained one."""
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, joblib.load(folder / "moods.joblib"))

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets ``mood``: ``{mood: probability}``."""
        for message in messages:
            text = message.get(TEXT)
            if not text or not text.strip() or text.startswith("/"):
                continue
            seen = view(text, message.get(ENTITIES) or [])
            message.set("mood", self._model.probabilities(seen), add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Later components need nothing of ours."""
        return training_data
