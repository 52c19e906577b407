"""Strawberry's account of the field that is being resolved, and graphql-core's behind it."""

from inspect import Parameter
from typing import Final

import strawberry

from resolvers.arguments import ClusterName
from resolvers.context import RequestContext
from resolvers.plan import ResolveInfo
from schema.types_from_tables import graphql_argument

Info = strawberry.Info[RequestContext, None]

INFO: Final = Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
CLUSTER: Final = Parameter(
    "cluster", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=graphql_argument(ClusterName)
)
"""The parameters of every field at the root, which its resolver in resolvers/ does not take."""


def resolve_info(info: Info) -> ResolveInfo:
    """graphql-core's own: Strawberry's hides the fragments, which the plan needs."""
    return info._raw_info
