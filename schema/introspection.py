"""A deployment may keep its schema to itself: then nobody is told what types and fields there are."""

import re
from collections.abc import Iterator

from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension


class Introspection(SchemaExtension):
    """Where introspection is switched off, `__schema` and `__type` are refused, and no error suggests a name."""

    def on_operation(self) -> Iterator[None]:
        """Add the rule before the document is validated; take the suggestions from the errors after."""
        context = self.execution_context
        if context.context.introspection:
            yield
            return
        context.validation_rules += (NoSchemaIntrospectionCustomRule,)
        yield
        for error in context.pre_execution_errors or ():
            error.message = re.sub(r" Did you mean .*?\?", "", error.message, flags=re.DOTALL)
