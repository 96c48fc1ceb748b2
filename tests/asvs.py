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
    "1.2.1": "what people typed is shown as text and never becomes part of a page",
    "1.2.2": "what is put into an address cannot change the rest of it, or its scheme",
    "1.2.4": "what is sent never becomes part of an SQL statement",
    "1.2.5": "no text becomes a command of the system's",
    "1.2.10": "no cell of an exported sheet is a formula (level 3)",
    "1.3.2": "no text is run as a program",
    "1.3.6": "private and special addresses are not called on anybody's behalf",
    "1.3.12": "a pattern that could run for hours is refused (level 3)",
    "1.4.2": "numbers are checked for range before they are used",
    "1.5.1": "XML is read without entities, bombs and foreign files",
    "1.5.2": "what is unpacked from strangers can only become data of known types",
    "2.2.1": "input is checked against what is expected, not against what is bad",
    "2.2.2": "and that by the server",
    "2.2.3": "what does not fit together is refused, though each part is right",
    "2.3.1": "steps out of their order are refused",
    "2.3.2": "bounds on prices hold however a change is cut up or named",
    "2.3.3": "a change is stored whole or not at all",
    "2.3.4": "of two who change the same at once, one is heard",
    "2.3.5": "a doubtful price waits for another person than its sender (level 3)",
    "2.4.1": "too many calls in a while are refused",
    "3.2.2": "our scripts put no text into a page as HTML",
    "3.3.1": "over TLS the session's cookie is Secure, and of this host alone",
    "3.3.2": "cookies are not sent along from other sites",
    "3.3.3": "over TLS the session's cookie is of this host alone",
    "3.3.4": "the session's cookie is out of scripts' reach",
    "3.4.1": "over TLS browsers are told to stay with TLS for a year (level 1: of this host alone)",
    "3.4.2": "no other site may read answers",
    "3.4.3": "a content security policy that lets no foreign or inline script in",
    "3.4.4": "browsers must not guess content types",
    "3.4.5": "no referrer is sent to others",
    "3.4.6": "no page may be framed by others",
    "3.5.1": "a foreign page cannot change anything with somebody's cookie",
    "3.5.2": "no request that browsers send unasked changes anything",
    "3.5.3": "reading changes nothing",
    "3.6.1": "scripts and styles are our own files, each of a known digest (level 3)",
    "3.7.2": "short links lead to hosts on the store's list alone",
    "4.1.1": "every answer says what it is, and texts how they are written",
    "4.1.2": "what is sent in the clear to a port with TLS is not led elsewhere",
    "4.1.3": "what a proxy says of the visitor, no visitor can say",
    "4.1.4": "methods that an address does not have are refused (level 3)",
    "4.1.5": "every command to a gateway is signed for itself (level 3)",
    "4.2.1": "a message whose end could be argued about is refused",
    "5.2.1": "what is too large is refused before it is read",
    "5.2.2": "a file must be what it should be, by its content",
    "5.2.3": "what unpacks to too much is refused before it is unpacked whole",
    "5.4.1": "names of files that are sent out are our own",
    "5.4.2": "and cannot leave their field",
    "6.2.1": "a password has at least 12 characters",
    "6.2.2": "people change their own password",
    "6.2.3": "and have to know the old one",
    "6.2.4": "passwords that are tried first are refused: more than 3,000 are known",
    "6.2.5": "any kind of character is as good as another",
    "6.2.6": "password fields hide what is typed",
    "6.2.7": "and let it be pasted and kept by a password manager",
    "6.2.9": "long passwords are taken",
    "6.2.11": "and none made of the shop's or the person's own names",
    "6.3.1": "guessing is slowed down",
    "6.3.8": "strangers, wrong passwords and closed accounts get one answer (level 3)",
    "6.4.1": "an invitation is random, for one person, once, and no password",
    "6.4.6": "nobody chooses another's password (level 3)",
    "6.5.1": "a one-time secret serves once",
    "6.5.2": "of one-time secrets only a hash is stored",
    "6.5.6": "a second factor that is lost is taken away at once (level 3)",
    "7.2.1": "tokens and sessions are checked by the server",
    "7.2.2": "a session has a token of its own, made when it begins",
    "7.2.3": "and have at least 128 bits of randomness",
    "7.2.4": "signing in makes a new session and ends the one before",
    "7.3.1": "a session that is not used ends",
    "7.3.2": "a session ends after a fixed time",
    "7.4.1": "signing out ends it for good",
    "7.4.2": "a closed account has no sessions",
    "7.4.3": "another password ends all sessions",
    "7.4.5": "admins end anybody's sessions",
    "7.5.1": "changing what one signs in with asks for the password",
    "8.2.1": "every endpoint asks for its own right",
    "8.2.2": "and for the right to the very data that are named",
    "8.2.3": "of what several stores share, each sees its own part",
    "8.3.1": "rights are checked by the server, at every door",
    "8.3.2": "what is taken from somebody counts at once (level 3)",
    "8.4.1": "one store's people learn nothing of another's",
    "9.1.1": "what a token says counts only once its signature is right",
    "9.1.2": "one algorithm signs tokens, and never “none”",
    "9.1.3": "and one key, whatever a token says of others",
    "9.2.1": "a token counts within its time alone",
    "9.2.2": "and only if it is of the kind that is asked for",
    "9.2.3": "and is meant for us",
    "10.1.2": "what comes back from a provider counts in the browser that asked, for that request",
    "10.2.1": "nobody can slip somebody a sign-in that another began",
    "10.2.2": "or one of another provider",
    "10.2.3": "a provider is asked for what is needed and no more",
    "10.3.1": "only tokens that are meant for us open anything",
    "10.3.2": "a token opens what its scopes and its client's say, no more",
    "10.4.4": "machines have one way to get a token, without passwords of people",
    "10.4.10": "machines show who they are before they get a token",
    "10.4.11": "and no wider scope than they were given",
    "10.5.1": "an ID token serves for the sign-in that it was made for",
    "10.5.2": "people of a provider are known by its id of them, which it never gives to another",
    "10.5.3": "no provider passes for another by what it says of itself",
    "10.5.4": "an ID token that is for another program is worth nothing",
    "11.3.1": "no cipher without authentication is used",
    "11.3.2": "AES-GCM alone is",
    "11.3.3": "what was sealed opens unchanged or not at all, and for nobody else",
    "11.4.1": "no broken hash is used (HMAC-SHA-1 where a standard or a shop knows no other)",
    "11.4.3": "what is signed or chained is hashed to 256 bits",
    "11.5.1": "what must not be guessed comes from the system's secure randomness",
    "11.6.1": "what signs is an Ed25519 key, and nothing else is taken for one",
    "12.1.1": "TLS 1.2 and 1.3 alone are spoken",
    "12.1.2": "only ciphers that keep what was said secret for good and whole",
    "12.2.1": "nothing is open to the network without TLS unless that was asked for",
    "12.3.1": "between parts of the system nothing travels in the clear beyond a machine",
    "12.3.2": "clients check the certificate of whom they speak to",
    "12.3.4": "commands and machines trust the own authority alone",
    "13.2.1": "parts of the system show who they are to each other",
    "13.2.2": "and may do no more than they need",
    "13.2.3": "there is no login that everybody knows",
    "13.3.1": "no secret is in the source or in what is built from it",
    "13.3.2": "keys are for their owner only, and outside the database",
    "13.4.1": "what is installed carries nothing of the version control",
    "13.4.2": "nothing runs in a mode for developers",
    "13.4.3": "no folder is listed, and nothing but the files is served",
    "13.4.4": "TRACE is refused",
    "13.4.5": "descriptions for developers tell nothing of an installation",
    "13.4.6": "no answer names a version of what made it (level 3)",
    "14.2.1": "tokens are not taken from addresses",
    "14.2.2": "what is somebody's is kept by no proxy",
    "14.2.3": "no page tells anybody else of its reader",
    "14.3.1": "who signed out elsewhere sees no more",
    "14.3.2": "nor by a browser",
    "14.3.3": "our scripts keep unsent work in the browser, and nothing secret",
    "15.2.2": "what costs much is bounded, so that the rest goes on",
    "15.2.3": "a real shop has none of the demo's doors",
    "15.2.4": "what an image installs is known by its hash (level 3)",
    "15.3.1": "secrets are shown once and never listed",
    "15.3.2": "redirects are not followed",
    "15.1.2": "there is a bill of materials of everything that others made",
    "15.3.3": "a field that is not expected is refused",
    "15.3.4": "who speaks through a trusted proxy counts for itself",
    "15.3.5": "a value of another type is refused, not converted",
    "15.4.1": "threads that write at once lose nothing of each other (level 3)",
    "15.4.2": "what is asked many times at once is done once (level 3)",
    "16.2.1": "lines of the log say when, which request and who",
    "16.2.2": "and when in UTC",
    "16.2.4": "and can be read by machines",
    "16.2.5": "no secret and no body reaches the log",
    "16.3.3": "refusals are logged with their reason",
    "16.4.1": "nothing that is logged can become another line or another field",
    "16.4.2": "logs that were changed afterwards are found out",
    "16.4.3": "and are sent to another machine",
    "16.5.1": "a fault tells nothing of itself to whoever caused it",
    "16.5.2": "who does not answer is a problem, and is tried again later",
    "16.5.3": "where something fails, nothing is opened and nothing is called stored",
    "16.5.4": "a fault ends its own request alone (level 3)",
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
            "Which requirements of OWASP's Application Security Verification Standard 5.0, levels",
            "1 and 2 and some of 3, have a test that fails if they are broken. Made from the marks",
            "on the tests by `python -m tests.asvs`; what is not here is not claimed, kept or not.",
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
