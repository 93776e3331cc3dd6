"""Secrets of others (a platform's keys) are sealed before they go into the database: a copy of it gives none away.

The key comes from ``ZHIKE_SECRET_KEY``; with another key what was sealed cannot be read again and must be typed anew.
"""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken

from core import settings
from core.errors import Conflict


@lru_cache
def _sealer(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"zhike sealing\0" + secret_key.encode()).digest()))


def seal(text: str) -> str:
    """The text, unreadable without this installation's key."""
    return _sealer(settings.load().secret_key).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Conflict when the key is another one now."""
    try:
        return _sealer(settings.load().secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Conflict("ZHIKE_SECRET_KEY 变过了，保存的密钥读不出来，请重新录入。", code="sealed") from None
