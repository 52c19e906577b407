"""graphql-core's execution, which counts the objects of the response and stops where they are too many."""

from collections.abc import Iterable, Sized
from inspect import iscoroutine
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationType,
    get_nullable_type,
    is_leaf_type,
    located_error,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.budget import PAGE, Budget, StoppedError
from resolvers.pages import Connection

INTROSPECTION: Final = 20_000
"""How many objects the answers of `__schema` and `__type` may have; GraphiQL's first query gets 3,000."""
FIELD: Final = 5
"""How many values a field counts as here: to execute it alone takes longer than as part of a column."""
AWAITED: Final = 5
"""How many objects a field that is awaited counts as, because it takes a task; and an error."""
_SELECT_LESS: Final = "Select less of __schema and __type."


class CountingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Stops if the response has more than its limit, or is not made in time: `data` is null, with one error.

    The context has `limits` and `deadline`; without them nothing stops. An answer to a mutation is made however long it
    takes, because it says what was done.
    """

    def __init__(self, *args: Any, **custom: Any) -> None:
        super().__init__(*args, **custom)
        limits, deadline = getattr(self.context_value, "limits", None), getattr(self.context_value, "deadline", None)
        self._changes = self.operation.operation is OperationType.MUTATION
        deadline = deadline.answering if deadline and not self._changes else None
        self.budget = Budget(limits.cost, deadline) if limits else Budget()
        self._of_introspection = Budget(INTROSPECTION if limits else float("inf"), deadline, _SELECT_LESS)
        self._stopped: GraphQLError | None = None

    def execute_collected_subfields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path,
        grouped_field_set: GroupedFieldSet,
        *others: Any,
    ) -> Any:
        """One object of the response."""
        budget = self._of_introspection if parent_type.name.startswith("__") else self.budget
        budget.add(PAGE if isinstance(source_value, Connection) else 1, FIELD * len(grouped_field_set))
        return super().execute_collected_subfields(parent_type, source_value, path, grouped_field_set, *others)

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[object],
        position_context: Any,
    ) -> Any:
        """The list as the response holds it."""
        made = self.complete_at_once(item_type, field_details_list, items)
        if made is not None:
            return made
        if isinstance(items, Sized) and is_leaf_type(get_nullable_type(item_type)):
            self.budget.add(0, len(items))
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def complete_at_once(
        self, item_type: GraphQLOutputType, field_details_list: FieldDetailsList, items: Iterable[object]
    ) -> Any:
        """The list as the response holds it, if all items can be completed at once; None for item by item."""
        return None

    def complete_awaitable_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """The value of a field that is awaited."""
        try:
            self.budget.add(AWAITED)
        except StoppedError:
            if iscoroutine(result):
                result.close()
            raise
        return super().complete_awaitable_value(return_type, field_details_list, info, path, result, position_context)

    def handle_field_error(
        self, raw_error: Exception, return_type: GraphQLOutputType, field_details_list: FieldDetailsList, path: Path
    ) -> None:
        """Null the field and go on, unless the execution must stop: then no field up to the root catches the error."""
        if self._stopped is None and not isinstance(raw_error, StoppedError):
            super().handle_field_error(raw_error, return_type, field_details_list, path)
            try:
                self.budget.add(AWAITED)
            except StoppedError as stopped:
                raw_error = stopped
            else:
                return
        if isinstance(raw_error, StoppedError):
            nodes: list[FieldNode] = [details.node for details in field_details_list]
            error = located_error(raw_error, nodes, path.as_list())
            if self._changes:
                done = path.as_list()[0]
                error.message += f" {done} and what comes before it was executed, what comes after it was not."
            self._stopped = self._stopped or error
        if self._stopped is not None:
            raise self._stopped

    def build_response(self, data: dict[str, Any] | None) -> Any:
        """The response; if the execution was stopped, nothing but the error."""
        if self._stopped is None:
            return super().build_response(data)
        self.collected_errors = CollectedErrors()
        self.collected_errors.add(self._stopped, None)
        return super().build_response(None)
