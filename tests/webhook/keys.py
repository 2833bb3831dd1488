"""Keys that a Secret may hold and no webhook can use."""

import base64
from typing import Final

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

#: PKCS #8 of an algorithm that nobody knows: SEQUENCE {0, {OID 1.2.3.4.5.6}, OCTET STRING}.
UNKNOWN_KIND: Final = (
    b"-----BEGIN PRIVATE KEY-----\n"
    + base64.encodebytes(bytes.fromhex("3013020100300706052a0304050604050403010203"))
    + b"-----END PRIVATE KEY-----\n"
)


def encrypted(key: bytes) -> bytes:
    """Return the key as it is stored with a passphrase."""
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
