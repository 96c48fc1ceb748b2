"""Webhooks: who really sent a body (`verifiers`), and what it says (`readers`).

    request ──verify──▶ Genuine | Greeting | Refused          over raw bytes, before any parsing
    body    ──read────▶ Mapped | Thin | Gone | Noise           after it was stored

Pure: no database, no network, no clock. A body that cannot be read raises `InvalidInput`.
"""
