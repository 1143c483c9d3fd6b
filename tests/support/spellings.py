"""The forms in which a secret could stand in a file or in what is sent."""

import base64
import json
import urllib.parse


def spellings(secret: str) -> set[bytes]:
    """Return the secret in plain, backwards, as hexadecimal, for an address, in JSON, and in base64 at any offset."""
    raw = secret.encode()
    texts = {secret, secret[::-1], raw.hex(), urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1]}
    for shift in range(3):  # base64 of the secret at any offset in a longer text
        padded = base64.b64encode(b"\0" * shift + raw).decode()
        texts.add(padded[4 if shift else 0 : len(padded) // 4 * 4 - 8])
    return {text.encode() for text in texts}
