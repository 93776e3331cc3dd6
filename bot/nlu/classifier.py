"""Which of the labels a message is: one linear model over five views of the text, with honest confidence.

The views (views.py) are weighed against each other and put side by side in one sparse row; support vectors decide.
Phrases held out of a first fit then say what the scores mean: the confidence of the best reading is how often a reading
with such a lead over the second was right, ``outside`` how often a message with such a score was nobody's business.
``known`` is the share of the message's 2-grams seen in training. Homophone slips are mended first. docs/adr/0008 has the table of what was tried.
"""

import math
from typing import Any, Dict, List, NamedTuple, Sequence, Text, Tuple

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
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from bot.nlu import fingerprint, phrases, rows, wishes
from bot.nlu.recognizer import recognise
from bot.nlu.rows import Rows, Seen
from bot.nlu.slips import Mender
from bot.nlu.text import fold
from bot.nlu.views import View, seen_characters, seen_concepts, seen_masked, seen_syllables, seen_words, view
from bot.nlu.wishes import Entities

RANKING = 10
OUTSIDE = "out_of_scope"
SPREAD = 4.8  # how sharply what the best reading leaves is shared among the others
TRIED, HELD_OUT = 0.5, 0.15  # a trial on half of the phrases says what scores mean, and costs half
LEAST = 0.03  # smaller coefficients change no reading and fill the memory
VIEWS: List[Seen] = [
    (seen_characters, 1.0),
    (seen_masked, 1.0),
    (seen_words, 0.7),
    (seen_concepts, 0.7),
    (seen_syllables, 0.5),
]


class Model:
    """Fitted vectorisers, a linear model and what its scores mean. Views in, readings out."""

    def __init__(self) -> None:
        self.rows = Rows(VIEWS)
        self.classes: List[Text] = []
        self.coefficients = csr_matrix((0, 0), dtype=np.float32)
        self.least = LEAST
        self.offsets = np.zeros(0, np.float32)
        self.sure = np.zeros(2)  # slope and offset: from the lead of the best reading to its chance of being right
        self.outside = np.zeros(2)  # the same from the score of out_of_scope to its chance of being true
        self.mender = Mender()

    def fit(self, views: List[View], labels: List[Text]) -> "Model":
        """Learns; what the scores mean comes from phrases held out of a first fit."""
        matrix, target = self.rows.fit(views), np.array(labels)
        train, test = train_test_split(
            np.arange(len(labels)), train_size=TRIED, test_size=HELD_OUT, stratify=target, random_state=0
        )
        trial = _linear().fit(matrix[train], target[train])
        scores, classes = trial.decision_function(matrix[test]), trial.classes_
        self.sure = _sigmoid(_lead(scores), classes[scores.argmax(axis=1)] == target[test])
        self.outside = _sigmoid(scores[:, list(classes).index(OUTSIDE)], target[test] == OUTSIDE)
        linear = _linear().fit(matrix, target)
        self.classes = [str(c) for c in linear.classes_]
        rows = linear.coef_.T.astype(np.float32)  # one row a feature, so that a message reads few rows
        self.coefficients = csr_matrix(np.where(np.abs(rows) < self.least, 0, rows))
        self.offsets = linear.intercept_.astype(np.float32)
        self.mender.fit(one.shaped for one in views)
        return self

    def meant(self, text: Text, entities: Entities) -> Tuple[Text, Entities]:
        """The text as it was probably meant (slips.py), and its entities. ``entities``: those of the text as it stands."""
        folded = fold(text)[0]
        mended = self.mender.mend(folded)
        return (text, entities) if mended == folded else (mended, recognise(mended))

    def read(self, seen: View) -> "Reading":
        """One message's readings; see the module."""
        scores = self._scores([seen])[0]
        order = np.argsort(-scores)
        best, second = scores[order[:2]]
        sure = _chance(self.sure, best - second)
        rest = np.exp(SPREAD * (scores[order[1:]] - second))
        rest = np.minimum(rest * ((1 - sure) / rest.sum()), sure)
        pairs = _pairs(seen)
        return Reading(
            [(self.classes[i], chance) for i, chance in zip(order.tolist(), [sure, *rest.tolist()])],
            _chance(self.outside, scores[self.classes.index(OUTSIDE)]),
            sum(pair in self.mender.twos for pair in pairs) / max(len(pairs), 1),
        )

    def first(self, seen: Sequence[View]) -> List[Tuple[Text, float]]:
        """The best reading alone of each message, with its chance."""
        scores = self._scores(seen)
        leads = _lead(scores)
        return [(self.classes[i], _chance(self.sure, lead)) for i, lead in zip(scores.argmax(axis=1).tolist(), leads)]

    def _scores(self, seen: Sequence[View]) -> np.ndarray:
        return rows.scores(self.rows.of(seen), self.coefficients, self.offsets, len(seen))


class Reading(NamedTuple):
    """``ranking``: intents with their chances, best first. ``outside``, ``known``: see the module."""

    ranking: List[Tuple[Text, float]]
    outside: float
    known: float


def _lead(scores: np.ndarray) -> np.ndarray:
    best = np.partition(scores, -2, axis=1)
    return np.asarray(best[:, -1] - best[:, -2])


def _sigmoid(score: np.ndarray, truth: np.ndarray) -> np.ndarray:
    fitted = LogisticRegression(C=10).fit(score.reshape(-1, 1), truth)
    return np.array([fitted.coef_[0][0], fitted.intercept_[0]])


def _chance(line: np.ndarray, score: float) -> float:
    return (1 + math.tanh(float(line[0] * score + line[1]) / 2)) / 2  # the sigmoid, without its overflow


def _linear() -> LinearSVC:
    return LinearSVC(C=0.4, tol=0.1)  # a tighter tolerance takes twice as long and reads no better


def _pairs(seen: View) -> List[Text]:
    whole = f"^{seen.shaped}$"
    return [whole[i : i + 2] for i in range(len(whole) - 1)]


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=True)
class IntentClassifier(GraphComponent):
    """Rasa's wrapper around :class:`Model`."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, model: Model) -> None:
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """``code`` is the fingerprint of all of bot/nlu and bot/lexicon, so that a change there retrains."""
        return {"code": fingerprint.code()}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "IntentClassifier":
        """An untrained one."""
        return cls(model_storage, resource, Model())

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the model and stores it."""
        read = phrases.of(training_data)
        self._model.fit([view(p.text, recognise(p.text)) for p in read], [p.intent for p in read])
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / "intents.joblib", compress=3)
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "IntentClassifier":
        """The trained one."""
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, joblib.load(folder / "intents.joblib"))

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets ``intent`` and ``intent_ranking``, and ``known`` for the decision."""
        for message in messages:
            text = message.get(TEXT)
            if not text or not text.strip():
                continue
            meant, entities = self._model.meant(text, message.get(ENTITIES) or [])
            reading = self._model.read(view(meant, entities))
            ranking = [{"name": name, "confidence": chance} for name, chance in reading.ranking[:RANKING]]
            message.set("intent", ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
            message.set("known", reading.known, add_to_output=True)
            message.set("outside", reading.outside, add_to_output=True)
            message.set("also", wishes.also(meant, entities, ranking[0]["name"], self._first), add_to_output=True)
        return messages

    def _first(self, parts: Sequence[Tuple[Text, Entities]]) -> List[Tuple[Text, float]]:
        return self._model.first([view(clause, entities) for clause, entities in parts])

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Later components need nothing of ours."""
        return training_data
