"""What an authenticator app does with the address it scans."""

import base64
from urllib.parse import parse_qs, urlsplit


def hex_of_code_address(address: str) -> str:
    """Return the secret of an ``otpauth://`` address, in hex."""
    [text] = parse_qs(urlsplit(address).query)["secret"]
    return base64.b32decode(text + "=" * (-len(text) % 8)).hex()
