"""Who has the controller's login but not its key changes nothing; `tests.proof.rogue` says how."""

import pytest

from gateway.wire.signing import PublicKeys
from tests.proof.rogue import every_command, prove

EVERYTHING = [
    *("pictures", "revisions", "slots", "pending"),
    *("lights", "bindings", "firmware", "settings"),
]


async def test_a_rogue_with_the_controllers_login_changes_nothing() -> None:
    found = await prove(payloads=1000)
    assert found["payloads"] == found["refused"] == 1000
    assert found["changed"] == []
    assert found["control_changed"] == EVERYTHING, "the control: as signed, each changes something"
    assert set(found["by_command"]) == set(every_command(0))
    assert min(found["by_kind"].values()) >= 70
    assert set(found["refusals"]) == {
        *("BadPayload", "BadSignature", "Expired"),
        *("NotForUs", "Replayed", "WrongSession"),
    }


async def test_a_gateway_that_checks_no_signature_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def believe(_: PublicKeys, key_id: str, *, signature: bytes, signed: bytes) -> None:
        """Believe everything."""

    monkeypatch.setattr(PublicKeys, "verify", believe)
    for patience in ("REFUSES_WITHIN_S", "OBEYS_WITHIN_S"):
        monkeypatch.setattr(f"tests.proof.rogue.{patience}", 0.5)
    found = await prove(payloads=400)
    assert found["not_refused"] > 0
    assert {"pictures", "revisions", "pending"} <= set(found["changed"])
