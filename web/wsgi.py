"""What gunicorn serves: the application with the background threads of the embedded default."""

from core import log, settings
from jobs.outbox import Outbox
from jobs.worker import Worker
from web import realtime
from web.app import create_app

log.set_up("web")
app = create_app()
realtime.listen()
worker = Worker()
worker.start()
Outbox().start()
realtime.keep_presence()
settings.load()
