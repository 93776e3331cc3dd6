"""What happens in talks, told to RabbitMQ for whoever wants to count or learn from it (queue ``zhike_brain_events``).

Only told, never needed: the brain starts and answers without RabbitMQ, keeps what it could not tell (up to a limit) and
tells it once RabbitMQ is there.
"""

import asyncio
import logging
from collections import deque
from typing import Any, Deque, Dict, Optional, Text
from urllib.parse import unquote, urlsplit

from rasa.core.brokers.pika import PikaEventBroker
from rasa.utils.endpoints import EndpointConfig

log = logging.getLogger(__name__)
QUEUE, EXCHANGE = "zhike_brain_events", "zhike_brain"
KEPT_MOST = 20_000
AGAIN_SECONDS = 5


class Events(PikaEventBroker):
    """Rasa's own broker, connected in the background."""

    @classmethod
    async def from_endpoint_config(
        cls, broker_config: Optional[EndpointConfig], event_loop: Optional[asyncio.AbstractEventLoop] = None
    ) -> Optional["Events"]:
        """From endpoints.yml; without an address nothing is told."""
        url = broker_config.url if broker_config else None
        if not url:
            return None
        parts = urlsplit(url)
        made = cls(
            url,
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
            port=parts.port or 5672,
            queues=[QUEUE],
            exchange_name=EXCHANGE,
            event_loop=asyncio.get_event_loop(),
        )
        made._unpublished_events = deque(maxlen=KEPT_MOST)
        made._connecting = asyncio.ensure_future(made._connect_some_day())
        return made

    _connecting: Optional["asyncio.Future[None]"] = None
    _unpublished_events: Deque[Dict[Text, Any]]

    def _configure_url(self) -> Text:
        return self.host

    async def _connect_some_day(self) -> None:
        self._connection_attempts = 1
        while True:
            try:
                await self.connect()
                break
            except Exception as error:
                log.warning("RabbitMQ is away (%s); trying again", type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
        self._publish_unpublished_messages()

    def publish(self, event: Dict[Text, Any], headers: Optional[Dict[Text, Text]] = None) -> None:
        """Tells an event now, or when RabbitMQ is there."""
        if self._exchange is None:
            self._unpublished_events.append(event)
        else:
            super().publish(event, headers)

    async def close(self) -> None:
        """The end."""
        if self._connecting is not None:
            self._connecting.cancel()
        await super().close()
