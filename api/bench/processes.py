"""CPU and memory of a process and its children, as Linux tells them in /proc."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM = 1, 11, 12
"""Places in ``/proc/PID/stat`` behind the name, which is in brackets and may hold anything."""


def cpu_s(pid: int, *, without: str) -> float:
    """Return the CPU seconds of a process and its descendants that live.

    Descendants whose command line holds ``without`` are not counted.
    """
    stats = _stats()
    if pid not in stats:
        return 0.0
    family, wave = {pid}, {pid}
    while wave:
        wave = {child for child, stat in stats.items() if int(stat[_PARENT]) in wave} - family
        family |= {child for child in wave if without not in _command(child)}
    ticks = sum(int(stats[one][_USER]) + int(stats[one][_SYSTEM]) for one in family)
    return ticks / _TICKS_PER_S


def peak_rss_mb(pid: int) -> float:
    """Return the most memory a process has had so far, in MiB, without its children."""
    status = (_PROC / str(pid) / "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _stats() -> dict[int, list[str]]:
    stats: dict[int, list[str]] = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it has just ended
        stats[int(folder.name)] = text[text.rindex(")") + 2 :].split()
    return stats


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_text()
    except OSError:
        return ""
