"""What the kit says: a verdict on each rule, on each skill of a level, and the level shown.

The rules are those of wire protocol 1 (``docs/protocol.md``, Rules); a skill is one thing that a
gateway of a level can do. A rule is *failed* when it was seen broken once; *passed* when everything
that can be seen of it from outside was asked and was right.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What is said of a rule or skill."""

    PASS = "pass"  # noqa: S105  a verdict
    FAIL = "fail"
    NEEDS_OPERATOR = "needs operator"
    NOT_OBSERVABLE = "not observable"


class Rule(StrEnum):
    """The rules a gateway (G) and a label (L) keep."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
    G4 = "G4"
    G5 = "G5"
    G6 = "G6"
    G7 = "G7"
    G8 = "G8"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


WORDS: dict[Rule, str] = {
    Rule.G1: "drops what is not for this session",
    Rule.G2: "never sends a label a revision below the highest it confirmed",
    Rule.G3: "verifies signature, counter and expiry before anything else",
    Rule.G4: "one transfer a label, at most its capacity, newer replaces older",
    Rule.G5: "heartbeats are periodic",
    Rule.G6: "beacons are forwarded",
    Rule.G7: "says shown only after the label, in the label's words",
    Rule.G8: "answers duplicates with the stored result",
    Rule.L1: "remembers the highest shown revision over a restart",
    Rule.L2: "paints only a complete, verified picture",
    Rule.L3: "has a new incarnation after a loss of memory",
    Rule.L4: "beacons",
}

LEVELS = ("basic", "staged", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict on one rule, and what it rests on."""

    rule: Rule
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A verdict on one thing that a gateway of a level can do."""

    level: str
    name: str
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the kit says of a gateway."""

    gateway: str
    session: str
    firmware: str
    claimed: str  # the level in its own words; "" if it never said
    label: str
    panel: str
    findings: tuple[Finding, ...]
    skills: tuple[Skill, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def level(self) -> str:
        """The highest level all of whose skills, and those of the levels below, were shown."""
        shown = ""
        for level in LEVELS:
            of_level = [skill.verdict for skill in self.skills if skill.level == level]
            if not of_level or Verdict.FAIL in of_level or Verdict.PASS not in of_level:
                break
            shown = level
        return shown

    @property
    def passed(self) -> bool:
        """Whether nothing was seen broken and the level claimed was shown."""
        broken = any(finding.verdict is Verdict.FAIL for finding in self.findings)
        return not broken and self.claimed != "" and self.level == self.claimed

    def verdict_on(self, rule: Rule) -> Verdict:
        """The verdict on one rule."""
        return next(finding.verdict for finding in self.findings if finding.rule is rule)


@dataclass(slots=True)
class Ledger:
    """Where probes write what they saw; many observations of a rule become one finding."""

    seen: dict[Rule, list[tuple[Verdict, str]]] = field(default_factory=dict)
    skills: list[Skill] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, rule: Rule, verdict: Verdict, why: str) -> None:
        """Write an observation of a rule down."""
        self.seen.setdefault(rule, []).append((verdict, why))

    def judge(self, rule: Rule, kept: bool, right: str, wrong: str) -> bool:  # noqa: FBT001
        """Write down whether a rule was kept, in words for either case."""
        self.note(rule, Verdict.PASS if kept else Verdict.FAIL, right if kept else wrong)
        return kept

    def skill(self, level: str, name: str, wrong: str | None) -> None:
        """Write down whether a skill was shown; ``wrong`` says why not, None that it was."""
        verdict = Verdict.PASS if wrong is None else Verdict.FAIL
        self.skills.append(Skill(level=level, name=name, verdict=verdict, why=wrong or ""))

    def unseen_skill(self, level: str, name: str, why: str) -> None:
        """Write down that a skill could not be asked for."""
        skill = Skill(level=level, name=name, verdict=Verdict.NOT_OBSERVABLE, why=why)
        self.skills.append(skill)

    def findings(self) -> tuple[Finding, ...]:
        """One finding for every rule: the worst that was seen, else what is missing to see it."""
        return tuple(self._finding(rule, self.seen.get(rule, [])) for rule in Rule)

    @staticmethod
    def _finding(rule: Rule, seen: Iterable[tuple[Verdict, str]]) -> Finding:
        order = (Verdict.FAIL, Verdict.NEEDS_OPERATOR, Verdict.NOT_OBSERVABLE, Verdict.PASS)
        for verdict in order:
            words = list(dict.fromkeys(why for told, why in seen if told is verdict))
            if words:
                return Finding(rule=rule, verdict=verdict, why="; ".join(words))
        return Finding(rule=rule, verdict=Verdict.NOT_OBSERVABLE, why="nothing was asked")
