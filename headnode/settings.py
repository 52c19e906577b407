"""What a deployment configures, read once from the Lambda's environment variables."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,59}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^,]*)?")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_INSTANCE = re.compile(r"(i|mi)-[0-9a-f]{8,17}")


class SettingsError(Exception):
    """A variable of the deployment is wrong; the message names it."""


@dataclass(frozen=True)
class ClusterSettings:
    """One cluster: its name in the API, and where its head node is.

    `instance` is a fixed instance id (`i-...`, or `mi-...` for a hybrid node); without one the head node is the running
    instance tagged `parallelcluster:cluster-name` = `tag` and `parallelcluster:node-type` = `HeadNode`.
    """

    name: str
    tag: str
    instance: str | None = None


@dataclass(frozen=True)
class Settings:
    """The deployment. Times are in seconds; `ttl` 0 keeps no snapshot; `bucket` is where large answers go,
    `table` the DynamoDB table through which sandboxes share snapshots; `script_buckets` are the buckets that scripts
    may come from, each perhaps with a prefix: `bucket/folder`;
    `allowed_origins` are those whose pages may call the API; `trusted_documents` is off, accept, require or
    register;
    `access` is read by access/configuration.py.
    """

    clusters: Mapping[str, ClusterSettings]
    default_cluster: str | None
    document: str
    access: str = ""
    introspection: bool = True
    bucket: str | None = None
    table: str | None = None
    script_buckets: Sequence[str] = ()
    ttl: float = 5.0
    page_limit: int = 1000
    cost_limit: int = 100_000
    depth_limit: int = 15
    allowed_origins: Sequence[str] = ()
    graphiql: bool = True
    trusted_documents: str = "off"
    first_look: float = 0.25
    look_interval: float = 0.2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read SLURMQL_*.

        SLURMQL_CLUSTERS is JSON: `{"lab": {}, "big": {"tag": "big-2026"}, "onsite": {"instance": "mi-0123..."}}`.
        SLURMQL_SCRIPT_BUCKETS is a list, `scripts,team/jobs`; SLURMQL_ACCESS says who is who;
        SLURMQL_INTROSPECTION is `on`, the default, or `off`.
        SLURMQL_DEFAULT_CLUSTER, SLURMQL_DOCUMENT, SLURMQL_BUCKET, SLURMQL_TABLE, SLURMQL_TTL, SLURMQL_PAGE_LIMIT,
        SLURMQL_COST_LIMIT (a full page of jobs with 100 objects each, unless set), SLURMQL_DEPTH_LIMIT,
        SLURMQL_FIRST_LOOK and SLURMQL_LOOK_INTERVAL set the rest, and for the HTTP side SLURMQL_ALLOWED_ORIGINS (a
        list), SLURMQL_GRAPHIQL and SLURMQL_TRUSTED_DOCUMENTS. Raises SettingsError.
        """
        clusters = _clusters(environment.get("SLURMQL_CLUSTERS", ""))
        default = environment.get("SLURMQL_DEFAULT_CLUSTER") or (next(iter(clusters)) if len(clusters) == 1 else None)
        if default is not None and default not in clusters:
            raise SettingsError(f"SLURMQL_DEFAULT_CLUSTER: there is no cluster {default!r} in SLURMQL_CLUSTERS")
        page_limit = int(_number(environment, "SLURMQL_PAGE_LIMIT", cls.page_limit))
        return cls(
            clusters=clusters,
            default_cluster=default,
            document=environment.get("SLURMQL_DOCUMENT", "slurmql"),
            access=environment.get("SLURMQL_ACCESS", ""),
            introspection=_choice(environment, "SLURMQL_INTROSPECTION", "on", "off") == "on",
            bucket=environment.get("SLURMQL_BUCKET") or None,
            table=environment.get("SLURMQL_TABLE") or None,
            script_buckets=_buckets(environment.get("SLURMQL_SCRIPT_BUCKETS", "")),
            ttl=_number(environment, "SLURMQL_TTL", cls.ttl),
            page_limit=page_limit,
            cost_limit=int(_number(environment, "SLURMQL_COST_LIMIT", 100 * page_limit)),
            depth_limit=int(_number(environment, "SLURMQL_DEPTH_LIMIT", cls.depth_limit)),
            allowed_origins=_origins(environment.get("SLURMQL_ALLOWED_ORIGINS", "")),
            graphiql=_choice(environment, "SLURMQL_GRAPHIQL", "on", "off") == "on",
            trusted_documents=_choice(environment, "SLURMQL_TRUSTED_DOCUMENTS", "off", "accept", "require", "register"),
            first_look=_number(environment, "SLURMQL_FIRST_LOOK", cls.first_look),
            look_interval=_number(environment, "SLURMQL_LOOK_INTERVAL", cls.look_interval),
        )


def _clusters(text: str) -> dict[str, ClusterSettings]:
    try:
        described = json.loads(text)
        clusters = {name: _cluster(name, entry) for name, entry in described.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingsError('SLURMQL_CLUSTERS must be JSON such as {"lab": {}}') from error
    if not clusters:
        raise SettingsError("SLURMQL_CLUSTERS names no cluster")
    return clusters


def _cluster(name: str, entry: Mapping[str, str]) -> ClusterSettings:
    if not _NAME.fullmatch(name):
        raise SettingsError(f"SLURMQL_CLUSTERS: {name!r} is not a cluster name (letters, digits and -, at most 60)")
    if unknown := set(entry) - {"tag", "instance"}:
        raise SettingsError(f"SLURMQL_CLUSTERS: {name} has unknown keys {sorted(unknown)}")
    instance = entry.get("instance")
    if instance is not None and not _INSTANCE.fullmatch(str(instance)):
        raise SettingsError(f"SLURMQL_CLUSTERS: {instance!r} of {name} is not an instance id (i-... or mi-...)")
    return ClusterSettings(name=name, tag=entry.get("tag", name), instance=instance)


def _buckets(text: str) -> tuple[str, ...]:
    buckets = tuple(part.strip().removeprefix("s3://").rstrip("/") for part in text.split(",") if part.strip())
    for bucket in buckets:
        if not _BUCKET.fullmatch(bucket):
            raise SettingsError(f"SLURMQL_SCRIPT_BUCKETS: {bucket!r} is neither a bucket nor a bucket with a prefix")
    return buckets


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"SLURMQL_ALLOWED_ORIGINS: {origin!r} is not an origin such as https://dashboard.example.org"
            )
    return origins


def _choice(environment: Mapping[str, str], name: str, *choices: str) -> str:
    """The variable's value; the first choice by default."""
    chosen = environment.get(name) or choices[0]
    if chosen not in choices:
        raise SettingsError(f"{name} must be {' or '.join(choices)}, not {chosen!r}")
    return chosen


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(environment.get(name) or default)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:  # nan compares with nothing
        raise SettingsError(f"{name} must be a number, 0 or more")
    return value
