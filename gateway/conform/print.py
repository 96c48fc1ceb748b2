"""A report as text for people and as JSON for programs."""

from collections.abc import Iterator
from typing import Any

from gateway.conform.verdicts import LEVELS, WORDS, Report, Rule, Verdict

_MARKS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.NEEDS_OPERATOR: "?",
    Verdict.NOT_OBSERVABLE: "–",
}
_WIDTH = max(len(verdict) for verdict in Verdict)


def as_text(report: Report) -> str:
    """The report in lines, the rules first."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    firmware = f", firmware {report.firmware}" if report.firmware else ""
    yield f"Gateway {report.gateway}{firmware}, session {report.session}"
    yield f"Tested with label {report.label} ({report.panel}) in {report.seconds:.0f} s"
    yield ""
    for finding in report.findings:
        rule = f"{finding.rule}  {WORDS[finding.rule]}"
        yield f"{_MARKS[finding.verdict]} {finding.verdict:<{_WIDTH}}  {rule}"
        if finding.verdict is not Verdict.PASS:
            yield f"  {'':<{_WIDTH}}      {finding.why}"
    yield ""
    for level in LEVELS:
        skills = [skill for skill in report.skills if skill.level == level]
        good = sum(skill.verdict is Verdict.PASS for skill in skills)
        if skills:
            yield f"Level {level}: {good} of {len(skills)} skills"
        for skill in skills:
            if skill.verdict is not Verdict.PASS:
                yield f"  {_MARKS[skill.verdict]} {skill.name}: {skill.why}"
    for note in report.notes:
        yield f"Note: {note}"
    yield ""
    claimed = report.claimed or "nothing"
    yield f"Level: {report.level or 'none'} (it says {claimed}). {_summary(report)}"


def _summary(report: Report) -> str:
    counts = {v: sum(f.verdict is v for f in report.findings) for v in Verdict}
    words = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    return f"{'Conforms' if report.passed else 'Does not conform'}: {', '.join(words)}."


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "gateway": report.gateway,
        "session": report.session,
        "firmware": report.firmware,
        "label": report.label,
        "panel": report.panel,
        "claimed_level": report.claimed,
        "level": report.level,
        "passed": report.passed,
        "seconds": round(report.seconds, 1),
        "rules": {
            finding.rule.value: {"verdict": finding.verdict.value, "why": finding.why}
            for finding in report.findings
        },
        "skills": [
            {
                "level": skill.level,
                "name": skill.name,
                "verdict": skill.verdict.value,
                "why": skill.why,
            }
            for skill in report.skills
        ],
        "notes": list(report.notes),
    }


def rules_of(report: Report, verdict: Verdict) -> list[Rule]:
    """The rules with this verdict."""
    return [finding.rule for finding in report.findings if finding.verdict is verdict]
