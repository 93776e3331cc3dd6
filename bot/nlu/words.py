"""jieba with the shop's own dictionary, loaded once a process."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Tuple

import jieba
import yaml

LEXICON = Path(__file__).resolve().parent.parent / "lexicon"


@lru_cache(maxsize=1)
def lexicon() -> Dict[str, Dict[str, List[str]]]:
    """``{entity: {value: [surface, …]}}`` from all files of ``bot/lexicon`` (products are exported by the app)."""
    merged: Dict[str, Dict[str, List[str]]] = {}
    for path in sorted(LEXICON.glob("*.yml")):
        for entity, values in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            for value, surfaces in values.items():
                merged.setdefault(entity, {}).setdefault(str(value), []).extend(str(s) for s in surfaces)
    return merged


@lru_cache(maxsize=1)
def segmenter() -> jieba.Tokenizer:
    """A jieba tokenizer that knows the lexicon's words. Reading its dictionary takes a second or two."""
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    for values in lexicon().values():
        for value, surfaces in values.items():
            for surface in {value, *surfaces}:
                if len(surface) > 1 and not surface.isascii():
                    tokenizer.add_word(surface.lower())
    return tokenizer


@lru_cache(maxsize=2048)  # the recogniser and the views ask for the same message
def cut(text: str) -> Tuple[str, ...]:
    """The words of a folded text."""
    return tuple(segmenter().cut(text))
