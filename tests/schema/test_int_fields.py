"""No field of type Int can meet a number of more than 32 bits, for which graphql-core would raise an error."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from schema import schema as contract
from schema.planned import DEFINITION
from schema.types_from_tables import SOURCES
from slurm.column import Column
from slurm.errors import ParseError
from slurm.statistics import Statistics
from slurm.text import INT_LIMIT

# What Slurm can print, or might one day: each number is beyond 32 bits in one of its forms.
HIGH = [
    *("2147483647", "2147483648", "3000000000", "4294967293", "4294967294", "9007199254740993", "18446744073709551615"),
    *("2147483648/1/1/1", "1/2147483648/1/1", "999999999/999999999/999999999/4000000000", "2147483648 sec"),
    *("999999999-23:59:59", "999999999:59:59", "999999999:59", "30000-00:00:00"),
    *("9999999999999999999E", "4000000000G", "2147483648M", "mem=9999999999P,cpu=3000000000,node=3000000000"),
    *("cpu=999999999-00:00:00,mem=99999999999999999999", "gres/gpu=3000000000", "gres/gpu:a=3000000000"),
    *("gpu:a:999999999,gpu:b:999999999,gpu:c:999999999", "gres:gpu:999999999", "123_2147483648", "123_[1-3000000000]"),
    *("3000000000:0", "0:3000000000", "2147483648.5", "parent", "RUNNING", "COMPLETED", "PENDING", "N/A", ""),
    *("0:0", "1:0", "gpu:a:8", "123_4"),  # for columns that refuse all of these
]


def columns_of_int() -> Iterator[Any]:
    """Each field of the schema that is an Int and comes from a column or a figure of Slurm's, with its parser."""
    for place, definition, name in int_fields():
        source = SOURCES.get(definition.origin)
        column = vars_of(source).get(name)
        if isinstance(column, Column):
            yield pytest.param(column.parse, len(column.sources), id=place)
        elif source is Statistics:
            yield pytest.param(Statistics.__dataclass_fields__[name].metadata["parse"], 1, id=place)


def vars_of(source: type | None) -> dict[str, Any]:
    return {name: value for base in reversed(source.__mro__) for name, value in vars(base).items()} if source else {}


def int_fields() -> Iterator[tuple[str, Any, str]]:
    for kind in contract._schema.type_map.values():
        definition = kind.extensions.get(DEFINITION)
        if isinstance(kind, GraphQLObjectType) and definition:
            for name, field in kind.fields.items():
                if get_named_type(field.type).name == "Int":
                    yield f"{kind.name}.{name}", definition, field.extensions[DEFINITION].python_name


@pytest.mark.parametrize(("parse", "count"), list(columns_of_int()))
def test_no_int_can_exceed_its_32_bits(parse: Any, count: int) -> None:
    """It is read as a number that fits, or as nothing, or it is unreadable: never an error of the executor."""
    read = 0
    for text in HIGH:
        for at in range(count):
            for other in ("1", "3000000000", "COMPLETED", "gres/gpu:2", "gpu:a:8", ""):
                texts = [other] * count
                texts[at] = text
                try:
                    value = parse(*texts)
                except ParseError:
                    continue
                read += value is not None
                assert value is None or -INT_LIMIT <= value < INT_LIMIT, texts
    assert read, "no text was read: HIGH has none for this column"


BOUNDED = {
    # Rows and tasks that this API counts: a cluster has at most MaxJobCount jobs and MaxNodeCount nodes.
    "JobConnection.totalCount",
    "NodeConnection.totalCount",
    "AccountConnection.totalCount",
    "AssociationConnection.totalCount",
    "FairShareConnection.totalCount",
    "JobStateCount.count",
    "NodeStateCount.count",
    "JobArray.taskCount",
    "Job.queuePosition",
    # Of one cluster's nodes: Slurm has at most 65,536 nodes of at most 65,536 CPUs, and no cluster comes near.
    "CpuCounts.allocated",
    "CpuCounts.idle",
    "CpuCounts.other",
    "CpuCounts.total",
    # At most 60.
    "Cluster.suggestedPollSeconds",
    "Query.suggestedPollSeconds",
}
"""Fields of Int that no column of Slurm's gives directly, all of which cannot be so large."""


def test_every_int_is_known_to_be_small() -> None:
    known = {str(each.id) for each in columns_of_int()}
    assert {place for place, _, _ in int_fields()} - known == BOUNDED
