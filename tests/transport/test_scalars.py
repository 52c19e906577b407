"""Scalars over HTTP: points in time with an offset, and numbers that Int cannot hold."""

import json
from typing import Any, cast

import pytest
from graphql import GraphQLScalarType
from http_call import ask

from schema import schema as contract

HISTORY = 'query ($t: DateTime) { jobHistory(since: $t, until: "2001-01-01T00:00:00Z", first: -1) { totalCount } }'
FIRST = "first must be"
BIG_INT = cast(GraphQLScalarType, contract._schema.type_map["BigInt"])


def said(document: str, **variables: Any) -> str:
    (error,) = ask(document, variables=variables).json["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    message: str = error["message"]
    return message


@pytest.mark.parametrize(
    "text",
    ["2000-12-31T10:00:00Z", "2000-12-31t10:00:00z", "2000-12-31T10:00:00.123456+05:30", "2000-12-31T10:00:00-00:00"],
)
def test_a_point_in_time_has_an_offset(text: str) -> None:
    assert FIRST in said(HISTORY, t=text)
    assert FIRST in said(HISTORY.replace("($t: DateTime)", "").replace("$t", json.dumps(text)))


@pytest.mark.parametrize(
    "wrong",
    [
        *("tomorrow", "", "2000-12-31", "2000-12-31T10:00:00", "2000-12-31 10:00:00Z", "2000-12-31T10:00Z"),
        *("2000-02-30T10:00:00Z", "2000-12-31T25:00:00Z", "2000-12-31T10:00:00+25:00", "2000-W52-7T10:00:00Z"),
        *("2000-12-31T10:00:00.1234567Z", "20001231T100000Z", "٢٠٠٠-12-31T10:00:00Z", 978256800, 1.5, True, [], {}),
    ],
)
def test_what_is_no_point_in_time_is_refused_with_an_example(wrong: Any) -> None:
    messages = [said(HISTORY, t=wrong)]
    if isinstance(wrong, str | int | float):
        messages.append(said(HISTORY.replace("($t: DateTime)", "").replace("$t", json.dumps(wrong))))
    for message in messages:
        assert 'with an offset (RFC 3339), such as "2026-11-22T10:00:00Z"' in message
        assert "isoformat" not in message


OUTPUT = 'query ($n: BigInt) { job(id: "1") { output(offset: $n, bytes: 1) { size } } }'


@pytest.mark.parametrize("number", [0, 1, 1.0, 2**31, 2**53 + 1, -(2**62), "8589934592", "-7"])
def test_a_big_number_goes_in(number: Any) -> None:
    assert BIG_INT.coerce_input_value(number) == int(number)


@pytest.mark.parametrize("wrong", [1.5, "1.0", "", "x", " 1", True, [], {}, 2**63, "9" * 20, float(2**70)])
def test_what_is_no_whole_number_is_refused_with_an_example(wrong: Any) -> None:
    message = said(OUTPUT, n=wrong)
    assert "whole number of at most 63 bits, such as 8589934592" in message


@pytest.mark.parametrize("value", [0, 2**31, 2**53 + 1, 2**64 - 1, -(2**40)])
def test_a_big_number_comes_out_exactly(value: int) -> None:
    assert BIG_INT.coerce_output_value(value) == value
    for wrong in (1.0, True, "1"):
        with pytest.raises(TypeError):
            BIG_INT.coerce_output_value(wrong)


@pytest.mark.parametrize(
    ("kind", "wrong", "ending"),
    [
        ("DateTime", True, ", not true."),
        ("DateTime", [None, False], ", not [null, false]."),
        ("DateTime!", None, "not to be null."),
        ("Int!", None, "not to be null."),
        ("Int!", True, "value: true"),
        ("ID!", False, "value: false"),
    ],
)
def test_a_message_shows_a_value_as_json_writes_it(kind: str, wrong: Any, ending: str) -> None:
    places = {
        "DateTime": "jobHistory(since: $x) { asOf }",
        "Int!": "jobs(first: $x) { asOf }",
        "ID!": "job(id: $x) { id }",
    }
    document = f"query ($x: {kind}) {{ {places.get(kind, places['DateTime'])} }}"
    (error,) = ask(document, variables={"x": wrong}).json["errors"]
    assert error["message"].endswith(ending)
