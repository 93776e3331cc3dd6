"""Finds by learning what has no form: people, addresses, faults, goods the catalogue does not have, companies, departments.

A conditional random field over single characters, trained on the annotations of data/nlu. It adds to what patterns and
the lexicon found (recognizer.py); where both see an address, a person or a fault, the longer span wins. Goods it finds
are looked up by sound in the catalogue's words, so that 电版煲 is the 电饭煲.
"""

from functools import lru_cache
from typing import Any, Dict, List, Optional, Sequence, Text, Tuple

import joblib
from pypinyin import lazy_pinyin
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn_crfsuite import CRF

from bot.nlu import fingerprint, phrases, words
from bot.nlu.patterns import SURNAMES
from bot.nlu.phrases import Phrase
from bot.nlu.recognizer import recognise
from bot.nlu.text import fold

LEARNED = ("person_name", "address", "city", "fault", "product", "brand", "invoice_title", "department", "carrier")
LONGER_WINS = {"person_name", "address", "fault", "invoice_title"}
PLACE_ENDS = set("省市区县镇乡村路街道巷弄号楼栋幢座室户里园苑城厦院店")
TITLES = set("先生女士小姐师傅经理总姐哥老师客服")
ROUNDS = 12


def features(folded: Text, found: List[Dict[Text, Any]]) -> List[Dict[Text, Any]]:
    """One dictionary a character: itself, its neighbours, the word it stands in, what the rules found there.

    ``found``: the rules' entities with offsets in ``folded``.
    """
    in_word: List[Text] = []
    word_of: List[Text] = []
    for word in words.cut(folded):
        in_word += ["S"] if len(word) == 1 else ["B", *["I"] * (len(word) - 2), "E"]
        word_of += [word] * len(word)
    rule = ["O"] * len(folded)
    for entity in found:
        for index in range(entity["start"], min(entity["end"], len(rule))):
            rule[index] = str(entity["entity"])
    rows = []
    for index, character in enumerate(folded):

        def at(offset: int, index: int = index) -> Text:
            place = index + offset
            return folded[place] if 0 <= place < len(folded) else "^" if place < 0 else "$"

        rows.append(
            {
                "bias": 1.0,
                "c": character,
                "c-1": at(-1),
                "c+1": at(1),
                "c-2": at(-2),
                "c+2": at(2),
                "c-1c": at(-1) + character,
                "cc+1": character + at(1),
                "c-2c-1": at(-2) + at(-1),
                "c+1c+2": at(1) + at(2),
                "word": word_of[index],
                "in": in_word[index],
                "word+1": word_of[index + 1] if index + 1 < len(folded) else "$",
                "word-1": word_of[index - 1] if index else "^",
                "rule": rule[index],
                "rule+1": rule[index + 1] if index + 1 < len(folded) else "$",
                "rule-1": rule[index - 1] if index else "^",
                "surname": character in SURNAMES,
                "place": character in PLACE_ENDS,
                "title+1": at(1) in TITLES,
                "kind": "d" if character.isdigit() else "a" if character.isascii() and character.isalpha() else "h",
            }
        )
    return rows


def tags(length: int, spans: List[Tuple[int, int, Text]]) -> List[Text]:
    """B-/I-/O for each character."""
    row = ["O"] * length
    for start, end, entity in spans:
        if entity in LEARNED and 0 <= start < end <= length:
            row[start:end] = [f"B-{entity}", *[f"I-{entity}"] * (end - start - 1)]
    return row


def spans_of(row: List[Text]) -> List[Tuple[int, int, Text]]:
    """The spans of a row of tags."""
    found: List[Tuple[int, int, Text]] = []
    for index, tag in enumerate([*row, "O"]):
        continues = tag.startswith("I-") and found and found[-1][1] == -1 and found[-1][2] == tag[2:]
        if continues:
            continue
        if found and found[-1][1] == -1:
            found[-1] = (found[-1][0], index, found[-1][2])
        if tag != "O":
            found.append((index, -1, tag[2:]))
    return found


def _in_folded(entities: List[Dict[Text, Any]], origin: Sequence[int]) -> List[Dict[Text, Any]]:
    """The entities with offsets of the folded text. ``origin``: of each folded character, where it came from."""
    moved = []
    for entity in entities:
        inside = [i for i, o in enumerate(origin) if entity["start"] <= o < entity["end"]]
        if inside:
            moved.append({**entity, "start": inside[0], "end": inside[-1] + 1})
    return moved


class Names:
    """The field, trained or not."""

    def __init__(self) -> None:
        self.field: Optional[CRF] = None

    def fit(self, lines: List[Phrase]) -> "Names":
        """Learns from annotated lines."""
        rows, labels = [], []
        for line in lines:
            folded, origin = fold(line.text)
            moved = _in_folded([{"start": s, "end": e, "entity": n} for s, e, n in line.spans], origin)
            rows.append(features(folded, _in_folded(recognise(line.text), origin)))
            labels.append(tags(len(folded), [(m["start"], m["end"], m["entity"]) for m in moved]))
        self.field = CRF(algorithm="ap", max_iterations=ROUNDS, all_possible_transitions=True)
        self.field.fit(rows, labels)
        return self

    def find(self, text: Text, ruled: List[Dict[Text, Any]]) -> List[Dict[Text, Any]]:
        """All entities of the text: the rules' and the learned ones, left to right, none overlapping."""
        folded, origin = fold(text)
        if self.field is None or not folded.strip():
            return ruled
        row = self.field.predict_single(features(folded, _in_folded(ruled, origin)))
        kept = list(ruled)
        for start, end, entity in spans_of(row):
            begin, finish = origin[start], origin[end - 1] + 1
            meets = [e for e in kept if e["start"] < finish and begin < e["end"]]
            covers = all(
                e["entity"] == entity or (begin <= e["start"] and e["end"] <= finish and e["entity"] != "order_number")
                for e in meets
            )
            longer = all(finish - begin > e["end"] - e["start"] for e in meets)
            if meets and not (entity in LONGER_WINS and covers and longer):
                continue
            kept = [e for e in kept if e not in meets]
            surface = folded[start:end]
            kept.append(
                {
                    "entity": entity,
                    "start": begin,
                    "end": finish,
                    "value": by_sound(surface) or surface if entity == "product" else surface,
                    "extractor": "NameFinder",
                }
            )
        return sorted(kept, key=lambda e: e["start"])


@lru_cache(maxsize=1)
def _sounds() -> Dict[Text, Text]:
    return {
        " ".join(lazy_pinyin(surface.lower())): value
        for value, surfaces in words.lexicon().get("product", {}).items()
        for surface in (value, *surfaces)
        if len(surface) > 1
    }


def by_sound(surface: Text) -> Optional[Text]:
    """The catalogue's value for goods that sound the same; None when there are none."""
    return _sounds().get(" ".join(lazy_pinyin(surface)))


def teaching(read: List[Phrase]) -> List[Phrase]:
    """The phrases with learned entities, and half as many without: those teach what is none."""
    with_names = [p for p in read if any(entity in LEARNED for _, _, entity in p.spans)]
    without = [p for p in read if not any(entity in LEARNED for _, _, entity in p.spans)]
    step = max(1, 2 * len(without) // max(len(with_names), 1))
    return [*with_names, *without[::step]]


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=True)
class NameFinder(GraphComponent):
    """Rasa's wrapper around :class:`Names`."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, model: Names) -> None:
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """See fingerprint.py."""
        return {"code": fingerprint.code()}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "NameFinder":
        """An untrained one."""
        return cls(model_storage, resource, Names())

    def train(self, training_data: TrainingData) -> Resource:
        """Fits and stores."""
        self._model.fit(teaching(phrases.of(training_data)))
        with self._storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / "names.joblib", compress=3)
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "NameFinder":
        """The trained one."""
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, joblib.load(folder / "names.joblib"))

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds the learned entities to the rules'."""
        for message in messages:
            text = message.get(TEXT)
            if text and not text.startswith("/"):
                message.set(ENTITIES, self._model.find(text, message.get(ENTITIES) or []), add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Later components need nothing of ours."""
        return training_data
