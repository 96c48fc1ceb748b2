"""``esl law``: what labels follow in which country, with the source of every rule."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.cli.template_files import print_problems
from esl.domain.errors import InvalidInput
from esl.domain.ids import check_slug
from esl.domain.law.account import account_of
from esl.domain.law.chosen import law_for
from esl.domain.law.goods import codes_known
from esl.domain.law.profile import Profile
from esl.domain.law.profile_file import (
    PROFILE_NAMES,
    load_profile,
    profile_text,
    read_profile_file,
)
from esl.domain.law.schema import schema_text

app = typer.Typer(help="Law profiles: what labels follow in which country.", no_args_is_help=True)

ProfileName = Annotated[str, typer.Argument(help="A profile's name, or a TOML file of your own.")]


@app.command("list")
def list_profiles(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the profiles that come with the project."""
    rows = [_summary_of(load_profile(name)) for name in PROFILE_NAMES]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table("name", "title", "version", "since", "rules known", "not known")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    print_table(table)


@app.command("show")
def show(
    profile: ProfileName,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_toml: Annotated[
        bool, typer.Option("--toml", help="The file itself, to begin your own with.")
    ] = False,
) -> None:
    """Show every rule of a profile with its source, and what is done where none is known."""
    if as_toml and profile in PROFILE_NAMES:
        print(profile_text(profile), end="")
        return
    found = _find(profile)
    account = account_of(found)
    if as_json:
        rules = [rule._asdict() for rule in account]
        sources = [
            {"id": s.source_id, "title": s.title, "checked": s.checked, "address": s.address}
            for s in found.sources.values()
        ]
        facts = {**_summary_of(found), "rules": rules, "sources": sources}
        print(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    print(f"{found.title} ({found.name}), version {found.version}, since {found.in_force_since}")
    section = ""
    for rule in account:
        if rule.section != section:
            section = rule.section
            print(f"\n{section}")
        mark = "" if rule.is_known else "  (not known: the careful value)"
        print(f"  {rule.name} = {rule.value}{mark}")
        print(f"      {rule.because}")
    print("\nsources")
    for source in found.sources.values():
        print(f"  {source.source_id}: {source.title}; known by its {source.checked}")
        if source.address:
            print(f"      {source.address}")
    print("\nEngineering's reading of the law, and no legal advice.")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A TOML file.", dir_okay=False)],
) -> None:
    """Check a profile of your own; status 1 if it has mistakes."""
    found = _find(str(file))
    print(f"{found.name}: {len(found.cites)} rules with a source, {len(found.unknown)} not known")


@app.command("set")
def set_law(
    store: Annotated[str, typer.Argument(help="The store's id.")],
    law: Annotated[
        str, typer.Argument(help="A profile's name; - for that of the country of its locale.")
    ],
    data: DataDir = None,
) -> None:
    """Let a store's labels follow a profile; what they show is judged anew."""
    with running_client(data) as client:
        profile = None if law == "-" else law
        done = client.edit(_address(store), lambda told: _said(told) | {"law": profile})
    print(f"{store} follows {law_for(done['law'], done['locale']).name if law == '-' else law}")


@app.command("goods")
def goods(
    store: Annotated[str, typer.Argument(help="The store's id.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(help="food=HRANA perfume=Parfums: a code of the law, a category of yours."),
    ] = None,
    data: DataDir = None,
) -> None:
    """Say which of a store's categories are goods that its law names, or show it.

    The words of a code that is named are replaced; CODE= takes them away.
    """
    with running_client(data) as client:
        told = _said(client.get(_address(store)))
        if words:
            said: dict[str, list[str]] = {}
            for each in words:
                code, sign, word = each.partition("=")
                if not sign:
                    fix = "Write it such as food=HRANA, in quotes where there are blanks."
                    raise InvalidInput.at("", f"{each!r} is no CODE=CATEGORY", fix=fix)
                said.setdefault(code, []).extend([word] if word.strip() else [])
            told = client.edit(
                _address(store),
                lambda old: _said(old) | {"law_goods": old["law_goods"] | said},
            )
    for code, some in sorted(told["law_goods"].items()):
        print(f"{code}: {', '.join(some)}")
    if not told["law_goods"]:
        law = law_for(told["law"], told["locale"])
        known = ", ".join(codes_known([law])) or "none"
        print(f"Nothing is said. The law {law.name} names: {known}")


def _address(store: str) -> str:
    return f"/api/v1/stores/{check_slug(store, path='/store', what='store')}"


def _said(store: dict[str, Any]) -> dict[str, Any]:
    """Return a store's settings, as they are put again."""
    return {name: value for name, value in store.items() if name != "store_id"}


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of profiles, for your editor."""
    print(schema_text(), end="")


def _find(name: str) -> Profile:
    """Find a bundled profile, or read a file; print all that is wrong with it and stop."""
    if not name.endswith(".toml"):
        return load_profile(name)
    try:
        return read_profile_file(Path(name))
    except InvalidInput as exc:
        print_problems(exc, name)
        _fail(f"{len(exc.problems)} mistake(s)")


def _summary_of(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "version": profile.version,
        "in_force_since": profile.in_force_since.isoformat(),
        "known": len(profile.cites),
        "not_known": len(profile.unknown),
    }


def _fail(reason: str) -> NoReturn:
    typer.echo(f"esl: {reason}", err=True)
    raise typer.Exit(1)
