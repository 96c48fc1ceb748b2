"""What a provider says of somebody, and what that makes of the person here."""

import pytest

from esl.domain.access import Role
from esl.domain.person import RoleHeld
from esl.domain.provider import GroupRole, SaidByProvider, roles_of

RULES = (
    GroupRole(group="hands", role=Role.TECHNICIAN, stores=frozenset({"main", "closed"})),
    GroupRole(group="hands", role=Role.APPROVER, stores=frozenset({"main"})),
    GroupRole(group="bosses", role=Role.ADMIN, stores=frozenset({"*"})),
)


def said(*names: str, **other: str | None) -> SaidByProvider:
    fields: dict[str, str | None] = {"display_name": None, "mail": None, "subject": "7"} | other
    return SaidByProvider(
        issuer="https://login.shop.example",
        subject=str(fields["subject"]),
        names=names,
        display_name=fields["display_name"],
        mail=fields["mail"],
        groups=frozenset(),
    )


def test_roles_are_those_of_the_groups_where_there_are_stores() -> None:
    assert roles_of({"hands"}, RULES, {"main", "other"}) == {
        RoleHeld(store="main", role=Role.TECHNICIAN),
        RoleHeld(store="main", role=Role.APPROVER),
    }
    assert roles_of({"bosses", "else"}, RULES, set()) == {RoleHeld(store="*", role=Role.ADMIN)}
    assert roles_of({"HANDS", "hand", ""}, RULES, {"main"}) == frozenset()


def test_a_key_is_of_one_person_of_one_provider() -> None:
    keys = {said(subject=one).key for one in ("7", "8", "7 ")}
    assert len(keys) == 3
    assert said("ana", subject="7").key == said("other", subject="7").key


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("Ana", "ana@shop.example"), "ana"),
        (("Ana Novak", "ana@shop.example"), "ana@shop.example"),
        (("x" * 81, "a", "\u202eana", "an\na"), "person-"),
        ((), "person-"),
    ],
)
def test_the_first_name_that_may_be_one_is_taken(names: tuple[str, ...], shown: str) -> None:
    assert said(*names).sign_in_name.startswith(shown)


def test_what_is_shown_is_short_and_can_be_seen() -> None:
    assert said("ana", display_name="Ana \u202eNovak\n").shown_name == "Ana Novak"
    assert said("ana", display_name="\n").shown_name == "ana"
    assert len(said("ana", display_name="x" * 500).shown_name) == 120
    assert said(mail="ana@shop.example").usable_mail == "ana@shop.example"
    for mail in ("ana", "@shop", "a b@c.example", "a@b\r\n", "@", f"{'x' * 300}@a.example"):
        assert said(mail=mail).usable_mail is None
