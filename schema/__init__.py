"""The contract: types, inputs, enums and scalars. No I/O. `make schema` exports it to schema.graphql."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.errors import ErrorCodes
from schema.mutation import Mutation
from schema.query import Query

schema = strawberry.Schema(
    query=Query, mutation=Mutation, extensions=[ErrorCodes], config=StrawberryConfig(sort_schema=False)
)
