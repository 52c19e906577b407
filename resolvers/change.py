"""One change: what is refused before anything is sent, and the commands that make it and read the result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from graphql import get_named_type
from graphql.type import GraphQLObjectType

from headnode.errors import HeadNodeError, OutcomeUnknownError
from headnode.fetch import read_all
from headnode.node import Bundle
from headnode.snapshots import Dataset, Fault, Snapshot
from resolvers import plan
from resolvers.cluster import Cluster
from resolvers.errors import BadInputError, ForbiddenError, NotFoundError, unavailable
from resolvers.graph import Graph
from slurm.command import Command, Question, SlurmError
from slurm.errors import ParseError
from slurm.refusal import OutcomeUnknown, Refusal, RefusalCode

T = TypeVar("T")


class RefusedError(Exception):
    """The change is refused before anything is sent."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*(refusal.message for refusal in refusals))
        self.refusals = refusals


def view(graph: Graph, info: plan.ResolveInfo, cluster: str | None) -> Cluster:
    """The cluster to change, with nothing read yet.

    Raises RefusedError if there is no such cluster, or if the caller may not make the change that `info` is about.
    """
    try:
        return graph.fresh_view(cluster, ("Mutation", info.field_name))
    except ForbiddenError as error:
        about = ["cluster"] if "argument" in error.extensions else None
        raise RefusedError(Refusal(RefusalCode.FORBIDDEN, str(error), about)) from error
    except NotFoundError as error:
        raise RefusedError(Refusal(RefusalCode.NOT_FOUND, str(error), ["cluster"])) from error
    except BadInputError as error:
        raise RefusedError(Refusal(RefusalCode.INVALID_INPUT, str(error), ["cluster"])) from error


def make(
    graph: Graph, info: plan.ResolveInfo, view: Cluster, change: Question[T], result: Dataset[Any] | None = None
) -> T:
    """Make the change, then read `result` and whatever else the payload's selection needs, into the view's answers.

    Raises RequestError if the change was not made, or if it is unknown whether it was.
    """
    wanted = [dataset for dataset in payload_datasets(graph, info, view) if dataset != result]
    also = {dataset: dataset.ask() for dataset in (result, *wanted) if dataset and dataset.ask}
    bundle = Bundle(
        steps=[change.commands, _commands(also.values())],
        actor=view.request.actor,
        changes=True,
    )
    as_of = datetime.now(UTC)
    try:
        replies = view.snapshots.node.run(bundle, view.request.deadline, view.request.comment)
        outcome = change.read(replies[: len(change.commands)])
    except (HeadNodeError, SlurmError) as error:
        raise unavailable(view.name, error) from error
    except OutcomeUnknown as error:
        raise unavailable(view.name, OutcomeUnknownError(str(error))) from error
    except ParseError as error:
        message = f"The cluster's answer to the change cannot be read: {error}."
        raise unavailable(view.name, OutcomeUnknownError(message)) from error
    finally:
        view.snapshots.drop()
    values = read_all(also.values(), replies[len(change.commands) :])
    answers = (value if isinstance(value, Fault) else Snapshot(value, as_of) for value in values)
    view.take(dict(zip(also, answers, strict=True)))
    view.ask([dataset for dataset in wanted if dataset not in also])
    return outcome


def payload_datasets(graph: Graph, info: plan.ResolveInfo, view: Cluster) -> list[Dataset[Any]]:
    """What the selection on the change's payload needs."""
    payload = get_named_type(info.return_type)
    selected: list[plan.Selected] = []
    for node in info.field_nodes:
        if node.selection_set and isinstance(payload, GraphQLObjectType):
            selected += plan.plan(info, node.selection_set, payload, view.name).get(view.name, [])
    return graph.wanted(view, selected)


def with_cluster(refusal: Refusal, view: Cluster) -> Refusal:
    """The refusal, its id unique over all clusters."""
    return replace(refusal, id=f"{view.name}:{refusal.id}")


def _commands(questions: Iterable[Question[Any]]) -> list[Command]:
    return [command for question in questions for command in question.commands]
