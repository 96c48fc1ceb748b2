"""Every failure has one answer."""

import pytest

from gateway.wire.failures import POLICIES, FailureCode, Policy, policy_of


def test_every_code_has_a_policy() -> None:
    assert set(POLICIES) == set(FailureCode)


@pytest.mark.parametrize(
    ("code", "policy"),
    [
        ("retry", Policy.RETRY),
        ("queue_full", Policy.RETRY),
        ("expired", Policy.RETRY),
        ("unknown_label", Policy.RETRY),
        ("base_mismatch", Policy.RESEND_FULL),
        ("image_not_available", Policy.RESEND_FULL),
        ("invalid_image_index", Policy.GIVE_UP),
        ("insufficient_battery", Policy.GIVE_UP),
        ("superseded", Policy.SETTLED_BY_REPORT),
    ],
)
def test_the_policy_follows_the_meaning(code: str, policy: Policy) -> None:
    assert policy_of(code) is policy


@pytest.mark.parametrize("code", ["", "sunspots", "RETRY", "policy"])
def test_a_code_we_cannot_read_is_retried_rather_than_left_hanging(code: str) -> None:
    assert policy_of(code) is Policy.RETRY
