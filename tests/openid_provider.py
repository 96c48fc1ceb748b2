"""A small OpenID provider over real HTTP, which keeps to the standards unless told to sin.

Discovery 1.0, Core 1.0 (authorization code flow), PKCE (RFC 7636, S256 alone), RFC 9207,
RP-Initiated Logout 1.0. It asks whoever comes who they are, by a form of one field; a person it
was told of by `OpenIdProvider.add`. Codes serve once. Real RSA and EC keys sign.
"""

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CLIENT = "esl"
SECRET = "a secret: with signs & ümlauts"
Claims = dict[str, Any]


@dataclass(slots=True)
class SigningKey:
    """A key by its id, and how it signs."""

    kid: str
    algorithm: str
    private: RSAPrivateKey | EllipticCurvePrivateKey

    def jwk(self) -> dict[str, Any]:
        kind = jwt.get_algorithm_by_name(self.algorithm)
        public = kind.to_jwk(self.private.public_key(), as_dict=True)
        return public | {"kid": self.kid, "use": "sig", "alg": self.algorithm}


def rsa_key(kid: str, bits: int = 2048) -> SigningKey:
    return SigningKey(kid, "RS256", rsa.generate_private_key(public_exponent=65537, key_size=bits))


def ec_key(kid: str) -> SigningKey:
    return SigningKey(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


@dataclass(slots=True)
class Grant:
    """What was agreed when a code was given."""

    name: str
    query: dict[str, str]
    used: bool = False


@dataclass(slots=True)
class OpenIdProvider:
    """One provider; made by `running_provider`. What begins with ``sins`` makes it break rules."""

    issuer: str
    key: SigningKey
    shown: list[SigningKey]
    people: dict[str, Claims] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # the paths, in their order
    redirects: list[str] = field(default_factory=list)
    public_client: bool = False
    posts_secret: bool = False
    names_itself: bool = True
    offers_sign_out: bool = True
    sins_in_metadata: Claims = field(default_factory=dict)
    sins_in_claims: Claims = field(default_factory=dict)
    sins_in_token: Callable[[str, Claims], str] | None = None
    sins_in_answer: dict[str, str] = field(default_factory=dict)
    sins_by_path: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)

    def add(self, name: str, *groups: str, **claims: Any) -> None:
        """Know a person who types ``name``; claims that are None are left out."""
        said = {
            "sub": f"id-of-{name}",
            "preferred_username": name,
            "name": name.title(),
            "email": f"{name}@shop.example",
            "groups": list(groups),
        } | claims
        self.people[name] = {key: value for key, value in said.items() if value is not None}

    def metadata(self) -> Claims:
        methods = ["client_secret_post"] if self.posts_secret else ["client_secret_basic"]
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.names_itself,
        }
        if self.offers_sign_out:
            said["end_session_endpoint"] = f"{self.issuer}/sign-out"
        return said | self.sins_in_metadata

    def authorize(self, query: dict[str, str], name: str | None) -> str:
        """Return where somebody who says to be ``name`` is sent; None turned back."""
        answer = {"state": query["state"]}
        if self.names_itself:
            answer["iss"] = self.issuer
        if name is None or name not in self.people:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.grants[answer["code"]] = Grant(name, query)
        return f"{query['redirect_uri']}?{urlencode(answer | self.sins_in_answer)}"

    def check_request(self, query: dict[str, str]) -> str | None:
        """Say what is wrong with a request to sign somebody in."""
        wanted = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        for name, value in wanted.items():
            if query.get(name) != value:
                return f"{name} is {query.get(name)!r}"
        if "openid" not in query.get("scope", "").split():
            return "no openid"
        if query.get("redirect_uri") not in self.redirects:
            return f"redirect_uri {query.get('redirect_uri')!r} is not registered"
        if len(query.get("code_challenge", "")) != 43 or not query.get("state"):
            return "no challenge or no state"
        return None

    def turn_in(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Give an ID token for a code, or the error of RFC 6749."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        grant = self.grants.get(form.get("code", ""))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            grant is None
            or grant.used
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != grant.query["redirect_uri"]
            or challenge != grant.query["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        grant.used = True
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": grant.query.get("nonce"),
        }
        claims |= self.people[grant.name] | self.sins_in_claims
        claims = {key: value for key, value in claims.items() if value is not None}
        return 200, {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.sign(claims),
        }

    def sign(self, claims: Claims) -> str:
        headers = {"kid": self.key.kid}
        token = jwt.encode(claims, self.key.private, self.key.algorithm, headers=headers)
        return token if self.sins_in_token is None else self.sins_in_token(token, claims)

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if self.public_client:
            return form.get("client_id") == CLIENT and "client_secret" not in form
        if self.posts_secret:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        scheme, _, packed = authorization.partition(" ")
        given, _, secret = base64.b64decode(packed).decode().partition(":")
        return scheme == "Basic" and (unquote_plus(given), unquote_plus(secret)) == (CLIENT, SECRET)


class _Handler(BaseHTTPRequestHandler):
    provider: OpenIdProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        own = self._own_path(parts.path)
        match own:
            case None:
                return
            case "/.well-known/openid-configuration":
                self._json(200, self.provider.metadata())
            case "/keys":
                self._json(200, {"keys": [key.jwk() for key in self.provider.shown]})
            case "/authorize":
                wrong = self.provider.check_request(query)
                if wrong is not None:
                    self._page(400, wrong)
                    return
                self._page(
                    200,
                    "<h1>The company</h1><form method=post><label>Who are you?"
                    "<input name=who></label><button>This is me</button></form>",
                )
            case "/sign-out":
                back = escape(query.get("post_logout_redirect_uri", ""))
                self._page(200, f"<h1>You are out of the company</h1><a href='{back}'>Back</a>")
            case _:
                self._page(404, "nothing here")

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        match self._own_path(parts.path):
            case None:
                return
            case "/token":
                status, answer = self.provider.turn_in(form, self.headers.get("authorization", ""))
                self._json(status, answer)
            case "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(303)
                self.send_header("location", self.provider.authorize(query, form.get("who")))
                self.send_header("content-length", "0")
                self.end_headers()
            case _:
                self._page(404, "nothing here")

    def _own_path(self, path: str) -> str | None:
        own = path.removeprefix(urlsplit(self.provider.issuer).path)
        self.provider.asked.append(own)
        sin = self.provider.sins_by_path.get(own)
        if sin is None:
            return own
        with contextlib.suppress(OSError):  # who asked may hang up first
            sin(self)
        return None

    def _json(self, status: int, content: Claims) -> None:
        self._send(status, "application/json", json.dumps(content))

    def _page(self, status: int, body: str) -> None:
        page = f"<!doctype html><html lang=en><title>Company</title><body>{body}</body></html>"
        self._send(status, "text/html; charset=utf-8", page)

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def running_provider(host: str = "127.0.0.1") -> Iterator[OpenIdProvider]:
    """Run a provider on loopback while the block runs, its issuer with a path as Keycloak's has.

    To a browser ``localhost`` is another site than 127.0.0.1, as a company's own is.
    """
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    key = rsa_key("first")
    provider = OpenIdProvider(
        issuer=f"http://{host}:{server.server_port}/realms/shop", key=key, shown=[key]
    )
    handler.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, name="openid provider")
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
