"""Chinese text as the search sees it: folded, cut into words, synonyms brought to one word, and each feature weighed.

Three views of the same text, because each heals what the others miss: words (meaning, synonyms), pairs of characters
(what jieba cut wrongly), pairs of syllables without tones (到帐 for 到账, 退宽 for 退款). The words themselves are
in ``synonyms.yml``, so that an editor of the knowledge base can add some without reading Python.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import yaml
from opencc import OpenCC
from pypinyin import lazy_pinyin

from knowledge_base.segmenter import Segmenter

LEXICON = Path(__file__).with_name("synonyms.yml")
LONGEST = 500  # characters of a query that are looked at; more is a pasted document, not a question
LIGHT = 0.4
LONE_CHARACTER = 0.6  # a single character that jieba left over says little by itself
PAIR = 0.4
SYLLABLES = 0.3
LONGEST_SLIP = 4  # characters of a word that may be written with others of the same sound
RUN = re.compile(r"[\u4e00-\u9fff\u3007]+|[a-z0-9]+(?:[.\-+][a-z0-9]+)*")
HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
HAN = re.compile(r"[\u4e00-\u9fff]")
REPEATED = re.compile(r"(.)\1{2,}")
# A day count is written 七天 or 7天; a bare 一个 or 一下 is no number.
NUMERAL = re.compile(
    r"(?<![一二两三四五六七八九十几])([一二两三四五六七八九]?十?[一二三四五六七八九]?)"
    r"(?=[天年月期号件张台层楼米次]|小时|个月|(?<!一)个)"
)
DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
# Sounds that the south of China, and input methods, mix up.
MIXED_UP = ((re.compile(r"^([zcs])h"), r"\1"), (re.compile(r"([aei]n)g$"), r"\1"), (re.compile(r"^l"), "n"))

type Features = dict[str, float]


@dataclass(frozen=True)
class Lexicon:
    """``canonical``: surface → canonical word; ``words``: kept whole by the segmenter; ``things``: see the file."""

    canonical: dict[str, str]
    words: frozenset[str]
    stop: frozenset[str]
    light: frozenset[str]
    things: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """``synonyms.yml``, read once a process."""
    read = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    canonical = {str(surface): str(word) for word, surfaces in read["groups"].items() for surface in surfaces}
    words = {str(word) for word in (*read["groups"], *canonical, *read["words"], *read["stop"])}
    stop, light = (frozenset(map(str, read[part])) for part in ("stop", "light"))
    return Lexicon(canonical, frozenset(words), stop, light, frozenset(f"w:{word}" for word in read["things"]))


@lru_cache(maxsize=1)
def segmenter() -> Segmenter:
    """The segmenter with the lexicon's words. The first call reads a dictionary, about a second."""
    return Segmenter(word for word in lexicon().words if len(word) > 1 and HAN.search(word))


@lru_cache(maxsize=1)
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


def fold(text: str) -> str:
    """One form of the same text: NFKC, lower case, simplified characters, Wi-Fi as wifi, small numerals as digits."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("wi-fi", "wifi").replace("type-c", "typec")
    simplified = _to_simplified().convert(plain.encode("utf-8", "ignore").decode())  # lone surrogates cannot pass
    return NUMERAL.sub(lambda found: _number(found.group(1)), REPEATED.sub(r"\1\1", simplified))


def _number(numeral: str) -> str:
    """一 … 九十九 as digits; anything else unchanged."""
    if "十" in numeral:
        tens, ones = numeral.split("十", 1)
        return str(DIGITS.get(tens, 1) * 10 + DIGITS.get(ones, 0))
    return str(DIGITS[numeral]) if numeral in DIGITS else numeral


def words(text: str) -> list[str]:
    """The words that carry meaning, in order, canonical; at most those of the first 500 characters."""
    return [word for word, _ in _weighed(fold(text[:LONGEST]))]


def features(text: str, *, sounds: bool = True, mend: bool = False) -> Features:
    """``{feature: weight}`` of a question. ``w:`` words, ``b:`` pairs of characters, ``p:`` pairs of syllables.

    ``sounds=False`` leaves the last out: editors' long texts hold few slips. ``mend=True``, for what customers write,
    puts words of the trade in place of slips that sound like them.
    """
    folded = fold(text[:LONGEST])
    found: Features = {}
    weighed = list(_weighed(folded, mend=mend))
    if not weighed:  # nothing but 你好 or 在吗: their sounds would be found in any article
        return found
    for index, (word, weight) in enumerate(weighed):
        _keep_greater(found, "w:" + word, weight)
        for i in range(len(word) - 1):
            _keep_greater(found, "b:" + word[i : i + 2], PAIR * weight)
        if index + 1 < len(weighed):  # across the cut, which may be a wrong one
            following, next_weight = weighed[index + 1]
            _keep_greater(found, "b:" + word[-1] + following[0], PAIR * min(weight, next_weight))
    if sounds:
        for run in HAN_RUN.findall(folded):
            spoken = [syllable(character) for character in run]
            found.update((f"p:{one} {other}", SYLLABLES) for one, other in pairwise(spoken))
    return found


def _keep_greater(found: Features, name: str, weight: float) -> None:
    if found.get(name, 0.0) < weight:
        found[name] = weight


def things(found: Features) -> set[str]:
    """The appliances (as ``w:`` features) a text is about, of those that exclude each other."""
    return found.keys() & lexicon().things


def _weighed(folded: str, *, mend: bool = False) -> Iterator[tuple[str, float]]:
    for run in RUN.findall(folded):
        for piece in _pieces(run, mend):
            word, weight = _weigh(piece)
            if weight:
                yield word, weight


def _pieces(run: str, mend: bool) -> Iterable[str]:
    if not HAN.match(run):
        return (run,)
    return _mended(segmenter().cut(run)) if mend else segmenter().cut(run)


def _mended(pieces: list[str]) -> Iterator[str]:
    """Leftover characters that together sound like a word of the trade, and share one with it: 退宽 is 退款."""
    start = 0
    while start < len(pieces):
        stop = start
        while stop < len(pieces) and stop - start < LONGEST_SLIP and _is_leftover(pieces[stop]):
            stop += 1
        for end in range(stop, start + 1, -1):
            written = "".join(pieces[start:end])
            meant = _sounding().get(" ".join(map(syllable, written)))
            if meant and set(meant) & set(written):
                yield meant
                start = end
                break
        else:
            yield pieces[start]
            start += 1


def _is_leftover(piece: str) -> bool:
    # 我, 把, 没 stand alone by right; with their neighbours they sound like all sorts of things
    return len(piece) == 1 and piece not in lexicon().stop and piece not in lexicon().light


@lru_cache(maxsize=1)
def _sounding() -> dict[str, str]:
    names = sorted(word for word in lexicon().words if 2 <= len(word) <= LONGEST_SLIP and HAN.fullmatch(word[0]))
    return {" ".join(map(syllable, word)): word for word in names if word not in lexicon().stop}


@lru_cache(maxsize=30_000)
def _weigh(piece: str) -> tuple[str, float]:
    """The canonical word and what it counts; 0 for a stop word."""
    known = lexicon()
    word = known.canonical.get(piece, piece)
    if piece in known.stop:
        return word, 0.0
    if word in known.light:
        return word, LIGHT
    return word, LONE_CHARACTER if len(word) == 1 and HAN.match(word) else 1.0


@lru_cache(maxsize=30_000)
def syllable(character: str) -> str:
    """The character's commonest reading without tone, sounds that are often mixed up made equal (zh/z, ing/in, l/n)."""
    sound: str = lazy_pinyin(character)[0]
    for pattern, instead in MIXED_UP:
        sound = pattern.sub(instead, sound)
    return sound
