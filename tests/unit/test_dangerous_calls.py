"""The product runs no text as a program, unpacks no foreign objects and uses no broken ciphers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "simulator", "gateway", "renderer", "esl")
STATIC = PROJECT / "api" / "console" / "static"

RUNS_TEXT = {"eval", "exec", "compile", "__import__", "execfile"}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
UNPACKS = {"pickle", "cPickle", "marshal", "shelve", "dill", "jsonpickle", "cloudpickle"}
TRUSTS_ANYBODY = {"ssl.CERT_NONE", "ssl._create_unverified_context"}
CIPHERS = {"cryptography.hazmat.primitives.ciphers.aead"}
"""Where a cipher may come from: what is there tells of every change."""

AUTHENTICATED = {"AESGCM"}
BROKEN_HASHES = {"md4", "md5", "ripemd160"}
SHA1_IS_ASKED_FOR = {
    "esl/services/second_factor.py": "RFC 6238: apps on phones know HMAC-SHA-1 alone",
    "esl/intake/hooks/verifiers.py": "Loyverse signs its calls with HMAC-SHA-1",
}
DANGEROUS_IN_PAGES = (
    r"\.innerHTML\s*=|\.outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function"
)
KEEPS_IN_BROWSER = r"localStorage|sessionStorage|indexedDB|document\.cookie"
KEEPS_WORK = {
    "pair.js": "codes that were scanned, until the API has them",
    "designer-text.js": "a template that is being written, until it is published",
}


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((PROJECT / package).rglob("*.py"))


def dangers(source: str, path: str = "some.py") -> set[str]:
    """Say what stands in a file that must not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in RUNS_TEXT:
                found.add(name)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                found |= {f"{module}.{name}"} & (SHELLS | TRUSTS_ANYBODY)
            case ast.keyword(arg="shell", value=value) if not _is(value, right=False):
                found.add("shell")
            case ast.keyword(arg="verify", value=value) if _is(value, right=False):
                found.add("verify=False")
            case ast.Import(names=names):
                found |= {one.name.partition(".")[0] for one in names} & UNPACKS
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module.partition(".")[0]} & UNPACKS
                if ".primitives.ciphers" in module:
                    found |= {one.name for one in names} - AUTHENTICATED
                    found |= {module} - CIPHERS
                if module.endswith(("primitives.hashes", "hashlib")):
                    found |= {one.name.lower() for one in names} & (BROKEN_HASHES | {"sha1"})
            case ast.Constant(value=str(text)) if text.lower() in BROKEN_HASHES | {"sha1"}:
                found.add(text.lower())
        if isinstance(node, ast.Attribute) and node.attr.lower() in BROKEN_HASHES | {"sha1"}:
            found.add(node.attr.lower())
    return found - ({"sha1"} if path in SHA1_IS_ASKED_FOR else set())


def _is(value: ast.expr, *, right: bool) -> bool:
    return isinstance(value, ast.Constant) and value.value is right


@pytest.mark.asvs("1.2.5", "1.3.2", "1.5.2", "11.3.1", "11.3.2", "11.4.1")
def test_nothing_of_the_product_is_dangerous_by_itself() -> None:
    paths = {path.relative_to(PROJECT).as_posix(): path for path in _files()}
    assert len(paths) > 300
    found = {name: dangers(path.read_text("utf-8"), name) for name, path in paths.items()}
    assert {name: what for name, what in found.items() if what} == {}
    for name in SHA1_IS_ASKED_FOR:
        assert dangers(paths[name].read_text("utf-8")) == {"sha1"}, f"{name} needs no exception"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("eval(text)", "eval"),
        ("exec('x = 1')", "exec"),
        ("import os\nos.system('ls')", "os.system"),
        ("run(words, shell=True)", "shell"),
        ("run(words, shell=maybe)", "shell"),
        ("import pickle", "pickle"),
        ("from marshal import loads", "marshal"),
        ("client(verify=False)", "verify=False"),
        ("context.verify_mode = ssl.CERT_NONE", "ssl.CERT_NONE"),
        ("from cryptography.hazmat.primitives.ciphers import modes", "modes"),
        ("from cryptography.hazmat.primitives.ciphers.aead import AESSIV", "AESSIV"),
        ("hashlib.md5(data)", "md5"),
        ("hashlib.new('SHA1')", "sha1"),
    ],
)
def test_what_is_dangerous_is_found(source: str, what: str) -> None:
    assert what in dangers(source)


def test_what_is_not_dangerous_is_left_alone() -> None:
    for source in (
        "re.compile(text)",
        "subprocess.run(words, shell=False)",
        "client(verify=context)",
        "from cryptography.hazmat.primitives.ciphers.aead import AESGCM",
        "hashlib.sha256(data)",
    ):
        assert dangers(source) == set(), source


@pytest.mark.asvs("3.2.2", "14.3.3")
def test_our_scripts_make_no_page_of_texts_and_keep_no_secrets_in_the_browser() -> None:
    scripts = sorted(STATIC.glob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text("utf-8")
        assert not re.search(DANGEROUS_IN_PAGES, text), script.name
        if script.name in KEEPS_WORK:
            text = text.replace("localStorage", "")
        assert not re.search(KEEPS_IN_BROWSER, text), script.name
