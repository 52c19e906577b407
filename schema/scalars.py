"""The scalars that GraphQL does not have: points in time, and whole numbers of more than 32 bits."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import ErrorCode

BigInt = NewType("BigInt", int)

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_LARGEST = 2**63 - 1


def _instant(value: Any) -> datetime:
    try:
        if isinstance(value, str) and _RFC_3339.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    except ValueError:  # such as the 30th of February
        pass
    raise _wrong(
        'A DateTime is a date and time with an offset (RFC 3339), such as "2026-11-22T10:00:00Z" or '
        '"2026-11-22T11:00:00+01:00"',
        value,
    )


def _whole(value: Any) -> int:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value) else value
    if isinstance(number, float) and number.is_integer():  # JSON does not tell 1 from 1.0
        number = int(number)
    if isinstance(number, int) and not isinstance(number, bool) and -_LARGEST <= number <= _LARGEST:
        return number
    raise _wrong("A BigInt is a whole number of at most 63 bits, such as 8589934592", value)


def _shown_as_it_is(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is no whole number")  # a defect of ours


def _wrong(said: str, value: Any) -> GraphQLError:
    shown = json.dumps(value, default=repr, ensure_ascii=False)
    return GraphQLError(f"{said}, not {shown:.60}.", extensions={"code": ErrorCode.BAD_USER_INPUT.name})


DATE_TIME: Final = strawberry.scalar(
    name="DateTime",
    description="A point in time: a date and a time with an offset from UTC, in the form of RFC 3339, such as "
    "`2026-11-22T10:00:00+00:00`. Output is always in UTC. Input needs an offset (`Z`, `+01:00`) and has at most six "
    "digits of a second's fraction.",
    specified_by_url="https://scalars.graphql.org/chillicream/date-time.html",
    serialize=datetime.isoformat,
    parse_value=_instant,
)
BIG_INT: Final = strawberry.scalar(
    name="BigInt",
    description="A whole number that may exceed the 32 bits of Int, such as bytes, seconds of CPU time or points of "
    "priority. It is always a JSON number, never a string, so generated clients may map it to `number` (TypeScript), "
    "`int` (Python) or a 64-bit integer. It has at most 63 bits; JavaScript is exact up to 2^53 - 1, and no value that "
    "Slurm shows of a real cluster comes near that. Input may also be a string of digits.",
    serialize=_shown_as_it_is,
    parse_value=_whole,
)
SCALARS: Final[Mapping[object, ScalarDefinition]] = {datetime: DATE_TIME, BigInt: BIG_INT}
