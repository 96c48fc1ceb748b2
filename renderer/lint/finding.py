"""What a check says, and how many of the same become one."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from esl.domain.ids import PanelId


class Severity(StrEnum):
    """Whether a template may be used all the same."""

    ERROR = "error"
    WARNING = "warning"


class Data(StrEnum):
    """What the template was drawn with."""

    SAMPLE = "sample"
    WORST_CASE = "worst_case"
    GIVEN = "given"  # a face the asker sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One check's words on one drawing."""

    path: str  # JSON pointer into the template file
    severity: Severity
    code: str  # stable and short, for filters and tests
    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The same remark on all drawings it holds for; its numbers are those of the first panel."""

    path: str  # JSON pointer into the template file
    line: int  # of the file, from 1
    severity: Severity
    code: str
    message: str
    fix: str
    panels: tuple[PanelId, ...]  # in the order asked for; empty if it holds for the file itself
    data: tuple[Data, ...]  # empty if it holds for the file itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A remark with the panel and data it was made on; both None for the file itself."""

    remark: Remark
    line: int
    panel_id: PanelId | None = None
    data: Data | None = None


def gather(all_seen: Iterable[Seen]) -> tuple[Finding, ...]:
    """Make one finding of remarks with one path, severity and code on the same panels.

    Errors come first, then by line, path and code, so that a file's findings keep their order.
    """
    by_data: dict[tuple[str, Severity, str, Data | None], list[Seen]] = {}
    for seen in all_seen:
        remark = seen.remark
        by_data.setdefault((remark.path, remark.severity, remark.code, seen.data), []).append(seen)
    groups: dict[tuple[str, Severity, str, tuple[PanelId, ...]], list[Seen]] = {}
    for (path, severity, code, _data), group in by_data.items():
        panels = tuple(dict.fromkeys(s.panel_id for s in group if s.panel_id is not None))
        groups.setdefault((path, severity, code, panels), []).extend(group)
    findings = [
        Finding(
            path=path,
            line=group[0].line,
            severity=severity,
            code=code,
            message=group[0].remark.message,
            fix=group[0].remark.fix,
            panels=panels,
            data=tuple(dict.fromkeys(s.data for s in group if s.data is not None)),
        )
        for (path, severity, code, panels), group in groups.items()
    ]
    return tuple(sorted(findings, key=lambda f: (f.severity, f.line, f.path, f.code)))
