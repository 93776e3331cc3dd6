"""What gunicorn does around a worker (``gunicorn -c python:web.serving``). With ``--preload`` the application is loaded before the
address is listened on, so that a proxy's calls are not kept waiting by a process that is still starting.

Nothing of ours is imported by this module itself: without ``--preload`` (gevent) it must wait until the worker has made
threads and sockets its own.
"""

from typing import Any


def post_fork(arbiter: Any, _worker: Any) -> None:
    """Connections that the arbiter opened are its own: two processes on one would read each other's answers."""
    if arbiter.cfg.preload_app:
        from core import db

        db.engine().dispose(close=False)


def post_worker_init(_worker: Any) -> None:
    """The threads of this process: none of the arbiter's would live on after its fork."""
    from web import wsgi

    wsgi.start()
