"""The keys that controllers sign with: the one of the first hour, and the one that follows it."""

from gateway.wire.signing import PublicKeys, SigningKey
from tests.builders import KEY

NEXT_KEY = SigningKey.from_seed(bytes(range(32, 64)))

FIRST, BOTH, NEXT = PublicKeys.of(KEY), PublicKeys.of(KEY, NEXT_KEY), PublicKeys.of(NEXT_KEY)
"""What a gateway is enrolled with before, during and after the keys are rotated."""
