"""The info object of the field that is being resolved: Strawberry's, and graphql-core's inside it."""

from collections.abc import Collection
from inspect import Parameter
from typing import Final

import strawberry

from resolvers.arguments import ClusterInName, ClusterName, ClusterOfIds
from resolvers.context import RequestContext
from resolvers.plan import ResolveInfo
from schema.types_from_tables import graphql_argument

Info = strawberry.Info[RequestContext, None]

INFO: Final = Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
"""A parameter of the fields at the root; the resolvers' own methods do not take it."""


def cluster_parameter(others: Collection[str] = (), name: str = "cluster") -> Parameter:
    """The parameter that names the cluster, described by what else of the field's arguments may name it."""
    about = ClusterOfIds if {"id", "ids"} & set(others) else ClusterInName if "name" in others else ClusterName
    annotation = graphql_argument(about)
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=strawberry.UNSET, annotation=annotation)


def resolve_info(info: Info) -> ResolveInfo:
    """graphql-core's info object, which has the fragments that the plan needs."""
    return info._raw_info
