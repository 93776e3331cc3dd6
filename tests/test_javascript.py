"""The pages' own unit tests: how lines are merged, sent again, and never doubled."""

import shutil
import subprocess

import pytest

from tests.stack import ROOT


def passes(*command: str, cwd: str = ".") -> None:
    """Runs a JavaScript test runner; its output is shown when it fails."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"no {command[0]} on this machine")
    done = subprocess.run([program, *command[1:]], cwd=ROOT / cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_customers_page_merges_lines_without_loss_or_double():
    passes("node", "--test", "tests/chat/store.test.mjs")


def test_the_desk_keeps_its_lines_its_clocks_and_its_canned_replies_right():
    passes("npm", "test", "--silent", cwd="web/desk-ui")
