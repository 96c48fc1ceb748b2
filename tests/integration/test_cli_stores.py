"""``esl stores``: a newcomer's first store, from the machine itself."""

import json
from pathlib import Path

from tests.integration.test_cli_people import found_by_commands
from tests.running_house import Command, running_house

SETTINGS = ("--currency", "EUR", "--locale", "hr_HR", "--timezone", "Europe/Zagreb")


def test_the_first_store_is_made_listed_and_changed(tmp_path: Path, command: Command) -> None:
    with running_house(tmp_path / "data") as running, found_by_commands(running) as data:
        here = ("--data", data)
        empty = command("stores", "list", *here)
        assert (empty.status, "esl stores put" in empty.stdout) == (0, True)
        for one in (("places", "list"), ("fleet",)):
            assert "esl stores put" in command(*one, *here).stderr
        partly = command("stores", "put", "s1", "--name", "High Street", *here)
        assert (partly.status, partly.stdout) == (1, "")
        assert "s1 is new: name --currency, --locale, --timezone too" in partly.stderr
        made = command("stores", "put", "s1", "--name", "High Street", *SETTINGS, *here)
        assert (made.status, made.stderr) == (0, "")
        assert "High Street" in command("stores", "list", *here).stdout

        pattern = "https://shop.example/p/{gtin}"
        goods = 'law_goods={"food": ["HRANA"]}'
        sets = ("--set", f"shop_link={pattern}", "--set", "law=hr", "--set", goods)
        assert command("stores", "put", "s1", *sets, *here).status == 0
        assert command("stores", "put", "s1", "--name", "Low Street", *here).status == 0
        said = json.loads(command("stores", "show", "s1", *here).stdout)
        assert (said["name"], said["currency"]) == ("Low Street", "EUR"), "what is not named stays"
        assert (said["shop_link"], said["law"]) == (pattern, "hr")
        assert said["law_goods"] == {"food": ["HRANA"]}
        assert command("stores", "put", "s1", "--set", "shop_link=", *here).status == 0
        assert json.loads(command("stores", "show", "s1", *here).stdout)["shop_link"] is None


def test_what_is_wrong_is_named_with_what_to_send(tmp_path: Path, command: Command) -> None:
    with running_house(tmp_path / "data") as running, found_by_commands(running) as data:
        for wrong, told in (
            (("--locale", "xx_HR"), "/locale: no language is known as 'xx'. Send the language's"),
            (("--set", "colour=red"), "/colour: unknown field. Leave it out"),
            (("--set", "law"), "--set law: write field=value"),
        ):
            ran = command(
                *("stores", "put", "s1", "--name", "x", *SETTINGS, *wrong, "--data", data)
            )
            assert (ran.status, ran.stdout) == (1, "")
            assert told in ran.stderr
        assert (
            "no store 's1'. Check the id" in command("stores", "show", "s1", "--data", data).stderr
        )
