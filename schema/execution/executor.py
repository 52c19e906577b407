"""How compiled lists are attached to graphql-core's execution."""

from collections.abc import Iterable, Sequence
from typing import Any

import graphql
from graphql import FieldNode, GraphQLOutputType, get_nullable_type, is_object_type
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList

from resolvers.budget import StoppedError
from schema.execution.counted import Counted
from schema.execution.counting import CountingExecutor
from schema.execution.recent import Recent
from schema.execution.selection import Complete, check_directives, compile_items
from schema.execution.surprise import COMPILED, SurpriseError, tally

TESTED = "3.3.2"
"""The version of graphql-core that this executor is tested with. With any other, nothing is compiled."""

_Plan = tuple[list[FieldNode], Complete | str]
"""The nodes, kept so that no others get their identity; and how they are completed, or why they are not compiled."""
_plans: Recent[_Plan] = Recent(256)
"""Each document is parsed once (schema/documents.py), so its nodes are the same objects in each request."""


class CompiledExecutor(CountingExecutor):
    """Completes lists of objects column by column if the answer is the same, otherwise as graphql-core does."""

    def complete_at_once(
        self, item_type: GraphQLOutputType, field_details_list: FieldDetailsList, items: Iterable[object]
    ) -> Any:
        """The list as the response holds it, column by column; None if graphql-core must complete each item."""
        if isinstance(items, Sequence) and is_object_type(get_nullable_type(item_type)):
            objects, values = self.budget.objects, self.budget.values
            try:
                made = self._complete(item_type, field_details_list)(items, Counted(self.budget))
            except StoppedError:
                raise
            except Exception as error:
                # graphql-core meets the same error again, and reports it with the right path and order.
                self.budget.objects, self.budget.values = objects, values
                tally[str(error) if isinstance(error, SurpriseError) else type(error).__name__] += 1
            else:
                tally[COMPILED] += 1
                return made
        return None

    def _complete(self, item_type: GraphQLOutputType, nodes: FieldDetailsList) -> Complete:
        """How to complete such items. Raises SurpriseError if that cannot be compiled."""
        if self.abort_signal is not None or (self.middleware_manager and self.middleware_manager.middlewares):
            raise SurpriseError("middleware")
        # The nodes and the boolean variables, which @skip and @include use, decide what is selected.
        flags = ((name, value) for name, value in self.variable_values.coerced.items() if isinstance(value, bool))
        place = (item_type, tuple(id(details.node) for details in nodes), tuple(flags))
        kept = _plans.get(place)
        if kept is None:
            kept = [details.node for details in nodes], self._compile(item_type, nodes)
            _plans.keep(place, kept)
        if isinstance(kept[1], str):
            raise SurpriseError(kept[1])
        return kept[1]

    def _compile(self, item_type: GraphQLOutputType, nodes: FieldDetailsList) -> Complete | str:
        try:
            check_directives(nodes)
            return compile_items(item_type, nodes, self.collect_subfields)
        except SurpriseError as error:
            return str(error)


def executor_class() -> type[Executor[Any]]:
    """The class that executes operations; if graphql-core is not of the tested version, it compiles nothing."""
    return CompiledExecutor if graphql.version == TESTED else CountingExecutor
