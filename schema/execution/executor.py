"""Where compiled lists join graphql-core's execution."""

from collections.abc import Iterable, Sequence
from typing import Any

import graphql
from graphql import GraphQLOutputType, GraphQLResolveInfo, get_nullable_type, is_object_type
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution.selection import Complete, check_directives, compile_items
from schema.execution.surprise import COMPILED, SurpriseError, tally

TESTED = "3.3.2"
"""The version of graphql-core whose executor this one was compared with; with any other it stands aside."""


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes lists of objects column by column where that gives the same answer, else as graphql-core does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # By identity of the selected nodes, as graphql-core keeps what it collected of them; they are kept, too, so
        # that no other takes their identity.
        self._compiled: dict[tuple[GraphQLOutputType, int], tuple[FieldDetailsList, Complete | str]] = {}

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """The list as the response holds it."""
        if isinstance(items, Sequence) and is_object_type(get_nullable_type(item_type)):
            try:
                made = self._complete(item_type, field_details_list)(items)
            except Exception as error:
                # Whatever it was: graphql-core comes upon it again, and tells of it in its place and order.
                tally[str(error) if isinstance(error, SurpriseError) else type(error).__name__] += 1
            else:
                tally[COMPILED] += 1
                return made
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _complete(self, item_type: GraphQLOutputType, nodes: FieldDetailsList) -> Complete:
        """How to complete such items. Raises SurpriseError if that cannot be compiled."""
        place = (item_type, id(nodes))
        if place not in self._compiled:
            self._compiled[place] = nodes, self._compile(item_type, nodes)
        complete = self._compiled[place][1]
        if isinstance(complete, str):
            raise SurpriseError(complete)
        return complete

    def _compile(self, item_type: GraphQLOutputType, nodes: FieldDetailsList) -> Complete | str:
        try:
            if self.abort_signal is not None or (self.middleware_manager and self.middleware_manager.middlewares):
                raise SurpriseError("middleware")
            check_directives(nodes)
            return compile_items(item_type, nodes, self.collect_subfields)
        except SurpriseError as error:
            return str(error)


def executor_class() -> type[Executor[Any]] | None:
    """The class that executes operations; None (Strawberry's own) if graphql-core is not of the version tested."""
    return CompiledExecutor if graphql.version == TESTED else None
