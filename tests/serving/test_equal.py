"""The fast paths change nothing but the cost: recorded talks give the same events and answers with all of them on and off.

All talks with ``ZHIKE_CHAOS=whole``, else every twenty-fifth (Rasa as it is takes a quarter of an hour for all).
"""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cli.processes import BOT_PYTHON, QUIET_BRAIN, ROOT
from tests.serving.lines import talks

EVERY = 1 if os.environ.get("ZHIKE_CHAOS") == "whole" else 25


def played(folder: Path, slow: str) -> list[dict[str, Any]]:
    """The talks' events and answers."""
    out = folder / f"{slow or 'fast'}.jsonl"
    environment = {**os.environ, **QUIET_BRAIN, "PYTHONPATH": str(ROOT), "ZHIKE_BRAIN_SLOW": slow}
    command = [str(BOT_PYTHON), "-m", "tests.serving.replay", str(out), str(EVERY)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.mark.timeout(1500)
def test_recorded_talks_give_the_same_events_and_answers_with_all_fast_paths_on_and_off(tmp_path: Path) -> None:
    fast, slow = played(tmp_path, ""), played(tmp_path, "all")
    assert len(fast) == len(slow) == len(talks()[::EVERY])
    different = [n for n, (one, other) in enumerate(zip(fast, slow, strict=True)) if one != other]
    for n in different[:3]:
        for one, other in zip(fast[n]["events"], slow[n]["events"], strict=False):
            assert one == other, f"talk {n}"
    assert different == []


def test_the_tape_holds_what_talks_are_made_of() -> None:
    """Forms, interruptions, corrections and hand-overs, from five hundred sessions with the product."""
    recorded = talks()
    calls = Counter(call["action"] for talk in recorded for turn in talk for call in turn["calls"])
    assert len(recorded) >= 500
    assert sum(len(talk) >= 15 for talk in recorded) >= 10, "long talks"
    assert sum(name.startswith("validate_") for name in calls) >= 8, "forms of many kinds"
    assert calls["action_request_human"] >= 20
    texts = [turn["text"] for talk in recorded for turn in talk if not turn["text"].startswith("/")]
    assert len(set(texts)) >= 0.7 * len(texts), "nobody says the same"
