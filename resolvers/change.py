"""One change: its field in the schema, refusals before anything is sent, and the commands that make it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar, cast

from graphql import get_named_type
from graphql.type import GraphQLObjectType

from headnode.errors import HeadNodeError, OutcomeUnknownError
from headnode.fetch import read_all
from headnode.node import Bundle
from headnode.snapshots import Dataset, Fault, Snapshot
from resolvers import audit, plan
from resolvers.arguments import CLUSTER_NAME, CLUSTER_OF_IDS
from resolvers.cluster import Cluster
from resolvers.context import RequestContext
from resolvers.described import described
from resolvers.errors import BadInputError, ForbiddenError, NotFoundError, unavailable
from slurm.argument import INPUT
from slurm.command import Command, Question, SlurmError
from slurm.errors import ParseError, SeparatorError
from slurm.refusal import InvalidInputError, OutcomeUnknown, Refusal, RefusalCode

T = TypeVar("T")
_CLUSTER = [*INPUT, "cluster"]


@dataclass(kw_only=True)
class ChangeInput:
    """What the input of every change has: the cluster's name."""

    cluster: str | None = described(CLUSTER_NAME)


@dataclass(kw_only=True)
class JobsInput(ChangeInput):
    """What the input of a change of jobs has: a cluster, which the first job id may name."""

    cluster: str | None = described(CLUSTER_OF_IDS)


In = TypeVar("In", bound=ChangeInput)


class Payload(Protocol):
    """The answer to a change: a frozen dataclass whose fields have descriptions. With only `errors` it is a refusal."""

    def __init__(self, *, errors: Sequence[Refusal]) -> None: ...

    @property
    def errors(self) -> Sequence[Refusal]:
        """What was refused."""


P = TypeVar("P", bound=Payload)


class ChangeRefusedError(Exception):
    """The change is refused before anything is sent."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*(refusal.message for refusal in refusals))
        self.refusals = refusals


def refused(code: RefusalCode, message: str, path: Sequence[str] | None) -> ChangeRefusedError:
    """The error for one refusal, with the path of the argument it is about."""
    return ChangeRefusedError(Refusal(code, message, path))


@dataclass(frozen=True)
class ChangeField(Generic[P]):
    """A field of Mutation: its name in Python, the sentence that describes it, its payload, and what makes the change.

    The GraphQL argument `input` is that of `make`.
    """

    name: str
    sentence: str
    payload: type[P]
    make: Callable[..., Awaitable[P]]

    async def answer(self, context: RequestContext, info: plan.ResolveInfo, input: ChangeInput) -> P:
        """Make the change, and record in the request's context what was asked for and what was done."""
        with audit.noted(context, info.field_name, input.cluster, input) as note:
            note.payload = payload = await self._answer(context, info, input)
        return payload

    async def _answer(self, context: RequestContext, info: plan.ResolveInfo, input: ChangeInput) -> P:
        try:
            return await self.make(Change(context, info, input.cluster or _cluster_of_ids(input)), input)
        except (ChangeRefusedError, InvalidInputError) as error:
            return self.payload(errors=error.refusals)


def change_field(payload: type[P], sentence: str) -> Callable[[Callable[[Change, In], Awaitable[P]]], ChangeField[P]]:
    """Turn a function that makes a change into a field of Mutation, with its payload and its description."""

    def declare(make: Callable[[Change, In], Awaitable[P]]) -> ChangeField[P]:
        return ChangeField(make.__name__, sentence, payload, make)

    return declare


def read_or_error(read: Callable[[], T]) -> T:
    """What `read` returns, for a field of a payload that may be null.

    An error in its place fails that field alone, as graphql-core raises it there: the change was made.
    """
    try:
        return read()
    except Exception as error:
        return cast(T, error)


class Change:
    """One change that a request makes: on which cluster, and what its payload selects.

    `view` is a view of the cluster that has read nothing yet; after `send` it has what the payload shows.
    """

    def __init__(self, context: RequestContext, info: plan.ResolveInfo, cluster: str | None) -> None:
        """Raise ChangeRefusedError if there is no such cluster, or if the caller may not make this change."""
        self._context = context
        self._info = info
        try:
            self.view = self._open(cluster)
        except ForbiddenError as error:
            about = _CLUSTER if "argument" in error.extensions else None
            raise refused(RefusalCode.FORBIDDEN, str(error), about) from error
        except NotFoundError as error:
            raise refused(RefusalCode.NOT_FOUND, str(error), _CLUSTER) from error
        except BadInputError as error:
            raise refused(RefusalCode.INVALID_INPUT, str(error), _CLUSTER) from error

    def look(self) -> Cluster:
        """Another view, for reading before the change."""
        return self._open(self.view.name)

    def _open(self, cluster: str | None) -> Cluster:
        return self._context.fresh_view(cluster, ("Mutation", self._info.field_name))

    async def send(
        self, question: Question[T], result: Dataset[Any] | None = None, before: Dataset[Any] | None = None
    ) -> T:
        """Make the change, then read `result` and whatever else the payload selects, into the view's answers.

        `before` is read first, in the same command. Raises RequestError if the change was not made, or if it is unknown
        whether it was.
        """
        return await asyncio.to_thread(self._send, question, result, before)

    def _send(self, question: Question[T], result: Dataset[Any] | None, before: Dataset[Any] | None) -> T:
        view = self.view
        wanted = [dataset for dataset in self.selected(view) if dataset != result]
        first = {dataset: dataset.ask() for dataset in (before,) if dataset and dataset.ask}
        also = {dataset: dataset.ask() for dataset in (result, *wanted) if dataset and dataset.ask}
        steps = [_commands(first.values()), question.commands, _commands(also.values())]
        bundle = Bundle(steps if first else steps[1:], view.request.actor, changes=True)
        start = len(steps[0])
        end = start + len(question.commands)
        as_of = datetime.now(UTC)
        try:
            replies = view.snapshots.node.run(bundle, view.request.deadline, view.request.comment)
            outcome = question.read(replies[start:end])
        except (HeadNodeError, SlurmError) as error:
            raise unavailable(view.name, error) from error
        except OutcomeUnknown as error:
            raise unavailable(view.name, OutcomeUnknownError(str(error))) from error
        except ParseError as error:
            message = f"The cluster's answer to the change cannot be read: {error}."
            raise unavailable(view.name, OutcomeUnknownError(message)) from error
        finally:
            view.snapshots.drop(deadline=view.request.deadline)
        values = [*read_all(first.values(), replies[:start]), *read_all(also.values(), replies[end:])]
        read = dict(zip((*first, *also), values, strict=True))
        view.take({each: value if isinstance(value, Fault) else Snapshot(value, as_of) for each, value in read.items()})
        again = [dataset for dataset in also if isinstance(read[dataset], SeparatorError)]
        view.ask([*again, *(dataset for dataset in wanted if dataset not in also)])
        return outcome

    def selected(self, view: Cluster) -> list[Dataset[Any]]:
        """The datasets that the selection on the payload reads."""
        payload = get_named_type(self._info.return_type)
        selected: list[plan.Selected] = []
        for node in self._info.field_nodes:
            if node.selection_set and isinstance(payload, GraphQLObjectType):
                selected += plan.selected_by_cluster(self._info, node.selection_set, payload, view.name).get(
                    view.name, []
                )
        return plan.datasets_of(view, selected)

    def local(self, name: str) -> str:
        """Slurm's own name of a node, queue or reservation, which may carry the cluster's name as ids do."""
        return name.removeprefix(f"{self.view.name}:")

    def global_id(self, refusal: Refusal) -> Refusal:
        """The refusal, its id unique over all clusters."""
        return replace(refusal, id=f"{self.view.name}:{refusal.id}")


def _cluster_of_ids(input: ChangeInput) -> str:
    """The cluster that the first job id in the input names; "" if none does."""
    jobs = getattr(input, "jobs", input)
    ids = getattr(jobs, "ids", None) or [getattr(input, "id", "")]
    return plan.cluster_in(ids[0])


def _commands(questions: Iterable[Question[Any]]) -> list[Command]:
    return [command for question in questions for command in question.commands]
