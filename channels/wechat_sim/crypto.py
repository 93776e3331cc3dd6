"""How the platform signs and encrypts, written from its description and not from the library the channel uses: one
mistake on both sides would otherwise look like agreement.
"""

import base64
import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES = 32  # PKCS#7 pads to this, not to the cipher's 16
RANDOM_BYTES = 16


class NotOurs(ValueError):
    """A signature, a padding or an AppID is wrong."""


def new_aes_key() -> str:
    """An EncodingAESKey in the documented form: 43 characters that with ``=`` are the Base64 of 32 bytes."""
    return base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts: token, timestamp, nonce – and the Encrypt text for ``msg_signature``."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class Cipherer:
    """Encrypts for one account (AppID and EncodingAESKey of 43 characters). Raises ValueError for another key."""

    def __init__(self, app_id: str, aes_key: str) -> None:
        self._key = base64.b64decode(aes_key + "=", validate=True)
        if len(aes_key) != 43 or len(self._key) != 32:
            raise ValueError("an EncodingAESKey has 43 characters")
        self._app_id = app_id.encode()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))

    def encrypt(self, message: str) -> str:
        """Base64 of 16 random bytes, the length, the message and the AppID, encrypted."""
        said = message.encode()
        plain = secrets.token_bytes(RANDOM_BYTES) + struct.pack(">I", len(said)) + said + self._app_id
        missing = BLOCK_BYTES - len(plain) % BLOCK_BYTES
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The message. Raises NotOurs when anything about it is wrong, its AppID too."""
        try:
            decryptor = self._cipher().decryptor()
            padded = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
        except ValueError as error:
            raise NotOurs("not Base64 of whole blocks") from error
        padding = padded[-1] if padded else 0
        if not 1 <= padding <= BLOCK_BYTES or padded[-padding:] != bytes([padding]) * padding:
            raise NotOurs("padding")
        plain = padded[RANDOM_BYTES:-padding]
        if len(plain) < 4:
            raise NotOurs("length")
        (length,) = struct.unpack(">I", plain[:4])
        if not hmac.compare_digest(plain[4 + length :], self._app_id):
            raise NotOurs("AppID")
        return plain[4 : 4 + length].decode()
