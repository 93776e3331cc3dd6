"""The training phrases, read past Rasa: it copies and hashes its training data a dozen times, minutes for 70,000 phrases.

The importer gives Rasa one phrase of each intent, and with them the files and their hash; our components read the files.
"""

import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Text, Tuple

import yaml
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import fingerprint

EXAMPLE = re.compile(r"^\s*-\s+(.*\S)\s*$", re.MULTILINE)
MARK = re.compile(r'\[([^\]\[]+)\](?:\(([a-z_]+)\)|\{[^}]*"entity":\s*"([a-z_]+)"[^}]*\})')
FILES, HASH = "phrase_files", "phrase_hash"


class Phrase(NamedTuple):
    """A training phrase; ``spans``: ``(start, end, entity)`` in its text."""

    text: Text
    intent: Text
    spans: List[Tuple[int, int, Text]]


def unmarked(example: Text, intent: Text) -> Phrase:
    """``[冰箱](product)坏了`` as text and spans."""
    parts: List[Text] = []
    spans: List[Tuple[int, int, Text]] = []
    at = length = 0
    for match in MARK.finditer(example):
        before, surface = example[at : match.start()], match.group(1)
        length += len(before)
        spans.append((length, length + len(surface), match.group(2) or match.group(3)))
        parts += [before, surface]
        length, at = length + len(surface), match.end()
    return Phrase("".join([*parts, example[at:]]), intent, spans)


def read(paths: List[Text]) -> List[Phrase]:
    """All phrases of files with ``- intent: … examples: |`` blocks. Raises KeyError when a file holds anything else."""
    return [
        unmarked(example, block["intent"])
        for path in paths
        for block in yaml.load(Path(path).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["nlu"]
        for example in EXAMPLE.findall(block["examples"])
    ]


def of(training_data: TrainingData) -> List[Phrase]:
    """The phrases behind Rasa's training data; its own examples when another importer read them."""
    for example in training_data.intent_examples:
        if example.get(FILES):
            return read(example.get(FILES))
    return [
        Phrase(e.get(TEXT), e.get(INTENT), [(s["start"], s["end"], s["entity"]) for s in e.get(ENTITIES) or []])
        for e in training_data.intent_examples
        if e.get(TEXT)
    ]


class PhrasesImporter(RasaFileImporter):
    """Rasa's importer, but for the phrases."""

    def get_nlu_data(self, language: Optional[Text] = "en") -> TrainingData:
        """One message of each intent; the first of them names the files. Raises KeyError, see :func:`read`."""
        first: Dict[Text, Phrase] = {}
        for phrase in read(self._nlu_files):
            first.setdefault(phrase.intent, phrase)
        messages = [Message.build(phrase.text, phrase.intent) for phrase in first.values()]
        if messages:
            messages[0].set(FILES, sorted(self._nlu_files))
            messages[0].set(HASH, fingerprint.of(*(Path(path) for path in sorted(self._nlu_files))))
        return TrainingData(messages)
