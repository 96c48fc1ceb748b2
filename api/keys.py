"""The installation's signing keys, and how one takes the other's place.

::

    signing.pem ─────────────────────────▶ previous.pem ──▶ gone
    next.pem ──(gateways know both)──────▶ signing.pem

    begin            every gateway gets an enrolment file with both public keys
    switch           the controller signs with the next key, at its next start
    end              enrolment files hold the new key alone; gateways forget the old one
    undo             takes back what was done last, as long as the old key is there

A gateway believes at most two keys, and learns them by enrolment file only: so each step waits
for every gateway to have been given the file of the step before.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from api.private_files import signing_key, write_private
from esl.domain.errors import SetupError
from gateway.wire.errors import WireError
from gateway.wire.signing import PublicKeys, SigningKey

_SIGNING = "signing.pem"
_NEXT = "next.pem"
_PREVIOUS = "previous.pem"
_ENDED = "rotated"  # empty; there since a rotation ended, its time is that of the end


class Stage(StrEnum):
    """How far a rotation has come."""

    NONE = "none"  #: there is one key
    BEGUN = "begun"  #: gateways are being given the next one
    SWITCHED = "switched"  #: the next one signs; gateways still believe the old one


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The keys of a data folder: what signs, and what gateways are to believe beside it."""

    stage: Stage
    signing: SigningKey
    other: SigningKey | None

    def believed(self) -> PublicKeys:
        """The public keys an enrolment file holds."""
        return PublicKeys.of(self.signing, *([self.other] if self.other is not None else []))


def key_ring(data_dir: Path) -> KeyRing:
    """Read the keys of a data folder.

    Raises:
        SetupError: There is none, or one is damaged or readable by others.
    """
    signing = signing_key(data_dir, may_make=False)
    upcoming, previous = _read(data_dir, _NEXT), _read(data_dir, _PREVIOUS)
    if previous is not None and previous.key_id == signing.key_id:
        # A switch was cut off after its first half: the next key has still to take the place.
        previous = None
    if upcoming is not None and upcoming.key_id != signing.key_id:
        return KeyRing(stage=Stage.BEGUN, signing=signing, other=upcoming)
    if previous is not None:
        return KeyRing(stage=Stage.SWITCHED, signing=signing, other=previous)
    return KeyRing(stage=Stage.NONE, signing=signing, other=None)


def begin_rotation(data_dir: Path) -> KeyRing:
    """Make the next key; from now on enrolment files hold both.

    Raises:
        SetupError: A rotation is under way.
    """
    if key_ring(data_dir).stage is not Stage.NONE:
        raise SetupError("a rotation is under way; end it before the next")
    (data_dir / "keys" / _NEXT).unlink(missing_ok=True)
    write_private(data_dir / "keys" / _NEXT, SigningKey.generate().to_pem().decode())
    return key_ring(data_dir)


def switch_keys(data_dir: Path) -> KeyRing:
    """Let the next key sign, from the controller's next start on. Safe to repeat.

    The old one is kept first: whatever cuts this off, no key is lost, and both are believed.

    Raises:
        SetupError: No rotation has begun.
    """
    ring = key_ring(data_dir)
    if ring.stage is not Stage.BEGUN or ring.other is None:
        raise SetupError("no rotation has begun")
    keys = data_dir / "keys"
    write_private(keys / _PREVIOUS, ring.signing.to_pem().decode())
    write_private(keys / _SIGNING, ring.other.to_pem().decode())
    (keys / _NEXT).unlink(missing_ok=True)
    return key_ring(data_dir)


def end_rotation(data_dir: Path) -> KeyRing:
    """Forget the old key; from now on enrolment files hold the new one alone.

    Raises:
        SetupError: No rotation has come that far.
    """
    if key_ring(data_dir).stage is not Stage.SWITCHED:
        raise SetupError("no rotation has come that far")
    write_private(data_dir / "keys" / _ENDED, "")
    (data_dir / "keys" / _PREVIOUS).unlink(missing_ok=True)
    return key_ring(data_dir)


def undo_step(data_dir: Path) -> KeyRing:
    """Take back the last step of a rotation. Safe to repeat only where it was cut off.

    Raises:
        SetupError: No rotation is under way: the old key is gone, or none was ever made.
    """
    ring = key_ring(data_dir)
    keys = data_dir / "keys"
    match ring.stage:
        case Stage.BEGUN:
            (keys / _NEXT).unlink(missing_ok=True)
        case Stage.SWITCHED if ring.other is not None:
            write_private(keys / _NEXT, ring.signing.to_pem().decode())
            write_private(keys / _SIGNING, ring.other.to_pem().decode())
            (keys / _PREVIOUS).unlink(missing_ok=True)
        case _:
            raise SetupError("no rotation is under way, so there is nothing to take back")
    return key_ring(data_dir)


def ended_at(data_dir: Path) -> datetime | None:
    """Say when the last rotation ended; None if there was none."""
    try:
        changed_s = (data_dir / "keys" / _ENDED).stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(changed_s, UTC)


def _read(data_dir: Path, name: str) -> SigningKey | None:
    path = data_dir / "keys" / name
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077:
        raise SetupError(f"others may read {path}; run: chmod 600 {path}")
    try:
        return SigningKey.from_pem(path.read_bytes())
    except (WireError, OSError) as exc:
        raise SetupError(f"{path} is not a usable signing key: {exc}") from exc
