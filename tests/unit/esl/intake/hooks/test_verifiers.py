"""Who sent a webhook: the vectors of the field notes, and everything that must not pass."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from esl.intake.hooks.request import (
    Genuine,
    Greeting,
    HookRequest,
    HookSecrets,
    Refusal,
    Refused,
)
from esl.intake.hooks.verifiers import VERIFIERS, HookKind, verify

NOW = datetime(2021, 2, 25, 14, 51, 5, tzinfo=UTC)  # 1614264665
STANDARD_SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STANDARD_STAMP = "1614265330"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
STANDARD_NOW = datetime.fromtimestamp(int(STANDARD_STAMP), UTC)


def b64(key: str, content: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), content, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A genuine call, and which header of it is the proof."""

    kind: HookKind
    request: HookRequest
    secrets: HookSecrets
    proof: str = ""
    covers_body: bool = True
    now: datetime = NOW


def standard(headers: Mapping[str, str] | None = None) -> HookRequest:
    usual = {
        "webhook-id": STANDARD_ID,
        "webhook-timestamp": STANDARD_STAMP,
        "webhook-signature": STANDARD_SIGNATURE,
    }
    return HookRequest(body=STANDARD_BODY, headers={**usual, **(headers or {})})


def standard_verdict(request: HookRequest, *secrets: str, now: datetime = STANDARD_NOW) -> object:
    return verify(HookKind.STANDARD, request, HookSecrets(secrets=secrets), now)


def ours(body: bytes, stamp: int, *secrets: str) -> str:
    made = [
        hmac.new(s.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        for s in secrets
    ]
    return ",".join([f"t={stamp}", *(f"v1={one}" for one in made)])


SHOP_BODY = b'{"id":1}'
CLOVER_BODY = b'{"appId":"A","merchants":{"M":[{"objectId":"I:7","type":"UPDATE","ts":1}]}}'
_STAMP = int(NOW.timestamp())
_CLIENT_SECRET = "ac0ffee-client-secret"
SIGNED = [
    Signed(
        kind=HookKind.SHOPIFY,
        request=HookRequest(
            body=SHOP_BODY,
            headers={
                "x-shopify-hmac-sha256": "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=",
                "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
                "x-shopify-topic": "products/update",
            },
        ),
        secrets=HookSecrets(secrets=["hush"]),
        proof="x-shopify-hmac-sha256",
    ),
    Signed(
        kind=HookKind.WOOCOMMERCE,
        request=HookRequest(
            body=SHOP_BODY,
            headers={
                "x-wc-webhook-signature": "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=",
                "x-wc-webhook-delivery-id": "0c0f1e",
                "x-wc-webhook-topic": "product.updated",
            },
        ),
        secrets=HookSecrets(secrets=["hush"]),
        proof="x-wc-webhook-signature",
    ),
    Signed(
        kind=HookKind.SQUARE,
        request=HookRequest(
            body=SHOP_BODY,
            headers={
                "x-square-hmacsha256-signature": "MlrqqRDX5+/gySHDpAyw5M1Tnyv3vPo4vQ+LYyLaS/M="
            },
        ),
        secrets=HookSecrets(secrets=["qfjakbt2uWB8DKAMECF-EA"], url="https://example.com/webhook"),
        proof="x-square-hmacsha256-signature",
    ),
    Signed(
        kind=HookKind.ERPNEXT,
        request=HookRequest(
            body=SHOP_BODY, headers={"x-frappe-webhook-signature": b64("s", SHOP_BODY)}
        ),
        secrets=HookSecrets(secrets=["s"]),
        proof="x-frappe-webhook-signature",
    ),
    Signed(
        kind=HookKind.BIGCOMMERCE,
        request=HookRequest(
            body=SHOP_BODY,
            headers={
                "webhook-id": "e1",
                "webhook-timestamp": str(_STAMP),
                "webhook-signature": "v1,"
                + b64(_CLIENT_SECRET, f"e1.{_STAMP}.".encode() + SHOP_BODY),
            },
        ),
        secrets=HookSecrets(secrets=[_CLIENT_SECRET]),
        proof="webhook-signature",
    ),
    Signed(
        kind=HookKind.STANDARD,
        request=standard(),
        secrets=HookSecrets(secrets=[STANDARD_SECRET]),
        proof="webhook-signature",
        now=STANDARD_NOW,
    ),
    Signed(
        kind=HookKind.GENERIC,
        request=HookRequest(
            body=SHOP_BODY, headers={"esl-signature": ours(SHOP_BODY, _STAMP, "quiet")}
        ),
        secrets=HookSecrets(secrets=["quiet"]),
        proof="esl-signature",
    ),
    Signed(
        kind=HookKind.LOYVERSE,
        request=HookRequest(
            body=SHOP_BODY,
            headers={"x-loyverse-signature": hmac.new(b"s", SHOP_BODY, hashlib.sha1).hexdigest()},
        ),
        secrets=HookSecrets(secrets=["s"]),
        proof="x-loyverse-signature",
    ),
    Signed(
        kind=HookKind.LIGHTSPEED,
        request=HookRequest(
            body=b"payload=%7B%7D",
            headers={
                "x-signature": "signature="
                + hmac.new(b"s", b"payload=%7B%7D", hashlib.sha256).hexdigest()
                + ",algorithm=HMAC-SHA256"
            },
        ),
        secrets=HookSecrets(secrets=["s"]),
        proof="x-signature",
    ),
    Signed(
        kind=HookKind.CLOVER,
        request=HookRequest(body=CLOVER_BODY, headers={"x-clover-auth": "0307e264-b33a"}),
        secrets=HookSecrets(secrets=["0307e264-b33a"]),
        proof="x-clover-auth",
        covers_body=False,
    ),
    Signed(
        kind=HookKind.ODOO,
        request=HookRequest(body=SHOP_BODY, url_secret="long-and-random"),
        secrets=HookSecrets(secrets=["long-and-random"]),
        covers_body=False,
    ),
]


def name_of(signed: Signed) -> str:
    return signed.kind.value


def verdict(signed: Signed, request: HookRequest | None = None) -> object:
    return verify(signed.kind, request or signed.request, signed.secrets, signed.now)


def flips(content: bytes) -> list[bytes]:
    return [
        content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
        for at in range(len(content))
        for bit in range(8)
    ]


def test_every_kind_has_a_genuine_example_here() -> None:
    assert {signed.kind for signed in SIGNED} == set(HookKind) == set(VERIFIERS)


@pytest.mark.parametrize("signed", [one for one in SIGNED if one.covers_body], ids=name_of)
def test_any_flipped_bit_of_the_body_is_refused(signed: Signed) -> None:
    for body in flips(signed.request.body):
        assert isinstance(verdict(signed, replace(signed.request, body=body)), Refused)


@pytest.mark.parametrize("signed", SIGNED, ids=name_of)
class TestEveryScheme:
    def test_what_was_signed_is_genuine(self, signed: Signed) -> None:
        assert isinstance(verdict(signed), Genuine)

    def test_any_flipped_bit_of_the_proof_is_refused(self, signed: Signed) -> None:
        proof = signed.request.headers.get(signed.proof, signed.request.url_secret)
        for flipped in flips(proof.encode()):
            text = flipped.decode("latin-1")
            request = (
                replace(signed.request, headers={**signed.request.headers, signed.proof: text})
                if signed.proof
                else replace(signed.request, url_secret=text)
            )
            assert isinstance(verdict(signed, request), Refused), text

    def test_another_secret_is_refused(self, signed: Signed) -> None:
        other = replace(signed, secrets=replace(signed.secrets, secrets=["b3RoZXI="]))
        assert isinstance(verdict(other), Refused)

    def test_no_usable_secret_refuses_everything(self, signed: Signed) -> None:
        for none in ([], [""]):
            bare = replace(signed, secrets=replace(signed.secrets, secrets=none))
            refused = verdict(bare)
            assert isinstance(refused, Refused)
            assert refused.reason is Refusal.NO_SECRET

    def test_an_empty_key_signs_nothing(self, signed: Signed) -> None:
        forged = replace(
            signed.request,
            headers={**signed.request.headers, signed.proof: b64("", signed.request.body)},
            url_secret="",
        )
        assert isinstance(verdict(signed, forged), Refused)

    def test_without_its_proof_it_is_refused_by_the_headers_name(self, signed: Signed) -> None:
        bare = {k: v for k, v in signed.request.headers.items() if k != signed.proof}
        refused = verdict(signed, replace(signed.request, headers=bare, url_secret=""))
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.MISSING_HEADER

    def test_both_secrets_hold_while_one_replaces_the_other(self, signed: Signed) -> None:
        for secrets in (
            ["bmV3IG9uZQ==", *signed.secrets.secrets],
            [*signed.secrets.secrets, "bg=="],
        ):
            both = replace(signed, secrets=replace(signed.secrets, secrets=secrets))
            assert isinstance(verdict(both), Genuine)

    def test_a_reason_never_repeats_what_was_sent(self, signed: Signed) -> None:
        other = replace(signed, secrets=replace(signed.secrets, secrets=["b3RoZXI="]))
        refused = verdict(other)
        assert isinstance(refused, Refused)
        proof = signed.request.headers.get(signed.proof, signed.request.url_secret)
        assert proof not in refused.detail


@pytest.mark.parametrize(
    "headers",
    [
        {"x-shopify-hmac-sha256": "\xff\xfe"},
        {"x-shopify-hmac-sha256": ""},
        {"x-shopify-hmac-sha256": "a" * 100_000},
        {"x-shopify-hmac-sha256": "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=, VnKU"},
    ],
)
def test_a_signature_of_any_shape_is_refused_and_never_raises(headers: dict[str, str]) -> None:
    refused = verify(
        HookKind.SHOPIFY,
        HookRequest(body=SHOP_BODY, headers=headers),
        HookSecrets(secrets=["hush"]),
        NOW,
    )
    assert isinstance(refused, Refused)


class TestStandardWebhooks:
    @pytest.mark.parametrize("prefix", ["", "whsec_"])
    def test_the_upstream_vector_is_genuine(self, prefix: str) -> None:
        found = standard_verdict(standard(), prefix + STANDARD_SECRET)
        assert found == Genuine(event_id=STANDARD_ID, sent_at=STANDARD_NOW)

    def test_its_last_sign_changed_in_the_spare_bits_is_refused(self) -> None:
        wrong = STANDARD_SIGNATURE.replace("J1OE=", "J1OA=")
        refused = standard_verdict(standard({"webhook-signature": wrong}), STANDARD_SECRET)
        assert isinstance(refused, Refused)

    def test_other_versions_in_the_list_are_skipped(self) -> None:
        listed = f"v2,{STANDARD_SIGNATURE[3:]} v3,x {STANDARD_SIGNATURE} v1,{'A' * 43}="
        found = standard_verdict(standard({"webhook-signature": listed}), STANDARD_SECRET)
        assert isinstance(found, Genuine)

    def test_a_version_we_do_not_know_alone_is_refused(self) -> None:
        listed = f"v2,{STANDARD_SIGNATURE[3:]}"
        refused = standard_verdict(standard({"webhook-signature": listed}), STANDARD_SECRET)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.WRONG_SIGNATURE

    @pytest.mark.parametrize(
        ("shift_s", "reason"),
        [
            (301, Refusal.TOO_OLD),
            (-301, Refusal.FROM_THE_FUTURE),
            (86_400, Refusal.TOO_OLD),
        ],
    )
    def test_outside_of_five_minutes_it_is_refused(self, shift_s: int, reason: Refusal) -> None:
        now = STANDARD_NOW + timedelta(seconds=shift_s)
        refused = standard_verdict(standard(), STANDARD_SECRET, now=now)
        assert isinstance(refused, Refused)
        assert refused.reason is reason

    @pytest.mark.parametrize("shift_s", [-300, -1, 0, 300])
    def test_within_five_minutes_it_is_genuine(self, shift_s: int) -> None:
        now = STANDARD_NOW + timedelta(seconds=shift_s)
        assert isinstance(standard_verdict(standard(), STANDARD_SECRET, now=now), Genuine)

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_each_of_its_headers_is_needed(self, name: str) -> None:
        refused = standard_verdict(standard({name: ""}), STANDARD_SECRET)
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.detail) == (Refusal.MISSING_HEADER, f"no {name}")

    @pytest.mark.parametrize(
        "stamp", ["+1614265330", " 1614265330", "1614265330.0", "1e9", "٣", "9" * 12, "-1"]
    )
    def test_a_time_that_is_not_plain_digits_is_refused(self, stamp: str) -> None:
        refused = standard_verdict(standard({"webhook-timestamp": stamp}), STANDARD_SECRET)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.MALFORMED_HEADER

    def test_a_point_in_the_id_cannot_move_the_border_of_the_time(self) -> None:
        """``a.5`` and a time sign the same bytes as ``a``, the time 5 and a longer body."""
        key = base64.b64decode(STANDARD_SECRET)
        made = hmac.new(key, b"a.5.1614265330." + STANDARD_BODY, hashlib.sha256).digest()
        request = HookRequest(
            body=STANDARD_BODY,
            headers={
                "webhook-id": "a.5",
                "webhook-timestamp": STANDARD_STAMP,
                "webhook-signature": "v1," + base64.b64encode(made).decode(),
            },
        )
        refused = standard_verdict(request, STANDARD_SECRET)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.MALFORMED_HEADER

    def test_an_unpadded_secret_is_taken(self) -> None:
        unpadded = STANDARD_SECRET[:-1]  # 31 signs: base64 without its "="
        key = base64.b64decode(unpadded + "=")
        content = f"{STANDARD_ID}.{STANDARD_STAMP}.".encode() + STANDARD_BODY
        made = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        request = standard({"webhook-signature": f"v1,{made}"})
        assert isinstance(standard_verdict(request, unpadded), Genuine)

    def test_ed25519_signatures_pass_with_the_public_key_and_fail_with_a_flipped_bit(self) -> None:
        private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
        public = "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()
        content = f"{STANDARD_ID}.{STANDARD_STAMP}.".encode() + STANDARD_BODY
        signature = base64.b64encode(private.sign(content)).decode()
        good = standard({"webhook-signature": f"v1,AAAA v1a,{signature}"})
        assert isinstance(standard_verdict(good, STANDARD_SECRET, public), Genuine)
        assert isinstance(standard_verdict(good, STANDARD_SECRET), Refused)
        for flipped in flips(signature.encode()):
            request = standard({"webhook-signature": "v1a," + flipped.decode("latin-1")})
            assert isinstance(standard_verdict(request, public), Refused)

    def test_a_public_key_is_never_used_as_an_hmac_key(self) -> None:
        private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
        raw = private.public_key().public_bytes_raw()
        content = f"{STANDARD_ID}.{STANDARD_STAMP}.".encode() + STANDARD_BODY
        forged = base64.b64encode(hmac.new(raw, content, hashlib.sha256).digest()).decode()
        request = standard({"webhook-signature": f"v1,{forged}"})
        public = "whpk_" + base64.b64encode(raw).decode()
        assert isinstance(standard_verdict(request, public), Refused)


class TestOurs:
    def check(self, header: str, *secrets: str, now: datetime = NOW) -> object:
        request = HookRequest(body=SHOP_BODY, headers={"esl-signature": header})
        return verify(HookKind.GENERIC, request, HookSecrets(secrets=secrets), now)

    def test_one_of_several_signatures_is_enough(self) -> None:
        assert isinstance(self.check(ours(SHOP_BODY, _STAMP, "old", "new"), "new"), Genuine)

    def test_unknown_parts_are_skipped(self) -> None:
        header = "v0=abc," + ours(SHOP_BODY, _STAMP, "new") + ",x"
        assert isinstance(self.check(header, "new"), Genuine)

    def test_a_future_time_is_refused(self) -> None:
        refused = self.check(ours(SHOP_BODY, _STAMP + 301, "new"), "new")
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.FROM_THE_FUTURE

    @pytest.mark.parametrize(
        "header", ["", "t=1", "v1=ab", "t=,v1=ab", "t=1,t=2,v1=ab", "t=x,v1=a"]
    )
    def test_a_header_without_its_parts_is_malformed(self, header: str) -> None:
        refused = self.check(header, "new")
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.MALFORMED_HEADER

    def test_the_same_call_twice_is_one_event_and_a_later_one_another(self) -> None:
        one = self.check(ours(SHOP_BODY, _STAMP, "new"), "new")
        again = self.check(ours(SHOP_BODY, _STAMP, "new"), "new")
        later = self.check(ours(SHOP_BODY, _STAMP + 1, "new"), "new")
        assert isinstance(one, Genuine)
        assert isinstance(later, Genuine)
        assert one == again
        assert one.event_id != later.event_id


class TestNamesOfEvents:
    def genuine(
        self, kind: HookKind, body: bytes, headers: dict[str, str] | None = None
    ) -> Genuine:
        signers: dict[HookKind, Callable[[bytes], dict[str, str]]] = {
            HookKind.SHOPIFY: lambda b: {"x-shopify-hmac-sha256": b64("s", b)},
            HookKind.SQUARE: lambda b: {"x-square-hmacsha256-signature": b64("s", b)},
            HookKind.ERPNEXT: lambda b: {"x-frappe-webhook-signature": b64("s", b)},
            HookKind.CLOVER: lambda _: {"x-clover-auth": "s"},
        }
        found = verify(
            kind,
            HookRequest(body=body, headers={**signers[kind](body), **(headers or {})}),
            HookSecrets(secrets=["s"]),
            NOW,
        )
        assert isinstance(found, Genuine)
        return found

    def test_shopify_names_deliveries_in_a_header(self) -> None:
        found = self.genuine(
            HookKind.SHOPIFY,
            b"{}",
            {"x-shopify-webhook-id": "w1", "x-shopify-topic": "products/update"},
        )
        assert (found.event_id, found.topic) == ("w1", "products/update")

    def test_square_names_events_in_the_body(self) -> None:
        body = b'{"event_id":"e-9","type":"catalog.version.updated"}'
        found = self.genuine(HookKind.SQUARE, body)
        assert (found.event_id, found.topic) == ("e-9", "catalog.version.updated")

    def test_an_erpnext_body_without_its_time_is_a_new_event_each_time(self) -> None:
        """1.29, 1.39 and 1.29 again are three changes, two of them with equal bodies."""
        assert self.genuine(HookKind.ERPNEXT, b'{"price_list_rate":1.29}').event_id is None
        timed = b'{"price_list_rate":1.29,"modified":"2026-03-01 06:00:00.123456"}'
        assert (self.genuine(HookKind.ERPNEXT, timed).event_id or "").startswith("sha256:")

    @pytest.mark.parametrize(
        "body", [b"", b"[" * 100_000, b"\xff", b"[]", b'{"event_id":7}', b"NaN"]
    )
    def test_a_body_that_names_nothing_is_still_genuine(self, body: bytes) -> None:
        assert self.genuine(HookKind.SQUARE, body).event_id is None

    def test_a_very_long_name_is_shortened_and_stays_its_own(self) -> None:
        one = self.genuine(HookKind.SHOPIFY, b"{}", {"x-shopify-webhook-id": "a" * 5000})
        other = self.genuine(HookKind.SHOPIFY, b"{}", {"x-shopify-webhook-id": "a" * 5001})
        assert one.event_id != other.event_id
        assert len(one.event_id or "") <= 200


class TestGreetings:
    def test_woocommerce_says_hello_unsigned_when_a_hook_is_saved(self) -> None:
        request = HookRequest(
            body=b"webhook_id=12", headers={"content-type": "application/x-www-form-urlencoded"}
        )
        found = verify(HookKind.WOOCOMMERCE, request, HookSecrets(secrets=["s"]), NOW)
        assert found == Greeting()

    @pytest.mark.parametrize("body", [b"webhook_id=12&sku=4711", b"webhook_id=x", b'{"id":1}', b""])
    def test_nothing_else_unsigned_passes_as_its_hello(self, body: bytes) -> None:
        found = verify(
            HookKind.WOOCOMMERCE, HookRequest(body=body), HookSecrets(secrets=["s"]), NOW
        )
        assert isinstance(found, Refused)

    def test_clover_sends_a_code_to_be_copied_back(self) -> None:
        body = b'{"verificationCode":"ce7643c1-83ea-4218-abe6-da876c9c7a0a"}'
        found = verify(HookKind.CLOVER, HookRequest(body=body), HookSecrets(secrets=["s"]), NOW)
        assert found == Greeting(code="ce7643c1-83ea-4218-abe6-da876c9c7a0a")

    def test_a_hello_of_one_system_is_none_of_another(self) -> None:
        request = HookRequest(body=b"webhook_id=12")
        for kind in set(HookKind) - {HookKind.WOOCOMMERCE}:
            found = verify(kind, request, HookSecrets(secrets=["s"]), NOW)
            assert isinstance(found, Refused)
