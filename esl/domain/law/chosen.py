"""Which profile a store follows: the one it names, else that of the country of its locale.

::

    law of the store ─▶ bundled profiles, then the shop's own        no file of that name:
    none named       ─▶ hr_HR → hr, de_DE → de, …, all others eu     as if none were named

A shop's own profiles lie in one folder, and are read once, by the composition root, before
anything asks for one.
"""

from pathlib import Path
from typing import Final

from esl.domain.errors import InvalidInput, SetupError
from esl.domain.law.profile import Profile
from esl.domain.law.profile_file import PROFILE_NAMES, load_profile, read_profile_file

OWN_MOST: Final = 100
"""Files of profiles in one folder."""

_BY_COUNTRY: Final = {"HR": "hr", "DE": "de", "FR": "fr", "US": "us"}
_own: Final[dict[str, Profile]] = {}


def read_own_profiles(folder: Path) -> tuple[str, ...]:
    """Read every ``.toml`` of a folder as a profile, and return their names.

    Raises:
        SetupError: The folder cannot be read, a file is no profile, or takes a bundled name.
    """
    if not folder.is_dir():
        raise SetupError(f"no folder of law profiles {folder}; make it, or leave law_dir out")
    paths = sorted(folder.glob("*.toml"))
    if len(paths) > OWN_MOST:
        raise SetupError(f"{folder} holds more than {OWN_MOST} law profiles")
    read: dict[str, Profile] = {}
    for path in paths:
        if path.stem in PROFILE_NAMES:
            raise SetupError(f"{path}: {path.stem!r} comes with the project; give it another name")
        try:
            read[path.stem] = read_profile_file(path)
        except InvalidInput as exc:
            first = exc.problems[0]
            raise SetupError(
                f"{path} is no law profile: {first.path} {first.detail}; see: esl law check {path}"
            ) from exc
    _own.clear()
    _own.update(read)
    return tuple(read)


def law_names() -> tuple[str, ...]:
    """Name the profiles that a store may follow."""
    return (*PROFILE_NAMES, *sorted(_own))


def profiles() -> list[Profile]:
    """List the profiles that a store may follow."""
    return [*map(load_profile, PROFILE_NAMES), *_own.values()]


def check_law(name: str, *, path: str) -> str:
    """Return the name of a profile.

    Raises:
        InvalidInput: There is no such profile.
    """
    if name not in PROFILE_NAMES and name not in _own:
        raise InvalidInput.at(
            path, "no law profile of this name", fix=f"Send one of {', '.join(law_names())}."
        )
    return name


def law_for(law: str | None, locale: str) -> Profile:
    """Return the profile of a store, by what it names and by its locale ("hr_HR")."""
    if law is not None:
        if law in PROFILE_NAMES:
            return load_profile(law)
        own = _own.get(law)
        if own is not None:
            return own
    return load_profile(_BY_COUNTRY.get(locale.rpartition("_")[2], PROFILE_NAMES[0]))
