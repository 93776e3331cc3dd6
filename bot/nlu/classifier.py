"""Which of the labels a message is: a linear model over characters, words and entity marks, with honest confidence.

Characters 1–3 carry Chinese meaning without a word border; words add what characters miss; the kinds of entities found
stand in as marks. Support vectors decide, a softmax whose temperature is fitted on held-out folds makes the scores
probabilities. ``known`` (the share of the message's 2-grams seen in training) tells nonsense from the unsure.
"""

from typing import Any, Dict, List, Text, Tuple

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from bot.nlu import fingerprint, words
from bot.nlu.recognizer import recognise
from bot.nlu.text import fold, shape

MARKED = {
    "product",
    "brand",
    "fault",
    "carrier",
    "date_time",
    "amount",
    "address",
    "person_name",
    "negated",
    "quantity",
}
RANKING = 10
# The folds share authors, so their held-out scores flatter; another author's messages (tests/nlu/golden.tsv) are met
# with about this share of the fitted sharpness.
HONEST = 0.6


def read(text: Text) -> Tuple[Text, List[Text]]:
    """A message as the model sees it: its shaped characters, and its words with the marks of its entities."""
    folded, _ = fold(text)
    shaped = shape(folded)
    cut = words.cut(shaped)
    pairs = [f"{a}_{b}" for a, b in zip(cut, cut[1:])]
    marks = [f"<{e['entity']}>" for e in recognise(text) if e["entity"] in MARKED]
    length = "<short>" if len(shaped) <= 4 else "<long>" if len(shaped) > 20 else "<middle>"
    return f"^{shaped}$", [*cut, *pairs, *marks, length]


class Model:
    """Fitted vectorisers, a linear model and its temperature. Lists of texts in, probabilities out."""

    def __init__(self) -> None:
        self.characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=1)
        self.words = TfidfVectorizer(analyzer=list, sublinear_tf=True, min_df=1)
        self.linear = LinearSVC(C=1.0)
        self.temperature = 1.0
        self.seen: "set[str]" = set()

    def fit(self, texts: List[Text], labels: List[Text]) -> "Model":
        """Learns; the temperature comes from three folds of the same data."""
        views = [read(text) for text in texts]
        matrix = self._fit_features(views)
        target = np.array(labels)
        scores, truth = [], []
        for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(matrix, target):
            fold_model = LinearSVC(C=self.linear.C).fit(matrix[train], target[train])
            scores.append(fold_model.decision_function(matrix[test]))
            truth.append(np.searchsorted(fold_model.classes_, target[test]))
        held_out, right = np.vstack(scores), np.concatenate(truth)
        self.temperature = HONEST * float(
            minimize_scalar(
                lambda t: -np.log(_softmax(held_out * t)[np.arange(len(right)), right] + 1e-12).mean(),
                bounds=(0.5, 20),
                method="bounded",
            ).x
        )
        self.linear.fit(matrix, target)
        self.seen = {view[0][i : i + 2] for view in views for i in range(len(view[0]) - 1)}
        return self

    def _fit_features(self, views: List[Tuple[Text, List[Text]]]) -> csr_matrix:
        return hstack(
            [self.characters.fit_transform([c for c, _ in views]), self.words.fit_transform([w for _, w in views])]
        ).tocsr()

    def probabilities(self, text: Text) -> Tuple[np.ndarray, float]:
        """The probability of each class, and the share of the text's 2-grams that training has seen."""
        characters, cut = read(text)
        row = hstack([self.characters.transform([characters]), self.words.transform([cut])]).tocsr()
        pairs = [characters[i : i + 2] for i in range(len(characters) - 1)]
        known = sum(pair in self.seen for pair in pairs) / max(len(pairs), 1)
        return _softmax(self.linear.decision_function(row) * self.temperature)[0], known


def _softmax(scores: np.ndarray) -> np.ndarray:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


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
        examples = [e for e in training_data.intent_examples if e.get(TEXT)]
        self._model.fit([e.get(TEXT) for e in examples], [e.get(INTENT) for e in examples])
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
        classes = self._model.linear.classes_
        for message in messages:
            text = message.get(TEXT)
            if not text or not text.strip():
                continue
            scores, known = self._model.probabilities(text)
            best = np.argsort(-scores)[:RANKING]
            ranking = [{"name": str(classes[i]), "confidence": float(scores[i])} for i in best]
            message.set("intent", ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
            message.set("known", known, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Later components need nothing of ours."""
        return training_data
