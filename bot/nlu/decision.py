"""Whether the bot acts on a reading, asks back with the nearest two or three, or says it did not understand.

``answer`` keeps the intent; ``confirm`` and ``fallback`` put ``nlu_fallback`` first (the ranking keeps the readings), so
that one rule of the dialogue takes care of both. Small talk is never asked back: a wrong guess there costs nothing.
"""

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

FALLBACK = "nlu_fallback"
OUTSIDE = "out_of_scope"
HARMLESS = {"greet", "goodbye", "thank", "chitchat", "inform", "affirm", "deny", "request_human", "cancel_flow"}


def decide(ranking: List[Dict[Text, Any]], outside: float, known: float, config: Dict[Text, float]) -> Text:
    """``answer``, ``confirm`` or ``fallback`` from the ranking, the chance of being nobody's business, the share of known
    2-grams. ``out_of_scope`` itself is answered: kindly, with what the bot can do instead."""
    if not ranking:
        return "fallback"
    first = ranking[0]["confidence"]
    second = ranking[1]["confidence"] if len(ranking) > 1 else 0.0
    if ranking[0]["name"] == OUTSIDE:
        return "answer" if first >= config["confirm_from"] else "fallback"
    if outside >= config["outside_from"] or (known < config["known_least"] and first < config["sure_alone"]):
        return "fallback"
    if first >= config["answer_from"] or (ranking[0]["name"] in HARMLESS and first >= config["harmless_from"]):
        return "answer"
    return "confirm" if first + second >= config["confirm_from"] else "fallback"


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class Decision(GraphComponent):
    """Rasa's wrapper around :func:`decide`."""

    def __init__(self, config: Dict[Text, Any]) -> None:
        self._config = config

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Chosen on tests/nlu/golden.tsv and real messages; `make eval` shows what they give."""
        return {
            "answer_from": 0.6,
            "harmless_from": 0.45,
            "confirm_from": 0.35,
            "outside_from": 0.15,
            "known_least": 0.3,
            "sure_alone": 0.75,
        }

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Decision":
        """Nothing to load."""
        return cls(config)

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets ``decision``; puts ``nlu_fallback`` first unless it is ``answer``."""
        for message in messages:
            if not message.get(TEXT):
                continue
            ranking = message.get("intent_ranking") or []
            decision = decide(ranking, message.get("outside") or 0.0, message.get("known") or 0.0, self._config)
            message.set("decision", decision, add_to_output=True)
            if decision != "answer":
                fallback = {"name": FALLBACK, "confidence": 1.0}
                message.set("intent", fallback, add_to_output=True)
                message.set("intent_ranking", [fallback, *ranking], add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing to prepare."""
        return training_data
