"""G1 and G3: what must be dropped at the door, without a word.

Every forbidden payload carries a put of its own with an id and revision of its own. After them
comes one that must be obeyed: its answer says that the gateway is through with all before it. Any
word about a forbidden id by then is a broken rule; so is one of those revisions on the glass.
"""

from dataclasses import dataclass
from hashlib import sha256

from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger, Rule
from gateway.wire.codec import encode_commands
from gateway.wire.messages import Put, Shown
from gateway.wire.signing import SigningKey, seal

OTHER_SESSION = "0-of-another-connection"
OTHER_GATEWAY = "another-gateway"
_STRANGER = sha256(b"a key that no gateway was ever enrolled with").digest()
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Intruder:
    """A payload that must be dropped, and the put in it."""

    rule: Rule
    what: str
    put: Put
    payload: bytes


async def probe(subject: Subject, ledger: Ledger) -> None:
    """Offer everything that must be dropped, then one good put, and see what was obeyed."""
    talk = subject.talk
    first, answer = await subject.paint(subject.picture())
    if not isinstance(answer, Shown):
        ledger.notes.append(f"door: a good put was answered {words(answer, talk.patience_s)}")
        return
    spent = talk.header().counter  # never sent; below that of the next payload
    since = len(talk.heard)
    again = seal(talk.key, talk.header(), encode_commands([first]))
    await talk.send_payload(again)  # answered with the stored result (G8) …
    await talk.answer_to(first.id, since=since)
    since = len(talk.heard)
    # Their counters are above the last one obeyed, or the counter alone would turn them away.
    intruders = [*_wrong_addresses(subject), *_wrong_seals(subject, spent)]
    intruders.append(Intruder(Rule.G3, "a payload delivered twice", first, again))
    for intruder in intruders:
        await talk.send_payload(intruder.payload)  # … but not when the very payload comes again
    _, answer = await subject.paint(subject.picture())
    await talk.listen(SETTLE_S)
    if not isinstance(answer, Shown):
        ledger.judge(
            Rule.G3,
            kept=False,
            right="",
            wrong=f"a good put after refused payloads: {words(answer, talk.patience_s)}",
        )
    for intruder in intruders:
        obeyed = bool(talk.reactions_to(intruder.put.id, since))
        ledger.judge(
            intruder.rule,
            kept=not obeyed,
            right=f"dropped {intruder.what}",
            wrong=f"obeyed {intruder.what}",
        )


def _wrong_addresses(subject: Subject) -> list[Intruder]:
    talk = subject.talk
    told: tuple[tuple[str, dict[str, object]], ...] = (
        ("a command for another session", {"session": OTHER_SESSION}),
        ("a command for another gateway", {"gateway": OTHER_GATEWAY}),
    )
    return [_intruder(subject, Rule.G1, what, talk.key, changes) for what, changes in told]


def _wrong_seals(subject: Subject, spent: int) -> list[Intruder]:
    talk = subject.talk
    stranger = SigningKey.from_seed(_STRANGER)
    late = talk.gateway_ms() - 60_000
    intruders = [
        _intruder(subject, Rule.G3, "a command of a key it was not enrolled with", stranger, {}),
        _intruder(subject, Rule.G3, "an expired command", talk.key, {"expires": late}),
        _intruder(subject, Rule.G3, "a counter that went back", talk.key, {"counter": spent}),
    ]
    bent = _intruder(subject, Rule.G3, "a command changed under its signature", talk.key, {})
    payload = bytearray(bent.payload)
    payload[-1] ^= 1
    intruders.append(Intruder(bent.rule, bent.what, bent.put, bytes(payload)))
    unsigned = subject.put(subject.picture())
    intruders.append(
        Intruder(Rule.G3, "an unsigned command", unsigned, encode_commands([unsigned]))
    )
    return intruders


def _intruder(
    subject: Subject, rule: Rule, what: str, key: SigningKey, changes: dict[str, object]
) -> Intruder:
    put = subject.put(subject.picture())
    header = subject.talk.header(key_id=key.key_id, **changes)
    return Intruder(rule, what, put, seal(key, header, encode_commands([put])))
