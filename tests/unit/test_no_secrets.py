"""No key, token or password is in the tree, and none can slip in unseen.

Three things are looked for in every file that git has or would take: private keys, tokens of known
forms (ours and those of services that we speak with), and texts that look like chance given to a
name that sounds secret. What a test or a page needs as an example is named in `EXAMPLES`, each
with its reason. Chance in a test comes from a seed, so that there is nothing to write down.
"""

import base64
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.tree import tracked, walked
from tests.unit.test_house_rules import PROJECT

EXAMPLES: dict[tuple[str, str], str] = {
    ("docs/pos/own-webhook.md", "MfKQ9r"): "the example secret of Standard Webhooks itself",
    ("tests/unit/esl/intake/hooks/test_verifiers.py", "MfKQ9r"): "the same, with its signature",
    ("tests/unit/esl/services/test_access.py", "s3cret"): "words, with what a token may hold",
}
"""(file, how the text begins) → why it may stand there."""

_BEGUN = 6  # characters of a finding that are told: enough to find it, too few to use it
_FILES_OF_SECRETS = re.compile(
    r"(?:^|/)(?:[^/]*\.(?:pem|key|p12|pfx|jks|ppk)|id_(?:rsa|ecdsa|ed25519)|\.env|\.netrc|\.pgpass"
    r"|esl\.toml|controller\.json|broker\.json)$"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\r|\\n|['\"]|Proc-Type.*|DEK-Info.*)*"
    r"(?P<value>[A-Za-z0-9+/]{20,})|PrivateKey-Lines: \d+\s+(?P<putty>[A-Za-z0-9+/]{20,})"
)
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"esl_(?:live|operator|[a-z0-9]{1,40})_(?P<ours>[A-Za-z0-9_-]{24,})"
    r"|whsec_(?P<hook>[A-Za-z0-9+/=]{24,})"
    r"|(?P<jwt>eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,})"
    r"|(?P<others>AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,}|glpat-[\w-]{20}"
    r"|xox[abprs]-[\w-]{20,}|sk_live_[A-Za-z0-9]{20,}|AIza[\w-]{35}|AGE-SECRET-KEY-1[A-Z0-9]{50,}"
    r"|shp(?:at|ss|ca|pa)_[0-9a-f]{32}|EAAA[\w-]{60})"
    r")"
)
_SECRET_NAME = (
    r"[\w.-]*?(?:secret|token|passw(?:or)?d|passphrase|pwd|api[_-]?key|private[_-]?key|credential"
    r"|\bkey|[_-]key)[\w.-]*"
)
_GIVEN = re.compile(
    rf"(?i)(?<![\w.-])(?![\w.-]*(?:public|host_key))(?:{_SECRET_NAME})[\"']?\s*(?:\]\s*)?"
    r"(?::\s*\w+\s*=|:=|=>|=|:)\s*"
    r"[rbf]{0,2}(?P<quote>[\"'`]?)(?P<value>[A-Za-z0-9+/_=.~-]{16,})"
)
_LOGIN = re.compile(r"[a-z]{2,20}://[^\s/:@'\"{]*:(?P<value>[^\s/:@'\"{}$<]{16,})@")
_SOURCE = (".py", ".js", ".css", ".html", ".c", ".h")
"""Here a text stands between quotes; what does not is code."""

_CHANCE_BITS = 3.5  # a character; words and paths have less, base64 of 16 bytes has 4
_HEX_BITS = 3.0
_HEX_LEAST = 32
_HEAD_OF_A_JWT = "eyJ"  # `{"` in base64: a head alone is no secret, and whole ones are `_TOKENS`
_COUNTED_UP = ("0123", "1234", "abcd")


def holds_no_secret(path: str, text: str) -> Iterator[str]:
    """Find what must not be in a file; what is found is told by its first characters alone."""
    if _FILES_OF_SECRETS.search(path):
        yield f"{path}:1: a file of this name holds secrets; make it where it is needed"
    if "-----BEGIN" in text or "PrivateKey-Lines" in text:
        for found in _PRIVATE_KEY.finditer(text):
            yield from _told(path, text[: found.start()].count("\n") + 1, found, "a private key")
    for number, line in enumerate(text.splitlines(), start=1):
        for found in _TOKENS.finditer(line):
            ours = found["ours"]  # names of metrics begin like tokens of ours
            if not _counts_up(found[0]) and (ours is None or _looks_like_chance(ours)):
                yield from _told(path, number, found, "a token")
        for found in (*_GIVEN.finditer(line), *_LOGIN.finditer(line)):
            is_text = found.re is _LOGIN or found["quote"] or not path.endswith(_SOURCE)
            if is_text and _looks_like_chance(found["value"]):
                yield from _told(path, number, found, "chance under a secret's name")


def _told(path: str, number: int, found: "re.Match[str]", what: str) -> Iterator[str]:
    value = next(text for name, text in found.groupdict().items() if text and name != "quote")
    value = value.removeprefix("whsec_")
    if not any(path == file and value.startswith(begins) for file, begins in EXAMPLES):
        yield f"{path}:{number}: {what}: {value[:_BEGUN]}…"


def _looks_like_chance(value: str) -> bool:
    if _counts_up(value) or value.startswith(_HEAD_OF_A_JWT):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", value):
        return len(value) >= _HEX_LEAST and bits >= _HEX_BITS
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return bits >= _CHANCE_BITS and kinds > 1 and bool(re.search("[0-9]", value))


def _counts_up(value: str) -> bool:
    """Say whether it is an example to be seen as such, like 0123456789abcdef."""
    return any(part in value for part in _COUNTED_UP)


def tree() -> Iterator[tuple[str, str]]:
    """Yield every file that git has or would take; without git, every file of the project."""
    for name in tracked():
        yield name, (PROJECT / name).read_bytes().decode("utf-8", "replace")


@pytest.mark.asvs("13.3.1")
def test_no_file_of_the_tree_holds_a_secret() -> None:
    read = dict(tree())
    assert len(read) > 1000
    assert "\n".join(f for path, text in read.items() for f in holds_no_secret(path, text)) == ""


def test_without_git_the_same_files_are_found(tmp_path: Path) -> None:
    names = set(tracked())
    shown = {name for name in names if not any(part.startswith(".") for part in Path(name).parts)}
    assert shown <= set(walked())
    (tmp_path / ".venv").mkdir()
    for name in (".venv/x.py", "a.py", ".hidden"):
        (tmp_path / name).touch()
    assert walked(tmp_path) == ["a.py"]


def test_every_example_is_still_needed() -> None:
    for (path, begins), reason in EXAMPLES.items():
        assert reason
        text = (PROJECT / path).read_text("utf-8")
        assert any(f"{begins}…" in one for one in holds_no_secret(f"copy of {path}", text)), path


def _chance(count: int, alphabet: str = "") -> str:
    random = Random(7)
    if alphabet:
        return "".join(random.choice(alphabet) for _ in range(count))
    return base64.urlsafe_b64encode(random.randbytes(count)).decode().rstrip("=")


_HEX = "0123456789abcdef"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BEGIN = "-----BEGIN {}PRIVATE KEY-----"

PLANTED: dict[str, tuple[str, str]] = {
    "a key in PEM": ("docs/a.md", f"{_BEGIN.format('')}\nMIGHAgEAMBMG{_chance(60)}\n"),
    "an RSA key": ("tests/a.txt", f"{_BEGIN.format('RSA ')}\nMIIEpAIBAAKCAQEA{_chance(48)}\n"),
    "an encrypted one": ("a.txt", f"{_BEGIN.format('ENCRYPTED ')}\n{'MIIFLTBXBgkqhkiG9w0BBQ'}\n"),
    "an SSH key": ("a.txt", f"{_BEGIN.format('OPENSSH ')}\nb3BlbnNzaC1rZXktdjEAAAAA\n"),
    "a key as a Python text": ("a.py", f'K = "{_BEGIN.format("EC ")}\\nMHcCAQEEIOaS{_chance(40)}"'),
    "PuTTY's": ("a.txt", f"PrivateKey-Lines: 1\n{'AAAAIEl' + 'q' * 20}\n"),
    "a token of a person": ("docs/a.md", f"Authorization: Bearer esl_7f3k_{_chance(32)}"),
    "a token of a machine": ("a.sh", f"curl -H 'X: esl_live_till_{_chance(32)}_9f3e2d1c'"),
    "the operator's token": ("a.json", f'["esl_operator_{_chance(32)}"]'),
    "a webhook's secret": ("a.yaml", f"- whsec_{_chance(32, _HEX)}"),
    "an access token": (
        "a.md",
        ".".join(
            base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
            for part in ('{"alg":"HS256"}', '{"sub":"till"}')
        )
        + f".{_chance(32)}",
    ),
    "a cloud's key": ("a.yaml", f"id: AKIA{_chance(16, _CAPITALS)}"),
    "a code host's token": ("a.yaml", f"with: ghp_{_chance(36, _HEX)}"),
    "a shop's token": ("a.md", f"`shpat_{_chance(32, _HEX)}`"),
    "a password in Python": ("tests/a.py", f'PASSWORD = "{_chance(18)}"'),
    "a typed one": ("a.py", f'api_key: str = "{_chance(24)}"'),
    "one of a mapping": ("a.py", f'headers["X-Api-Key"] = "{_chance(24)}"'),
    "hex digits in JSON": ("a.json", f'"client_secret": "{_chance(40, _HEX)}"'),
    "a setting": ("deploy/a.toml", f"backup_passphrase = '{_chance(18)}'"),
    "a variable": ("deploy/esl.example", f"ESL_DB_PASSWORD={_chance(18)}"),
    "a login in an address": ("deploy/a.yaml", f"url: mqtt://esl:{_chance(18)}@broker:1883"),
    "a file of settings": ("esl.toml", ""),
    "a key file": ("deploy/server.key", ""),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_secret_is_found_and_not_told(what: str) -> None:
    path, text = PLANTED[what]
    found = list(holds_no_secret(path, text))
    assert found, what
    for one in found:
        longest = max(
            (len(word) for word in re.findall(r"[\w+/-]+", one.rpartition(": ")[2])), default=0
        )
        assert not text or longest <= _BEGUN


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", "key: Ed25519PublicKey = read_key_of_the_gateway2(path)"),
        ("a.py", "secret_sha256=row.secret_sha256, token = tokens[0].as_text_of_2026"),
        ("a.py", 'password = "correct horse battery staple"'),
        ("docs/a.md", 'secret: "shpat_0123456789abcdef0123456789abcdef"'),
        ("docs/a.md", "ESL_BACKUP_PASSPHRASE_FILE=/etc/esl/passphrase"),
        ("docs/a.md", "mqtt://user:password@host:1883 and postgresql://esl:${PASSWORD}@db/esl"),
        ("docs/a.md", "-----BEGIN PRIVATE KEY-----\n…"),
        ("docs/a.md", "`esl_untrusted_proxy_requests_refused_total`"),
        ("docs/a.md", '"access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…"'),
        ("a.md", "digest 3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed"),
    ],
)
def test_what_is_no_secret_is_left_alone(path: str, line: str) -> None:
    assert list(holds_no_secret(path, line)) == []
