"""A deployment may hide its schema: then no answer lists its types and fields."""

import re
from collections.abc import Iterator

from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension


class Introspection(SchemaExtension):
    """If introspection is switched off, refuses `__schema` and `__type`, and removes names that errors suggest."""

    def on_operation(self) -> Iterator[None]:
        """Add the rule before the document is validated, and remove the suggestions from the errors afterwards."""
        context = self.execution_context
        if context.context.introspection:
            yield
            return
        context.validation_rules += (NoSchemaIntrospectionCustomRule,)
        yield
        for error in context.pre_execution_errors or ():
            error.message = re.sub(r" Did you mean .*?\?", "", error.message, flags=re.DOTALL)
