"""What gunicorn does around a worker (``gunicorn -c python:web.serving``). With ``--preload`` the application is loaded before the
address is listened on, so that a proxy's calls are not kept waiting by a process that is still starting.
"""

from typing import Any

from core import db


def post_fork(_arbiter: Any, _worker: Any) -> None:
    """Connections that the arbiter opened are its own: two processes on one would read each other's answers."""
    db.engine().dispose(close=False)


def post_worker_init(_worker: Any) -> None:
    """The threads of this process: none of the arbiter's would live on after its fork."""
    from web import wsgi

    wsgi.start()
