"""Short links as JSON: a store's setting, and a product's target."""

from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.short_link import (
    HOSTS_MOST,
    TARGET_LONGEST,
    LinkSetting,
    check_base,
    check_host,
)
from esl.intake.fields import Fields
from esl.intake.shelf_json import flag


def parse_setting(value: Any) -> LinkSetting:
    """Read ``{"base": "https://go.shop.example", "hosts": […], "rule": …, "in_faces": true}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    base = fields.parsed("base", check_base, required=True)
    rule = fields.parsed("rule", _short_text, required=True)
    in_faces = flag(fields, "in_faces")
    said = fields.take("hosts")
    hosts: list[str] = []
    if not isinstance(said, list) or not 1 <= len(said) <= HOSTS_MOST:
        fields.problem("hosts", f"not a list of 1 to {HOSTS_MOST} names of hosts")
    else:
        for number, each in enumerate(said):
            path = f"/hosts/{number}"
            if not isinstance(each, str):
                fields.problems.append(
                    FieldProblem(path=path, detail="not a text", fix="Send it in quotes.")
                )
                continue
            try:
                hosts.append(check_host(each, path))
            except InvalidInput as exc:
                fields.problems.extend(exc.problems)
    fields.finish()
    return LinkSetting(
        base=str(base),
        hosts=tuple(dict.fromkeys(hosts)),
        rule=str(rule),
        in_faces=in_faces,
    )


def setting_view(setting: LinkSetting | None) -> dict[str, Any]:
    """Write a setting as it is read; of a store without one all is null."""
    return {
        "base": setting.base if setting else None,
        "hosts": list(setting.hosts) if setting else [],
        "rule": setting.rule if setting else None,
        "in_faces": setting.in_faces if setting else False,
    }


def parse_target(value: Any) -> str | None:
    """Read ``{"target": "https://…"}``; null: by the store's rule.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    if not fields.has("target"):
        fields.problem("target", "missing", fix="Send an address, or null for the store's rule.")
    target = fields.parsed("target", _short_text)
    fields.finish()
    return target if isinstance(target, str) else None


def _short_text(text: str, path: str) -> str:
    if not 1 <= len(text) <= TARGET_LONGEST:
        raise InvalidInput.at(path, f"not of 1 to {TARGET_LONGEST} characters")
    return text
