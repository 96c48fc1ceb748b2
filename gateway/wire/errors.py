"""What can be wrong with bytes from the wire, its keys and its files.

::

    WireError
    ├── BadPayload         no payload of this protocol: frame, size, header or version
    ├── BadTopic           no topic of this protocol
    ├── BadKey             key material that is no Ed25519 key, or not the one it is named
    ├── BadEnrolment       an enrolment file that cannot be used, with the path of the field
    └── Refused            a well-formed ``down`` payload this gateway must drop
        ├── NotForUs       written for another gateway
        ├── WrongSession   written for another connection of this gateway
        ├── Expired        too late, by the gateway's own clock
        ├── Replayed       its counter is not above the last one obeyed
        └── BadSignature   unsigned, changed on the way, or signed with an unknown key

A message that is bad inside a good payload is no error: it is a `gateway.wire.codec.Rejected`
beside its neighbours.
"""


class WireError(Exception):
    """Base of everything this package raises."""


class BadPayload(WireError):
    """The bytes are no payload of this protocol."""


class BadTopic(WireError):
    """The text is no topic of this protocol, or the id cannot stand in one."""


class BadKey(WireError):
    """The key material cannot be used."""


class BadEnrolment(WireError):
    """The enrolment text cannot be used."""


class Refused(WireError):
    """A gateway must drop this payload, whatever its commands say."""


class NotForUs(Refused):
    """The payload is for another gateway."""


class WrongSession(Refused):
    """The payload is for another session of this gateway."""


class Expired(Refused):
    """The payload came too late."""


class Replayed(Refused):
    """The payload's counter is not above the last one."""


class BadSignature(Refused):
    """The signature does not fit the bytes, or its key is unknown."""
