"""``zhike``: exit status 0 when done, 1 when something failed, 2 when the call was wrong; errors in one line."""

import subprocess
import sys

import pytest

from tests.stack import ROOT


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (["kb", "search", "--top", "many"], 2),
        (["no-such-command"], 2),
        (["user", "add", "somebody"], 2),
        (["user", "add", "somebody", "--role", "boss"], 2),
        (["nlu", "eval", "no-such-file.tsv"], 1),
    ],
)
def test_a_wrong_call_is_told_in_one_line(call, status, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *call],
        cwd=ROOT,
        env={"ZHIKE_VAR_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
