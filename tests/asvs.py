"""``python -m tests.asvs``: which requirements of OWASP's ASVS 5.0 are shown by which tests.

A test says so by ``@pytest.mark.asvs("8.2.1")``. The table is docs/security-asvs.md; it names
files and not tests, so that a test may be renamed. Requirements are in our own words.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENT = PROJECT / "docs" / "security-asvs.md"
REQUIREMENTS: Mapping[str, str] = {
    "1.2.4": "what is sent never becomes part of an SQL statement",
    "1.4.2": "numbers are checked for range before they are used",
    "1.5.1": "XML is read without entities, bombs and foreign files",
    "1.5.2": "what is unpacked from strangers can only become data of known types",
    "2.2.1": "input is checked against what is expected, not against what is bad",
    "2.2.2": "and that by the server",
    "2.4.1": "too many calls in a while are refused",
    "3.3.1": "over TLS the session's cookie is Secure, and of this host alone",
    "3.3.4": "the session's cookie is out of scripts' reach",
    "3.4.2": "no other site may read answers",
    "3.4.3": "a content security policy that lets no foreign or inline script in",
    "3.4.4": "browsers must not guess content types",
    "3.4.5": "no referrer is sent to others",
    "3.4.6": "no page may be framed by others",
    "3.5.1": "a foreign page cannot change anything with somebody's cookie",
    "4.1.3": "what a proxy says of the visitor, no visitor can say",
    "5.2.1": "what is too large is refused before it is read",
    "6.3.1": "guessing is slowed down",
    "6.5.1": "a one-time secret serves once",
    "6.5.2": "of one-time secrets only a hash is stored",
    "7.2.1": "tokens and sessions are checked by the server",
    "7.2.3": "and have at least 128 bits of randomness",
    "7.3.2": "a session ends after a fixed time",
    "7.4.1": "signing out ends it for good",
    "8.2.1": "every endpoint asks for its own right",
    "8.2.2": "and for the right to the very data that are named",
    "8.4.1": "one store's people learn nothing of another's",
    "9.1.1": "what a token says counts only once its signature is right",
    "9.1.2": "one algorithm signs tokens, and never “none”",
    "9.1.3": "and one key, whatever a token says of others",
    "9.2.1": "a token counts within its time alone",
    "9.2.2": "and only if it is of the kind that is asked for",
    "9.2.3": "and is meant for us",
    "10.4.10": "machines show who they are before they get a token",
    "11.5.1": "what must not be guessed comes from the system's secure randomness",
    "12.1.1": "TLS 1.2 and 1.3 alone are spoken",
    "12.1.2": "only ciphers that keep what was said secret for good and whole",
    "12.3.1": "between parts of the system nothing travels in the clear beyond a machine",
    "12.3.2": "clients check the certificate of whom they speak to",
    "13.2.1": "parts of the system show who they are to each other",
    "13.2.2": "and may do no more than they need",
    "13.2.3": "there is no login that everybody knows",
    "13.3.1": "no secret is in the source or in what is built from it",
    "13.4.1": "what is installed carries nothing of the version control",
    "13.4.5": "descriptions for developers tell nothing of an installation",
    "15.2.2": "what costs much is bounded, so that the rest goes on",
    "15.3.3": "a field that is not expected is refused",
    "16.2.5": "no secret and no body reaches the log",
    "16.4.1": "nothing that is logged can become another line or another field",
    "16.4.2": "logs that were changed afterwards are found out",
    "16.4.3": "and are sent to another machine",
    "16.5.1": "a fault tells nothing of itself to whoever caused it",
}


def tagged(folder: Path = PROJECT / "tests") -> dict[str, set[str]]:
    """Return the files whose tests show each requirement."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if "mark.asvs(" not in text:
            continue
        for name in _ids(ast.parse(text)):
            found.setdefault(name, set()).add(path.relative_to(PROJECT).as_posix())
    return found


def _ids(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="asvs"), args=arguments):
                for argument in arguments:
                    if isinstance(argument, ast.Constant):
                        yield str(argument.value)


def table(found: Mapping[str, set[str]]) -> str:
    """Write the page."""
    rows = [
        f"| {name} | {REQUIREMENTS[name]} | {', '.join(f'`{one}`' for one in sorted(files))} |"
        for name, files in sorted(found.items(), key=lambda item: _order(item[0]))
    ]
    return "\n".join(
        [
            "# ASVS 5.0: what tests show",
            "",
            "Which requirements of OWASP's Application Security Verification Standard 5.0,",
            "levels 1 and 2, have a test that fails if they are broken. Made from the marks on the",
            "tests by `python -m tests.asvs`; what is not here is not claimed, kept or not.",
            "The words are ours; the standard's own count. See [security.md](security.md).",
            "",
            f"{len(found)} requirements:",
            "",
            "| id | in short | shown by |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _order(name: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", name)))


def main() -> int:
    """Write the page anew."""
    DOCUMENT.write_text(table(tagged()), "utf-8")
    sys.stdout.write(f"{len(tagged())} requirements in {DOCUMENT.relative_to(PROJECT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
