"""The key to sign with: that of the folder, if it is the one that gateways obey.

The database remembers the id of the key it was started with last. Another key in the folder
(a backup that was put back, a folder that was copied from elsewhere) would sign commands that
every gateway refuses in silence, so a start with it is refused in words::

    the folder's key        the database knows       start
    any                     none yet                 it is noted
    A                       A                        yes
    B, with A as the old    A                        yes: a rotation came that far
    A, with B as the next   B, and all believe A     yes: that step was undone
    B                       A                        no
    none                    A                        no
"""

from sqlalchemy import Connection

from api.books import Books
from api.keys import KeyRing, Stage, key_ring
from api.private_files import signing_key
from esl.domain.errors import SetupError
from esl.settings import Settings
from esl.store import places, signing
from gateway.wire.signing import SigningKey


def installation_key(settings: Settings, books: Books, *, may_make: bool = True) -> SigningKey:
    """Return the signing key, made here only if nothing was ever signed, and note it.

    Raises:
        SetupError: It is missing where gateways obey one already, is damaged, or is not the one
            that they obey.
    """
    with books.database.read() as tx:
        known = signing.signing_key_id(tx)
        obeyed = known is not None or (
            not books.database.is_sqlite and bool(places.list_gateways(tx))
        )
    key = signing_key(settings.data_dir, may_make=may_make and not obeyed)
    if known == key.key_id:
        return key
    if known is not None:
        ring = key_ring(settings.data_dir)
        with books.database.read() as tx:
            follows = _follows(tx, ring, known)
        if not follows:
            raise SetupError(
                f"{settings.data_dir / 'keys' / 'signing.pem'} is the key {key.key_id}, but "
                f"gateways obey {known}, with which this installation signed last: put the "
                f"folder keys of that time back. If that is lost, or this key is right all the "
                f"same, run: esl keys accept"
            )
    books.writer.write(lambda tx: signing.note_signing_key(tx, key.key_id))
    return key


def _follows(tx: Connection, ring: KeyRing, known: str) -> bool:
    if ring.other is None or ring.other.key_id != known:
        return False
    if ring.stage is Stage.SWITCHED:
        return True
    enrolled = places.enrolled_keys(tx).values()
    return all(ring.signing.key_id in keys for keys in enrolled if keys)
