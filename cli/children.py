"""Processes that must not outlive the command that started them."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cli.processes import QUIET_BRAIN, ROOT

_running: set["subprocess.Popen[Any]"] = set()
_lock = threading.Lock()


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """A process of the brain's environment. Afterwards it has ended, whatever was raised; where Linux's ``setpriv``
    is, also when we are killed."""
    leash = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    environment: Mapping[str, str] = {**os.environ, **QUIET_BRAIN}
    process = subprocess.Popen([*leash, *command], cwd=ROOT, env=environment, **options)
    with _lock:
        _running.add(process)
    try:
        yield process
    finally:
        with _lock:
            _running.discard(process)
        if process.poll() is None:
            process.kill()
            process.wait()


def end_all() -> None:
    """Ends them now; whoever waits for one goes on."""
    with _lock:
        for process in _running:
            process.kill()
