"""Finds entities: spaCy (blank Chinese over jieba) with the lexicon's words, and patterns for what has a form.

Values are normalised here and nowhere else: products to the catalogue's id, dates to ISO, amounts to yuan, counts to
digits. Offsets are those of the customer's own text.
"""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Optional, Sequence, Text, Tuple

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.util import filter_spans

from bot.nlu import dates, patterns, words
from bot.nlu.text import fold

SHOP_ZONE = timezone(timedelta(hours=8))  # all of China
EARLIER_WINS = ["email", "tracking_number", "serial_number", "tax_number", "phone_number", "order_number"]


@lru_cache(maxsize=1)
def language() -> Tuple[Language, PhraseMatcher]:
    """Blank Chinese whose tokens are jieba's words, and a matcher of all surfaces of the lexicon (as Docs in a trie: an
    entity ruler of token patterns tries them one by one)."""
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": "char"}}})
    nlp.tokenizer = lambda text: _doc(nlp, words.cut(text))
    matcher = PhraseMatcher(nlp.vocab)
    for entity, values in words.lexicon().items():
        for value, surfaces in values.items():
            matcher.add(f"{entity} {value}", [nlp.make_doc(s) for s in {value.lower(), *map(str.lower, surfaces)}])
    return nlp, matcher


def _doc(nlp: Language, cut: Sequence[Text]) -> Doc:
    return Doc(nlp.vocab, words=cut, spaces=[False] * len(cut))


def _listed(folded: Text) -> Iterator[patterns.Span]:
    """The lexicon's words in a folded text, the longest first where they overlap."""
    nlp, matcher = language()
    doc = nlp.make_doc(folded)
    for span in filter_spans(matcher(doc, as_spans=True)):
        entity, value = span.label_.split(" ", 1)
        yield patterns.Span(entity, span.start_char, span.end_char, value)


def today() -> date:
    """The shop's date."""
    return datetime.now(SHOP_ZONE).date()


def recognise(text: Text, day: Optional[date] = None) -> List[Dict[Text, Any]]:
    """The entities of a customer's text, left to right, none overlapping; ``start``/``end`` count in that text."""
    folded, origin = fold(text)
    if not folded.strip():
        return []
    spans = patterns.find(folded)
    spans += [patterns.Span("date_time", *found) for found in dates.find(folded, day or today())]
    spans += _listed(folded)
    taken: List[patterns.Span] = []
    for span in sorted(spans, key=_rank):
        if all(span.end <= other.start or span.start >= other.end for other in taken):
            taken.append(span)
    return [
        {
            "entity": span.entity,
            "start": origin[span.start],
            "end": origin[span.end - 1] + 1,
            "value": span.value,
            "extractor": "EntityRecognizer",
        }
        for span in sorted(taken, key=lambda s: s.start)
    ]


def _rank(span: patterns.Span) -> "tuple[int, int]":
    first = EARLIER_WINS.index(span.entity) if span.entity in EARLIER_WINS else len(EARLIER_WINS)
    return first, span.start - span.end  # else the longer one wins


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=False)
class EntityRecognizer(GraphComponent):
    """Rasa's wrapper around :func:`recognise`."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EntityRecognizer":
        """Loads the words now, so that the first customer does not wait for them."""
        language()
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds ``entities`` to each message."""
        for message in messages:
            text = message.get(TEXT)
            if text and not message.get(ENTITIES):
                message.set(ENTITIES, recognise(text), add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Training data bring their own entities."""
        return training_data
