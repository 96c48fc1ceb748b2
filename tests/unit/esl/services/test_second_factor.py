from datetime import timedelta

import pytest

from esl.domain.person import PersonId
from esl.services.access import hash_secret
from esl.services.second_factor import (
    RECOVERY_CODES,
    STEP_S,
    address_for_apps,
    check_code,
    code_at,
    new_recovery_codes,
    new_secret,
)
from esl.store.people import Credentials
from tests.builders import NOON
from tests.hex_of_codes import hex_of_code_address

SECRET = b"12345678901234567890".hex()  # of RFC 6238, appendix B
HERE = int(NOON.timestamp()) // STEP_S


def held(*, step: int = 0, recovery: tuple[str, ...] = ()) -> Credentials:
    return Credentials(
        person_id=PersonId("p"),
        password_hash=None,
        totp_sealed=b"sealed",
        totp_is_on=True,
        totp_step=step,
        recovery_sha256=frozenset(hash_secret(code.replace("-", "")) for code in recovery),
        is_disabled=False,
    )


@pytest.mark.parametrize(
    ("moment_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(moment_s: int, code: str) -> None:
    assert code_at(SECRET, moment_s // STEP_S) == code


def test_an_app_is_told_the_secret() -> None:
    secret = new_secret()
    assert hex_of_code_address(address_for_apps(secret, name="ana@shop.example")) == secret


@pytest.mark.asvs("6.5.1")
def test_a_code_counts_a_step_early_or_late_and_never_twice() -> None:
    for away, is_right in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        typed = code_at(SECRET, HERE + away)
        right = check_code(f" {typed[:3]} {typed[3:]} ", held(), lambda _: SECRET, NOON)
        assert (right is not None) == is_right, away
    right = check_code(code_at(SECRET, HERE), held(), lambda _: SECRET, NOON)
    assert right is not None
    again = held(step=right.step)
    assert check_code(code_at(SECRET, HERE), again, lambda _: SECRET, NOON) is None
    assert check_code(code_at(SECRET, HERE - 1), again, lambda _: SECRET, NOON) is None
    later = NOON + timedelta(seconds=STEP_S)
    assert check_code(code_at(SECRET, HERE + 1), again, lambda _: SECRET, later) is not None


@pytest.mark.asvs("6.5.1")
def test_a_recovery_code_works_once() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    right = check_code(codes[2].upper(), held(recovery=tuple(codes)), lambda _: SECRET, NOON)
    assert right is not None
    assert right.by_recovery_code
    assert len(right.recovery_sha256) == RECOVERY_CODES - 1
    assert hash_secret(codes[2].replace("-", "")) not in right.recovery_sha256


@pytest.mark.parametrize("typed", ["", "12345", "١٢٣٤٥٦", "abcdefghij", "000000", "\0"])
def test_anything_else_is_wrong(typed: str) -> None:
    assert check_code(typed, held(recovery=("11111-22222",)), lambda _: SECRET, NOON) is None
