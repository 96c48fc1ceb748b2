"""Messages come back from the wire as they went."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire import codec, messages
from gateway.wire.failures import FailureCode
from gateway.wire.fields import MAX_INT
from gateway.wire.messages import Failed, Put, Report, Seen
from tests.unit.gateway.wire.wire_vectors import VECTORS

COMMANDS = [v.message for v in VECTORS if type(v.message) in messages.Command.__args__]
EVENTS = [v.message for v in VECTORS if type(v.message) in messages.AnyEvent.__args__]

ids = st.from_regex(r"\A[a-z0-9-]{1,64}\Z")
counts = st.integers(0, MAX_INT)
positives = st.integers(1, MAX_INT)
slots = st.integers(0, 255)
digests = st.binary(min_size=32, max_size=32)
maybe = st.none()
lines = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]),
    max_size=64,
)

puts = st.builds(
    Put,
    id=positives,
    label=ids,
    epoch=counts,
    slot=slots,
    rev=positives,
    digest=digests,
    size=st.integers(0, 2**24),
    encoding=st.sampled_from(["raw", "zlib"]),
    data=st.binary(max_size=300),
    show=st.booleans(),
    deadline=counts,
)
shows = st.builds(
    messages.Show,
    id=positives,
    entries=st.lists(
        st.builds(messages.ShowEntry, label=ids, rev=positives, slot=slots, digest=digests),
        max_size=4,
    ),
    at=maybe | counts,
)
reports = st.builds(Report, id=positives, labels=st.lists(ids, max_size=4))
configs = st.builds(messages.Config, id=positives, window=maybe | positives)
seens = st.builds(
    Seen,
    session=ids,
    seq=positives,
    label=ids,
    panel=ids,
    shown_rev=counts,
    shown_digest=digests | st.just(b""),
    incarnation=counts,
    slots=st.lists(st.tuples(counts, digests | st.just(b"")), max_size=4),
    battery_mv=maybe | st.integers(0, 10_000),
    temperature_c=maybe | st.integers(-60, 125),
    rssi_dbm=maybe | st.integers(-127, 20),
    firmware=maybe | lines,
)
faileds = st.builds(
    Failed,
    session=ids,
    seq=positives,
    id=counts,
    code=st.sampled_from(FailureCode).map(str),
    label=maybe | ids,
    rev=maybe | counts,
    detail=lines,
)
hellos = st.builds(
    messages.Hello,
    session=ids,
    seq=positives,
    protocol=st.integers(0, 255),
    level=st.sampled_from(["basic", "staged", "full"]),
    firmware=lines,
    capacity=counts,
    clock=counts,
    features=st.dictionaries(st.from_regex(r"\A[a-z0-9_]{1,64}\Z"), counts, max_size=3),
)


@settings(deadline=None)
@given(st.lists(puts | shows | reports | configs | st.sampled_from(COMMANDS), max_size=6))
def test_commands_come_back_as_they_went(commands: list[messages.Command]) -> None:
    decoded = codec.decode_commands(codec.encode_commands(commands))

    assert decoded == codec.Decoded(commands, [])


@settings(deadline=None)
@given(st.lists(seens | faileds | hellos | st.sampled_from(EVENTS), max_size=6))
def test_events_come_back_as_they_went(events: list[messages.AnyEvent]) -> None:
    decoded = codec.decode_events(codec.encode_events(events))

    assert decoded == codec.Decoded(events, [])
