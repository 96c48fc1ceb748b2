"""``esl bench sealing`` seals what it says, in a chain that holds."""

from api.bench.sealing import measure_sealing


def test_it_measures_a_chain_that_holds() -> None:
    figures = measure_sealing(12_000)
    assert figures["holds"] is True
    assert figures["blocks"] >= 2
    assert figures["sealed_a_second"] > figures["rows_a_second_at_rest"] > 0
    assert 8 <= figures["bytes_a_row"] < 40, "eight bytes of each leaf are kept, and little else"
