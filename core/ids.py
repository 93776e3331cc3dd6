"""Identifiers and tokens."""

import hashlib
import secrets
import uuid


def new_id() -> str:
    """A random identifier, 32 hexadecimal characters."""
    return uuid.uuid4().hex


def new_token() -> str:
    """A random bearer token; only :func:`token_hash` of it is stored."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 of a token, hexadecimal."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
