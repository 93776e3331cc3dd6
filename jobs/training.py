"""Starts the trainings that were asked for, each in a process of its own: two minutes of work are nothing for a request.

The database says which one waits (helpdesk/learning/trainings.py); its lease sees to it that of several web processes
one trains, and that a killed one's work begins again.
"""

import logging
import subprocess
import sys
import threading

from core import clock, db, settings
from core.settings import ROOT
from helpdesk.learning import trainings

log = logging.getLogger(__name__)


class Trainer:
    """At most one training process of this web process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def look(self) -> None:
        """Starts what waits, unless one of ours is running."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._process = None
            with db.reading() as session:
                number = trainings.due(session, clock.now())
            if number is not None:
                self._process = self._start(number)

    @staticmethod
    def _start(number: int) -> "subprocess.Popen[bytes]":
        folder = settings.load().var_dir / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "cli.main", "nlu", "train", "--job", str(number)]
        log.info("training %s begins", number)
        with (folder / "training.log").open("ab") as out:
            return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
