"""Features are numbers; two that are different must never be taken for each other, in no process."""

import os
import subprocess

from cli.processes import BOT_PYTHON, ROOT

VIEWS = """
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from bot.nlu import rows, views
from bot.nlu.classifier import VIEWS as INTENTS
from bot.nlu.mood import VIEWS as MOODS

VIEWS = [*INTENTS, MOODS[-1]]
assert {way for way, _ in VIEWS} == set(views.WAYS)
TEXTS = ["我要退货", "退货退货!退货", "发票开错了,请重开", "物流ir到哪了物", "ab ba aab", "", "😀", "客服小王特别耐心", "几号到?"]
seen = [views.view(text, []) for text in TEXTS]
"""
DISTINCT = """
names = [*"物役换abir^$流票", "ab", "ba", "aba", "aab", "物流", "流物", "a", "aa", "aaa"]
runs = {}
for name in names:
    codes = views._character_runs(name)[len(name) + 2 :]  # pairs and triples
    whole = f"^{name}$"
    of = [whole[i : i + n] for n in (2, 3) for i in range(len(whole) + 1 - n)]
    for run, number in zip(of, codes.tolist()):
        assert runs.setdefault(run, number) == number
singles = {name: int(number) for name, number in zip(names, views._character_runs("".join(names))[1:])}
words = dict(zip(names, views.numbers(names).tolist()))
every = [*runs.values(), *{number for name, number in singles.items() if len(name) == 1}, *words.values()]
assert len(set(every)) == len(every)
print(sorted(every), [analyser(one).tolist() for analyser, _ in VIEWS for one in seen])
"""
EQUAL = """
fitted = rows.Rows(VIEWS)
matrix = fitted.fit(seen)
blocks = [
    TfidfVectorizer(analyzer=lambda one, analyser=analyser: analyser(one).tolist(), sublinear_tf=True).fit_transform(seen) * weight
    for analyser, weight in VIEWS
]
assert matrix.shape[1] == sum(block.shape[1] for block in blocks)
products = sum((block @ block.T).toarray() for block in blocks)
assert np.allclose((matrix @ matrix.T).toarray(), products, atol=1e-6)
row, places, values = fitted.of(seen)  # all at once, as a message's clauses are
read = np.zeros(matrix.shape)
read[row, places] = values
assert np.allclose(read, matrix.toarray(), atol=1e-6)
coefficients = np.random.default_rng(1).normal(size=(matrix.shape[1], 3)) * (np.arange(matrix.shape[1])[:, None] % 2)
told = rows.scores((row, places, values), rows.csr_matrix(coefficients), np.array([1.0, 2.0, 3.0]), len(seen))
assert np.allclose(told, read @ coefficients + [1, 2, 3], atol=1e-5)
nothing = tuple(part[:0] for part in (row, places, values))
assert rows.scores(nothing, rows.csr_matrix(coefficients), np.array([1.0, 2.0, 3.0]), 2).tolist() == [[1, 2, 3]] * 2
"""


def run(code: str, seed: str) -> str:
    """What a process of the brain's environment says."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [str(BOT_PYTHON), "-c", VIEWS + code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_different_features_are_told_apart_and_are_the_same_in_every_process() -> None:
    assert run(DISTINCT, "1") == run(DISTINCT, "2") != ""


def test_a_message_is_read_as_it_was_learned_and_as_scikit_learn_would() -> None:
    run(EQUAL, "1")
