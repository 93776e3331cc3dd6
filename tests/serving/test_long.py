"""A talk costs the same at its hundredth turn as at its tenth, also for a customer who begins a form and never ends it."""

import os
import subprocess
from pathlib import Path

from cli.processes import BOT_PYTHON, ROOT


def test_a_form_that_stays_open_for_a_hundred_turns_is_carried_along_without_them(tmp_path: Path) -> None:
    command = [str(BOT_PYTHON), "-W", "ignore", "-m", "tests.serving.long", f"sqlite:///{tmp_path / 'brain.db'}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
