"""What gunicorn serves: the application, without its background threads."""

from core import log, settings
from jobs.outbox import Outbox
from jobs.worker import Worker
from web import realtime
from web.app import create_app

log.set_up("web")
app = create_app()
settings.load()


def start() -> None:
    """The background threads of the embedded default, once a process (serving.py)."""
    realtime.listen()
    Worker().start()
    Outbox().start()
    realtime.keep_presence()
