"""What an operation reads of which cluster, before anything is sent."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, validate

from access.caller import Caller
from resolvers.cluster import Cluster
from resolvers.plan import ALL_CLUSTERS, ResolveInfo, Selected, cluster_in, selected_by_cluster
from schema import schema

SCHEMA = schema._schema
DEFAULT = ""
VIEW = cast(
    Cluster,
    SimpleNamespace(
        name="lab",
        request=SimpleNamespace(caller=Caller("ada", "ada", None)),
        check_jobs=lambda *given: None,
        check_named=lambda *given: None,
    ),
)


def planned(document: str, **variables: Any) -> dict[str | None, set[str]]:
    """What a valid query reads of which cluster; `job 7` is the job with id 7 in the query."""
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    (operation,) = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {node.name.value: node for node in parsed.definitions if isinstance(node, FragmentDefinitionNode)}
    info = cast(ResolveInfo, SimpleNamespace(fragments=fragments, variable_values=variables))
    assert SCHEMA.query_type is not None
    return {
        cluster: {name for field in selected for name in names(field)}
        for cluster, selected in selected_by_cluster(info, operation.selection_set, SCHEMA.query_type).items()
    }


def names(field: Selected) -> list[str]:
    if "id" in field.arguments:
        return [f"job {field.arguments['id']}"]
    keys = [dataset.key for dataset in field.reads.wanted(VIEW, field.below, field.arguments)]
    return [str(key[0]) if isinstance(key, tuple) else str(key) for key in keys]


def datasets(document: str, **variables: Any) -> set[str]:
    """What is needed of the default cluster, if nothing is needed of another."""
    ((cluster, needed),) = planned(document, **variables).items()
    assert cluster == DEFAULT
    return needed


@pytest.mark.parametrize(
    ("document", "needed"),
    [
        ("{ jobs { totalCount } }", {"jobs"}),
        ("{ jobs { nodes { user } } }", {"jobs"}),
        ("{ jobs { nodes { queue { name } } } }", {"jobs", "queues"}),
        ("{ jobs { nodes { nodes { name queues { name } } } } }", {"jobs", "nodes", "queues"}),
        ("{ queues { nodes { nodes { jobs { user } } } } }", {"queues", "nodes", "jobs"}),
        ("{ queues { nodeCounts { count } } }", {"queues", "nodes"}),
        ('{ node(name: "n") { state } }', {"nodes"}),
        ("{ cluster { slurmVersion } viewer { role } }", {"configuration", "account"}),
        ("{ cluster { jobs { totalCount } } queues { name } }", {"jobs", "queues"}),
    ],
)
def test_every_field_on_the_way_adds_its_dataset(document: str, needed: set[str]) -> None:
    assert datasets(document) == needed


def test_fields_that_read_nothing_fetch_nothing() -> None:
    assert planned("{ __typename __schema { types { name } } clusters { name } cluster { __typename } }") == {}


def test_aliases_are_all_seen() -> None:
    assert datasets("{ a: jobs { totalCount } b: nodes { totalCount } }") == {"jobs", "nodes"}


def test_fragments_are_spread_wherever_they_stand() -> None:
    document = """
      query {
        jobs { ...page } queues { nodes { nodes { ...links } } } ... on Query { cluster { ... { slurmVersion } } }
      }
      fragment page on JobConnection { nodes { nodes { ...links } } }
      fragment links on Node { queues { name } }
    """
    assert datasets(document) == {"jobs", "queues", "nodes", "configuration"}


def test_a_fragment_counts_for_every_cluster_it_is_spread_on() -> None:
    document = """
      { a: cluster(name: "lab") { ...all } b: cluster(name: "annex") { ...all } }
      fragment all on Cluster { jobs { totalCount } }
    """
    assert planned(document) == {"lab": {"jobs"}, "annex": {"jobs"}}


def test_nested_fragments_do_not_multiply_the_work() -> None:
    """2 ** 40 spreads, were each followed."""
    fragments = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}\n" for n in range(40))
    assert datasets("{ ...f0 }\n" + fragments + "fragment f40 on Query { jobs { totalCount } }") == {"jobs"}


@pytest.mark.parametrize(
    ("directive", "variables", "included"),
    [
        ("@skip(if: true)", {}, False),
        ("@skip(if: false)", {}, True),
        ("@include(if: true)", {}, True),
        ("@include(if: false)", {}, False),
        ("@include(if: $yes)", {"yes": True}, True),
        ("@include(if: $yes)", {"yes": False}, False),
        ("@skip(if: $yes) @include(if: true)", {"yes": True}, False),
    ],
)
def test_skipped_fields_are_not_fetched(directive: str, variables: dict[str, bool], included: bool) -> None:
    head = "query ($yes: Boolean!)" if variables else "query"
    for selection in (
        f"{{ queues {{ name nodes {directive} {{ totalCount }} }} }}",
        f"{{ queues {{ name ... {directive} {{ nodes {{ totalCount }} }} }} }}",
        f"{{ queues {{ name ...linked {directive} }} }} fragment linked on Queue {{ nodes {{ totalCount }} }}",
    ):
        assert datasets(f"{head} {selection}", **variables) == ({"queues", "nodes"} if included else {"queues"})


def test_clusters_are_named_by_argument_variable_or_id() -> None:
    document = """query ($other: String, $id: ID!) {
      a: jobs(cluster: "lab") { totalCount }
      b: nodes(cluster: $other) { totalCount }
      c: cluster(name: $other) { queues { name } }
      d: job(id: $id) { state }
      e: queues { name }
    }"""
    assert planned(document, other="annex", id="far:7") == {
        "lab": {"jobs"},
        "annex": {"nodes", "queues"},
        "far": {"job far:7"},
        DEFAULT: {"queues"},
    }


def test_a_cluster_argument_that_is_null_is_the_default() -> None:
    document = "query ($c: String) { jobs(cluster: $c) { totalCount } queues(cluster: null) { name } }"
    assert planned(document, c=None) == planned(document) == {DEFAULT: {"jobs", "queues"}}


def test_fields_below_clusters_are_fetched_from_all_clusters() -> None:
    assert planned("{ clusters { jobs { totalCount } } queues { name } }") == {
        ALL_CLUSTERS: {"jobs"},
        DEFAULT: {"queues"},
    }


@pytest.mark.parametrize("name", ["*", "\0", "all"])
def test_no_name_that_a_caller_can_write_means_all_clusters(name: str) -> None:
    assert planned("query ($c: String) { jobs(cluster: $c) { totalCount } }", c=name) == {name: {"jobs"}}
    assert name != ALL_CLUSTERS


def test_each_job_by_id_is_a_dataset_of_its_own() -> None:
    document = (
        'query ($id: ID!) { a: job(id: 1) { user } b: job(id: "2_3") { nodes { name } } c: job(id: $id) { user } }'
    )
    assert planned(document, id="4") == {DEFAULT: {"job 1", "job 2_3", "job 4", "nodes"}}


def test_jobs_of_a_named_cluster_keep_their_id() -> None:
    document = '{ cluster(name: "lab") { job(id: "lab:1") { user } } }'
    assert planned(document) == {"lab": {"job lab:1"}}


@pytest.mark.parametrize(
    ("id", "cluster"), [("lab:1", "lab"), ("lab:1_2", "lab"), ("1", ""), ("1_2", ""), (":1", ""), ("1:2", ""), ("", "")]
)
def test_an_id_may_begin_with_its_cluster(id: str, cluster: str) -> None:
    assert cluster_in(id) == cluster
