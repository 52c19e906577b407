"""A deployment's variables, and the errors for wrong ones."""

import pytest

from headnode.settings import ClusterSettings, Settings, SettingsError


def test_one_cluster_needs_only_its_name_and_is_the_default() -> None:
    settings = Settings.from_environment({"SLURMQL_CLUSTERS": '{"lab": {}}'})
    assert settings.clusters == {"lab": ClusterSettings("lab", tag="lab", instance=None)}
    assert settings.default_cluster == "lab"
    assert (settings.document, settings.bucket, settings.ttl, settings.page_limit) == ("slurmql", None, 5.0, 1000)
    assert (settings.first_look, settings.look_interval) == (0.25, 0.2)


def test_several_clusters_have_no_default_unless_one_is_named() -> None:
    clusters = {"SLURMQL_CLUSTERS": '{"lab": {}, "annex": {"tag": "annex-2026"}}'}
    assert Settings.from_environment(clusters).default_cluster is None
    named = Settings.from_environment({**clusters, "SLURMQL_DEFAULT_CLUSTER": "annex"})
    assert named.default_cluster == "annex"
    assert named.clusters["annex"].tag == "annex-2026"


def test_a_cluster_may_have_a_fixed_instance_of_ec2_or_hybrid() -> None:
    text = '{"a": {"instance": "i-0123456789abcdef0"}, "b": {"instance": "mi-0123456789abcdef0"}}'
    clusters = Settings.from_environment({"SLURMQL_CLUSTERS": text}).clusters
    assert [cluster.instance for cluster in clusters.values()] == ["i-0123456789abcdef0", "mi-0123456789abcdef0"]


def test_scripts_come_from_nowhere_unless_places_are_named() -> None:
    clusters = {"SLURMQL_CLUSTERS": '{"lab": {}}'}
    assert Settings.from_environment(clusters).script_buckets == ()
    named = Settings.from_environment({**clusters, "SLURMQL_SCRIPT_BUCKETS": "scripts, s3://team/jobs/ ,"})
    assert named.script_buckets == ("scripts", "team/jobs")


def test_every_number_can_be_set_and_zero_means_zero() -> None:
    settings = Settings.from_environment({
        "SLURMQL_CLUSTERS": '{"lab": {}}',
        "SLURMQL_DOCUMENT": "slurmql-prod",
        "SLURMQL_BUCKET": "answers",
        "SLURMQL_TTL": "0",
        "SLURMQL_PAGE_LIMIT": "50000",
        "SLURMQL_FIRST_LOOK": "0.5",
        "SLURMQL_LOOK_INTERVAL": "0.1",
    })  # fmt: skip
    assert (settings.document, settings.bucket, settings.ttl, settings.page_limit) == (
        "slurmql-prod",
        "answers",
        0.0,
        50_000,
    )
    assert (settings.first_look, settings.look_interval) == (0.5, 0.1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SLURMQL_CLUSTERS", "", 'SLURMQL_CLUSTERS must be JSON such as {"lab": {}}'),
        ("SLURMQL_CLUSTERS", "lab", 'SLURMQL_CLUSTERS must be JSON such as {"lab": {}}'),
        ("SLURMQL_CLUSTERS", '["lab"]', 'SLURMQL_CLUSTERS must be JSON such as {"lab": {}}'),
        ("SLURMQL_CLUSTERS", '{"lab": null}', 'SLURMQL_CLUSTERS must be JSON such as {"lab": {}}'),
        ("SLURMQL_CLUSTERS", '{"lab": "i-0123456789abcdef0"}', "lab"),
        ("SLURMQL_CLUSTERS", "{}", "SLURMQL_CLUSTERS names no cluster"),
        ("SLURMQL_CLUSTERS", '{"2lab": {}}', "'2lab' is not a cluster name"),
        ("SLURMQL_CLUSTERS", '{"lab:1": {}}', "'lab:1' is not a cluster name"),
        ("SLURMQL_CLUSTERS", '{"lab": {"tags": "x"}}', "lab has unknown keys ['tags']"),
        ("SLURMQL_CLUSTERS", '{"lab": {"instance": "lab"}}', "'lab' of lab is not an instance id"),
        ("SLURMQL_CLUSTERS", '{"lab": {"instance": 7}}', "7 of lab is not an instance id"),
        ("SLURMQL_DEFAULT_CLUSTER", "annex", "there is no cluster 'annex' in SLURMQL_CLUSTERS"),
        ("SLURMQL_SCRIPT_BUCKETS", "Bucket", "SLURMQL_SCRIPT_BUCKETS: 'Bucket' is neither a bucket"),
        ("SLURMQL_SCRIPT_BUCKETS", "scripts,*", "SLURMQL_SCRIPT_BUCKETS: '*' is neither a bucket"),
        ("SLURMQL_TTL", "-1", "SLURMQL_TTL must be a number, 0 or more"),
        ("SLURMQL_TTL", "five", "SLURMQL_TTL must be a number, 0 or more"),
        ("SLURMQL_TTL", "nan", "SLURMQL_TTL must be a number, 0 or more"),
        ("SLURMQL_INTROSPECTION", "yes", "SLURMQL_INTROSPECTION must be on or off"),
        ("SLURMQL_PAGE_LIMIT", "inf", "SLURMQL_PAGE_LIMIT must be a number, 0 or more"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"SLURMQL_CLUSTERS": '{"lab": {}}', name: value})
    assert told in str(caught.value)


def test_the_limits_go_with_the_page_unless_they_are_set() -> None:
    assert (settings().cost_limit, settings().depth_limit) == (100_000, 15)
    assert settings(SLURMQL_PAGE_LIMIT="5000").cost_limit == 500_000
    chosen = settings(SLURMQL_PAGE_LIMIT="5000", SLURMQL_COST_LIMIT="7", SLURMQL_DEPTH_LIMIT="3")
    assert (chosen.cost_limit, chosen.depth_limit) == (7, 3)


def test_origins_are_a_list() -> None:
    assert settings().allowed_origins == ()
    origins = settings(SLURMQL_ALLOWED_ORIGINS=" https://a.example.org ,http://localhost:3000,").allowed_origins
    assert origins == ("https://a.example.org", "http://localhost:3000")
    assert settings(SLURMQL_ALLOWED_ORIGINS="*").allowed_origins == ("*",)


@pytest.mark.parametrize(
    "origins", ["a.example.org", "https://a.example.org/", "https://*.example.org", "null", "https://a b", "HTTPS://A"]
)
def test_an_invalid_origin_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError, match="SLURMQL_ALLOWED_ORIGINS"):
        settings(SLURMQL_ALLOWED_ORIGINS=origins)


def test_switches_accept_only_their_values() -> None:
    assert (settings().graphiql, settings().trusted_documents) == (True, "off")
    assert not settings(SLURMQL_GRAPHIQL="off").graphiql
    assert settings().introspection
    assert not settings(SLURMQL_INTROSPECTION="off").introspection
    assert settings(SLURMQL_TRUSTED_DOCUMENTS="require").trusted_documents == "require"
    for name in ("SLURMQL_GRAPHIQL", "SLURMQL_TRUSTED_DOCUMENTS", "SLURMQL_INTROSPECTION"):
        with pytest.raises(SettingsError, match=name):
            settings(**{name: "perhaps"})


def settings(**variables: str) -> Settings:
    return Settings.from_environment({"SLURMQL_CLUSTERS": '{"lab": {}}', **variables})
