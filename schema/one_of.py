"""What a caller reads who gives an input type marked @oneOf no field, several fields or a null."""

import re

from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.exceptions import StrawberryInputCoercionError

_TYPE = re.compile(r"(?:OneOf Input Object|Field) '(\w+)")


def explained(error: StrawberryInputCoercionError, schema: GraphQLSchema) -> str:
    """Strawberry's message, or, where it names the type, a sentence that names the fields to choose from."""
    found = _TYPE.search(error.message)
    kind = schema.get_type(found[1]) if found else None
    if not isinstance(kind, GraphQLInputObjectType):
        return f"{error.message}. Give exactly one field of its input, and not null."
    *others, last = kind.fields
    return (
        f"{kind.name} takes exactly one of {', '.join(others)} and {last}, and not null. If a variable has the value, "
        "declare it with ! after its type."
    )
