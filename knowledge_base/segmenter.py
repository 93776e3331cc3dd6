"""jieba's cut without its guesses, in one pass.

jieba first lists all words of a sentence, then weighs them with two logarithms a candidate. For thousands of articles
that is most of the time to build an index. Here the logarithms are taken once; the cut is the same (a test compares).
"""

import logging
import warnings
from collections.abc import Iterable
from math import log

with warnings.catch_warnings():  # jieba 0.42 has invalid escapes in its sources
    warnings.simplefilter("ignore", SyntaxWarning)
    import jieba


class Segmenter:
    """The dictionary of a jieba of our own (others in the process keep theirs) with ``words`` added. About a second."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        jieba.setLogLevel(logging.WARNING)
        tokenizer = jieba.Tokenizer()
        tokenizer.initialize()
        for word in sorted(words):
            tokenizer.add_word(word)
        total = log(tokenizer.total)
        self._absent = -total
        # 0.0 stands for "begins a longer word but is none itself": a logarithm of a share is never 0
        self._weight = {word: log(count) - total if count else 0.0 for word, count in tokenizer.FREQ.items()}

    def cut(self, run: str) -> list[str]:
        """The likeliest words of a run of Chinese characters."""
        weights, absent, size = self._weight, self._absent, len(run)
        best, ends = [0.0] * (size + 1), [0] * size
        for start in range(size - 1, -1, -1):
            top, end = (weights.get(run[start]) or absent) + best[start + 1], start + 1
            for stop in range(start + 2, size + 1):
                weight = weights.get(run[start:stop])
                if weight is None:
                    break
                if weight and weight + best[stop] >= top:
                    top, end = weight + best[stop], stop
            best[start], ends[start] = top, end
        pieces, start = [], 0
        while start < size:
            pieces.append(run[start : ends[start]])
            start = ends[start]
        return pieces
