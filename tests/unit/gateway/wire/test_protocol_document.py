"""`docs/protocol.md` is what a stranger builds a gateway from; it says what the code does."""

import json
import re

import pytest
from msgspec import Struct, inspect

from gateway.batch import PAYLOAD_LEAST_BYTES
from gateway.wire import messages, topics
from gateway.wire.codec import Rejected
from gateway.wire.enrolment import from_json
from gateway.wire.failures import POLICIES, FailureCode
from gateway.wire.messages import CancelEntry, GatewayState, Header, ShowEntry
from gateway.wire.signing import PublicKeys
from tests.unit.gateway.wire import golden_files
from tests.unit.gateway.wire.protocol_tables import range_of, type_of
from tests.unit.gateway.wire.protocol_text import DOCUMENT, section, tables
from tests.unit.gateway.wire.wire_vectors import KEY, SEED, VECTORS

COMMANDS: tuple[type[Struct], ...] = messages.Command.__args__
EVENTS: tuple[type[Struct], ...] = messages.AnyEvent.__args__
LEVELS = ("basic", "staged", "full")


def name_of(message: type[Struct]) -> str:
    return str(message.__struct_config__.tag)


def told_fields(text: str, position: int = 0) -> list[tuple[str, str, str, str]]:
    """(name, type, range, required) of each row of a field table."""
    return [
        (row[0].strip("`"), row[1], "" if row[2] == "-" else row[2], row[3])
        for row in tables(text)[position]
    ]


def true_fields(message: type[Struct]) -> list[tuple[str, str, str, str]]:
    kind = inspect.type_info(message)
    assert isinstance(kind, inspect.StructType)
    return [
        (
            field.encode_name,
            type_of(field.type),
            range_of(field.type),
            "yes" if field.required else "no",
        )
        for field in kind.fields
    ]


# -- messages and fields ----------------------------------------------------------------------


@pytest.mark.parametrize("message", [*COMMANDS, *EVENTS], ids=name_of)
def test_every_message_has_its_table_of_fields(message: type[Struct]) -> None:
    assert told_fields(section(f"`{name_of(message)}`")) == true_fields(message)


def test_the_parts_that_are_no_messages_have_theirs() -> None:
    assert told_fields(section("`state`")) == true_fields(GatewayState)
    assert told_fields(section("Signatures")) == true_fields(Header)
    assert told_fields(section("`show`"), 1) == true_fields(ShowEntry)
    assert told_fields(section("`cancel`"), 1) == true_fields(CancelEntry)


def test_no_message_is_documented_that_does_not_exist() -> None:
    for title, known in (("Commands (down)", COMMANDS), ("Events (up)", EVENTS)):
        headings = re.findall(r"^### `(\w+)`$", section(title), re.MULTILINE)
        assert headings == [name_of(message) for message in known]


def test_every_field_has_a_meaning() -> None:
    for message in (*COMMANDS, *EVENTS):
        for row in tables(section(f"`{name_of(message)}`"))[0]:
            assert row[4] not in ("", "-"), (name_of(message), row[0])


# -- bytes ------------------------------------------------------------------------------------

EXAMPLES = re.findall(r"^```hex ([\w-]+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "block"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_every_byte_example_is_its_golden_vector(name: str, block: str) -> None:
    told = "".join(line.partition("#")[0].strip() for line in block.splitlines())

    assert told == json.loads(golden_files.path_of(name).read_text())["hex"]


def test_every_message_has_a_byte_example_in_its_own_section() -> None:
    shown = {name for name, _ in EXAMPLES}
    for vector in VECTORS:
        if vector.name in shown:
            title = getattr(vector.message, "name", "state")
            assert f"```hex {vector.name}\n" in section(f"`{title}`")
            assert f"`{vector.name}`: {vector.about}" in section(f"`{title}`")
    told = {type(vector.message) for vector in VECTORS if vector.name in shown}
    assert told == {*COMMANDS, *EVENTS, GatewayState}
    assert "```hex signed-put\n" in section("Signatures")


def test_the_test_key_is_the_one_of_the_vectors() -> None:
    assert KEY.public_key.hex() in section("Signatures")
    assert bytes(range(32)) == SEED


# -- failures, rules, levels -----------------------------------------------------------


def test_every_failure_code_stands_there_with_its_policy() -> None:
    (rows,) = tables(section("Failure codes"))

    told = {row[0].strip("`"): row[1] for row in rows}

    assert told == {code.value: POLICIES[code].value for code in FailureCode}
    assert [row[0].strip("`") for row in rows] == [code.value for code in FailureCode]


def test_what_a_gateway_answers_to_a_bad_message_is_what_the_codec_says() -> None:
    bad = section("Payloads")
    for told, name, known in (
        ("has no `type`", None, False),
        ("its `type` is unknown", "sing", False),
        ("out of range", "put", True),
    ):
        rejected = Rejected(position=0, type=name, id=None, known=known, reason="")
        (row,) = (line for line in bad.splitlines() if told in line and line.startswith("|"))
        assert f"`{rejected.code}`" in row


def test_every_rule_and_level_is_there() -> None:
    gateway, label = tables(section("Rules"))
    assert [row[0] for row in gateway] == [f"G{n}" for n in range(1, 9)]
    assert [row[0] for row in label] == [f"L{n}" for n in range(1, 5)]
    (levels,) = tables(section("Levels"))
    assert [row[0].strip("`") for row in levels] == list(LEVELS)
    obeyed = " ".join(row[1] for row in levels)
    sent = " ".join(row[2] for row in levels)
    assert {name_of(m) for m in COMMANDS} <= set(re.findall(r"`(\w+)`", obeyed))
    assert {name_of(m) for m in EVENTS} == set(re.findall(r"`(\w+)`", sent))


def test_nothing_is_left_for_later() -> None:
    for word in ("not yet", "later version", "today", "TODO"):
        assert word not in DOCUMENT, word


def test_every_feature_a_gateway_may_announce_is_there() -> None:
    features = tables(section("`hello`"))[1]
    assert [row[0].strip("`") for row in features] == [messages.FEATURE_PAYLOAD_BYTES]
    assert features[0][2] == str(messages.MAX_PAYLOAD_BYTES)


# -- everything around ------------------------------------------------------------------------


def test_the_topics_are_those_of_the_code() -> None:
    told = section("Transport")
    for topic in (
        topics.state_topic("gw").replace("gw", "{gateway}"),
        topics.down_topic("gw").replace("gw", "{gateway}"),
        topics.up_topic("gw").replace("gw", "{gateway}"),
        topics.ALL_STATES,
        topics.ALL_UPS,
    ):
        assert f"`{topic}`" in told


def test_the_enrolment_file_shown_is_one() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)

    enrolment = from_json(shown)

    assert dict(enrolment.public_keys()) == dict(PublicKeys.of(KEY))


def test_the_limits_are_those_of_the_code() -> None:
    told = section("Payloads")
    assert f"at most {messages.MAX_PAYLOAD_BYTES} bytes" in told
    assert f"`{messages.FEATURE_PAYLOAD_BYTES}`" in told
    assert messages.VERSION == 1
    assert "# The gateway protocol, version 1\n" in DOCUMENT
    encodings = {row[0].strip("`") for row in tables(section("Pictures"))[0]}
    assert encodings == {messages.RAW, messages.ZLIB, messages.XOR_ZLIB}


def test_every_link_inside_the_document_arrives() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", DOCUMENT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(#([^)]+)\)", DOCUMENT):
        assert target in anchors


def test_the_smallest_payload_that_a_gateway_must_take_is_said() -> None:
    assert f"every gateway takes payloads of {PAYLOAD_LEAST_BYTES} bytes" in DOCUMENT
