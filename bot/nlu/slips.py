"""Mends homophone slips: phones' keyboards write 免邮次输 for 免邮次数, 遥求换 for 要求换.

A noisy channel: where two neighbouring characters were never seen together in the phrases, each of them may have been
meant as another of the same sound; of all readings the likeliest by runs of three characters wins, a change costing
CHANGE. Characters stand one for one, so offsets stay. docs/adr/0008 has what else was tried.
"""

import math
from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any, Dict, Iterable, List, Text, Tuple

import numpy as np
from pypinyin import lazy_pinyin

CHANGE = 6.0  # nats: between 4 and 6 as many slips are mended; from 8 on fewer, below 4 sound text is changed
ALIKE, BEAM = 8, 8  # characters of one sound that are tried; readings kept at each step
CHANCES = 100_000  # remembered; some ten megabytes
COUNTS = ("ones", "twos", "threes")
SHARES = (0.6, 0.3, 0.1)  # of runs of three, two and one
BETWEEN = "\0"  # the keys are stored as one string: a million of them take ten seconds to read


class Mender:
    """What was seen in training, and the texts it makes likelier."""

    def __init__(self) -> None:
        self.ones: Dict[Text, int] = {}
        self.twos: Dict[Text, int] = {}
        self.threes: Dict[Text, int] = {}
        self.sounds: Dict[Text, List[Text]] = {}
        self._total = 0
        self._chances: Dict[Text, float] = {}  # what was worked out before, for this process

    def __getstate__(self) -> Dict[Text, Any]:
        """Counts as one string and one array each."""
        counts = {name: self.__dict__[name] for name in COUNTS}
        packs = {n: (BETWEEN.join(c).encode(), np.array(list(c.values()))) for n, c in counts.items()}
        return {**self.__dict__, **packs, "_chances": {}}

    def __setstate__(self, state: Dict[Text, Any]) -> None:
        self.__dict__.update(state)
        for name in COUNTS:
            keys, values = state[name]
            setattr(self, name, dict(zip(keys.decode().split(BETWEEN), values.tolist())))

    def fit(self, texts: Iterable[Text]) -> "Mender":
        """Learns from texts as :func:`bot.nlu.text.shape` leaves them."""
        ones: "Counter[str]" = Counter()
        twos: "Counter[str]" = Counter()
        threes: "Counter[str]" = Counter()
        for text in texts:
            whole = f"^{text}$"
            ones.update(whole)
            twos.update(whole[i : i + 2] for i in range(len(whole) - 1))
            threes.update(whole[i : i + 3] for i in range(len(whole) - 2))
        alike: Dict[Text, List[Text]] = defaultdict(list)
        for character, _ in ones.most_common():
            if _is_han(character) and len(alike[_sound(character)]) < ALIKE:
                alike[_sound(character)].append(character)
        self.ones, self.twos, self.threes = dict(ones), dict(twos), dict(threes)
        self.sounds, self._total = dict(alike), sum(ones.values()) + len(ones)
        return self

    def mend(self, text: Text) -> Text:
        """The folded text as it was probably meant; the same text when nothing in it is odd."""
        whole = f"^{text}$"
        odd = [whole[i : i + 2] not in self.twos for i in range(len(whole) - 1)]
        choices = self._choices(text, odd) if any(odd) else []
        if all(len(choice) == 1 for choice in choices):
            return text
        readings: Dict[Text, Tuple[float, Text]] = {"^": (0.0, "")}  # by their last two characters
        chances = self._chances
        for choice in [*choices, ["$"]]:
            if len(choice) == len(readings) == 1:  # nothing to choose
                readings = {
                    (last + choice[0])[-2:]: (told, read + choice[0]) for last, (told, read) in readings.items()
                }
                continue
            after: Dict[Text, Tuple[float, Text]] = {}
            for last, (likely, read) in readings.items():
                for character in choice:
                    run = last + character
                    chance = chances.get(run)
                    if chance is None:
                        chance = self._likely(last, character)
                    told = likely + chance - (CHANGE if character != choice[0] else 0.0)
                    key = run[-2:]
                    if key not in after or after[key][0] < told:
                        after[key] = told, read + character
            readings = dict(sorted(after.items(), key=lambda item: -item[1][0])[:BEAM]) if len(after) > BEAM else after
        return max(readings.values())[1][:-1]

    def _choices(self, text: Text, odd: List[bool]) -> List[List[Text]]:
        """For each character itself, and where it is odd beside a neighbour those of its sound."""
        choices = []
        for n, character in enumerate(text):
            others = self.sounds.get(_sound(character), []) if _is_han(character) and (odd[n] or odd[n + 1]) else []
            choices.append([character, *(c for c in others if c != character)])
        return choices

    def _likely(self, last: Text, character: Text) -> float:
        """The logarithm of the chance of a character after the last one or two, remembered."""
        three, two, one = SHARES
        pair = self.twos.get(last[-1] + character, 0) / max(self.ones.get(last[-1], 0), 1)
        run = pair
        if len(last) == 2:
            run = self.threes.get(last + character, 0) / max(self.twos.get(last, 0), 1)
        told = math.log(three * run + two * pair + one * (self.ones.get(character, 0) + 0.5) / self._total)
        if len(self._chances) >= CHANCES:
            self._chances.clear()
        self._chances[last + character] = told
        return told


def _is_han(character: Text) -> bool:
    return "\u4e00" <= character <= "\u9fff"


@lru_cache(maxsize=None)  # as many as there are characters
def _sound(character: Text) -> Text:
    return lazy_pinyin(character)[0]
