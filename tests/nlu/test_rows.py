"""Features are known by their hashes; two that are different must never be taken for each other."""

import os
import subprocess

import pytest

from cli.processes import BOT_PYTHON, ROOT

# 物 and ir, 役 and y_, 换 and bc are the same bytes in Python's memory, and so the same hash.
PLACES = """
import numpy as np
from bot.nlu.rows import Places, _hashes
names = ["物", "ir", "役", "y_", "换", "bc", "物流", "ir\\x41m", "a", "aa", ""]
places = Places([names, names])
first, second = np.zeros(len(names), int), np.ones(len(names), int)
for view in (first, second):
    known, at = places.of(_hashes(names), view)
    assert known.all() and at.tolist() == [n + len(names) * view[0] for n in range(len(names))], at
known, _ = places.of(_hashes(["流", "票", "hy"]), first[:3])
assert not known.any()
"""


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_features_of_the_same_bytes_are_told_apart_in_every_process(seed: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [str(BOT_PYTHON), "-c", PLACES], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
