"""Every setting there is: one field each, read from the environment (prefix ``ZHIKE_``) and from ``.env``.

A wrong value stops the start with one clear line (:func:`load`). Units stand in the names.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(SystemExit):
    """A setting is wrong; the message names the variable and the mend. Ends the program with status 1."""


class Settings(BaseSettings):
    """See each field's description; ``.env.example`` lists them all with their defaults."""

    model_config = SettingsConfigDict(env_prefix="ZHIKE_", env_file=ROOT / ".env", extra="ignore")

    shop_name: str = Field("澄屿商城", description="The shop's name as customers see it.")
    bot_name: str = Field("小知", description="The bot's name as customers see it.")
    time_zone: str = Field("Asia/Shanghai", description="The zone business hours and dates are told in.")
    demo: bool = Field(True, description="Demo mode: demo data are loaded and the page offers 'sign in as'.")

    var_dir: Path = Field(ROOT / "var", description="Folder for the database, uploads, logs and keys made here.")
    model_dir: Path = Field(ROOT / "models", description="Folder of the trained model, and of those before it.")
    learned_dir: str = Field(
        "", description="Folder of the phrases learned from talks; empty means learned in var_dir."
    )
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in var_dir.")
    redis_url: str = Field("", description="Redis for Socket.IO fan-out and rate limits; empty means in-process.")
    rabbitmq_url: str = Field("", description="RabbitMQ the brain publishes its events to; empty means none.")

    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the customer page and the API.")
    brain_port: int = Field(8005, ge=1, le=65535, description="Port of the brain (Rasa), loopback only.")
    actions_port: int = Field(8055, ge=1, le=65535, description="Port of the action server, loopback only.")
    brain_host: str = Field("127.0.0.1", description="Address the brain listens on; never one the world reaches.")
    actions_host: str = Field("127.0.0.1", description="Address the action server listens on; never a public one.")
    brain_urls: str = Field(
        "", description="Addresses of the brains, with commas between; empty: the one of this machine."
    )
    actions_url: str = Field("", description="Address of the action server; empty: the one of this machine.")
    brain_slow: str = Field(
        "", description="Fast paths of the brain to turn off (bot/serving/switches.py), with commas between, or all."
    )
    web_worker: Literal["threads", "gevent"] = Field(
        "threads", description="threads: a socket or long poll holds a thread; gevent: for hundreds of connections."
    )
    web_threads: int = Field(120, ge=8, description="Threads of the web process; a socket or long poll holds one.")

    secret_key: str = Field("", description="Signs what the server hands out; empty means one made in var_dir.")
    customer_token_secret: str = Field("", description="HS256 secret shared with the shop's site; empty: made here.")
    internal_secret: str = Field("", description="Secret between web, brain and actions; empty: made in var_dir.")

    turn_workers: int = Field(3, ge=1, description="Turns sent to the brain at the same time by one process.")
    turn_lease_seconds: float = Field(30, gt=0, description="How long a turn may be out before it is asked again.")
    brain_timeout_seconds: float = Field(20, gt=0, description="How long one answer of the brain is waited for.")
    brain_patience_seconds: float = Field(
        45, ge=0, description="How long a customer waits for an absent brain before being queued for a person."
    )
    sweep_seconds: float = Field(0.5, gt=0, description="How often due things are looked for.")

    message_max_chars: int = Field(2000, ge=1, description="Longest message a customer may send.")
    upload_max_bytes: int = Field(5 * 1024 * 1024, ge=1, description="Largest picture a customer may send.")
    messages_per_talk: str = Field("20/10 seconds", description="Customer messages allowed in one talk.")
    talks_per_address: str = Field("120/minute", description="New talks allowed from one address.")
    sign_ins_failed: str = Field("10/5 minutes", description="Failed agent sign-ins allowed from one address.")
    embed_origins: str = Field("'self'", description="Sites that may embed the chat, as in CSP frame-ancestors.")
    public_url: str = Field(
        "", description="Address customers reach this site at, for links in other channels; empty: this machine's own."
    )
    sign_in_url: str = Field(
        "", description="The shop's sign-in page; gets ?back= and returns there with customer_token. Empty: none."
    )
    wechat_passive_seconds: float = Field(
        4.0, gt=0, lt=5, description="How long a WeChat callback is held for the bot's answer; the platform allows 5."
    )
    wechat_waiting: int = Field(
        40, ge=0, description="WeChat callbacks held at the same time by one process; beyond that the API answers."
    )
    wechat_senders: int = Field(
        1, ge=1, description="Messages sent to WeChat at once by one process; after a kill each may be repeated."
    )
    trusted_proxies: int = Field(0, ge=0, description="How many proxies in front set X-Forwarded-For.")

    verify_tries: int = Field(5, ge=1, description="Wrong order/phone pairs allowed in a talk (and per order) an hour.")
    presence_timeout_seconds: float = Field(60, gt=0, description="Silence after which an agent counts as gone.")
    distribution: Literal["automatic", "by_hand"] = Field(
        "automatic", description="automatic: a free agent is given who waits; by_hand: agents take talks themselves."
    )
    pick_up_seconds: float = Field(
        60, gt=0, description="How long an agent has to turn to an assigned talk before it goes back to the front."
    )
    channel_weights: dict[str, float] = Field(
        {}, description='Places a talk takes by channel, as JSON: {"wechat": 0.5}. Others take one.'
    )
    service_level_seconds: float = Field(
        20, gt=0, description="A wait up to this counts as within the service level on the wall board."
    )
    agent_session_hours: float = Field(12, gt=0, description="How long an agent stays signed in.")
    handling_seconds_default: float = Field(300, gt=0, description="Mean handling time assumed before any is known.")

    golden_lines_tolerance: int = Field(
        2, ge=0, description="How many golden lines fewer than the running model a new one may read right."
    )

    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value

    @field_validator("channel_weights")
    @classmethod
    def _known_weights(cls, value: dict[str, float]) -> dict[str, float]:
        if any(not 0.1 <= weight <= 20 for weight in value.values()):
            raise ValueError("weights must be between 0.1 and 20 places")
        return value

    @property
    def assigns(self) -> bool:
        """Whether waiting talks are given by the rules."""
        return self.distribution == "automatic"

    @property
    def zone(self) -> ZoneInfo:
        """The business's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.var_dir / 'zhike.db'}"

    @property
    def model(self) -> Path:
        """The model in force."""
        return self.model_dir / "zhike.tar.gz"

    @property
    def learned(self) -> Path:
        """The folder of the learned phrases."""
        return Path(self.learned_dir) if self.learned_dir else self.var_dir / "learned"

    @property
    def site(self) -> str:
        """Where customers reach this site, without a slash at the end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def brains(self) -> tuple[str, ...]:
        """Where the brains answer."""
        named = tuple(url.strip().rstrip("/") for url in self.brain_urls.split(",") if url.strip())
        return named or (f"http://127.0.0.1:{self.brain_port}",)

    @property
    def actions(self) -> str:
        """Where the action server answers."""
        return self.actions_url.rstrip("/") or f"http://127.0.0.1:{self.actions_port}"


@lru_cache
def load() -> Settings:
    """The settings of this process. Raises :class:`SettingsError` with one line per wrong value."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"ZHIKE_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError("Wrong setting – " + "; ".join(lines)) from None
    from core import secrets

    return secrets.fill(settings)
