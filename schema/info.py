"""The info object of the field that is being resolved: Strawberry's, and graphql-core's inside it."""

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
    "cluster", Parameter.POSITIONAL_OR_KEYWORD, default=strawberry.UNSET, annotation=graphql_argument(ClusterName)
)
"""Parameters of the fields at the root; the resolvers' own methods do not take them."""


def resolve_info(info: Info) -> ResolveInfo:
    """graphql-core's info object, which has the fragments that the plan needs."""
    return info._raw_info
