"""One change: what is refused before anything is sent, and the errand that makes it and reads what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from graphql import get_named_type
from graphql.type import GraphQLObjectType

from headnode.asking import read_all
from headnode.errors import HeadNodeError, OutcomeUnknownError
from headnode.node import Errand
from headnode.snapshots import Dataset, Fault, Snapshot
from resolvers import plan
from resolvers.cluster import Cluster
from resolvers.context import RequestContext
from resolvers.errors import BadInputError, ForbiddenError, NotFoundError, unavailable
from slurm.command import Command, Question, SlurmError
from slurm.errors import ParseError
from slurm.refusal import OutcomeUnknown, Refusal, RefusalCode

T = TypeVar("T")


class ChangeRefusedError(Exception):
    """The change is refused before anything is sent."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*(refusal.message for refusal in refusals))
        self.refusals = refusals


def view(graph: RequestContext, info: plan.ResolveInfo, cluster: str | None) -> Cluster:
    """The cluster to change, with nothing read yet.

    Raises ChangeRefusedError if there is no such cluster, or if the caller may not make this change.
    """
    try:
        return graph.fresh_view(cluster, ("Mutation", info.field_name))
    except ForbiddenError as error:
        about = ["cluster"] if "argument" in error.extensions else None
        raise ChangeRefusedError(Refusal(RefusalCode.FORBIDDEN, str(error), about)) from error
    except NotFoundError as error:
        raise ChangeRefusedError(Refusal(RefusalCode.NOT_FOUND, str(error), ["cluster"])) from error
    except BadInputError as error:
        raise ChangeRefusedError(Refusal(RefusalCode.INVALID_INPUT, str(error), ["cluster"])) from error


def make(
    graph: RequestContext,
    info: plan.ResolveInfo,
    view: Cluster,
    change: Question[T],
    result: Dataset[Any] | None = None,
) -> T:
    """Make the change, then read `result` and whatever else the payload's selection needs, into the view's answers.

    Raises RequestError if the change was not made, or if it is unknown whether it was.
    """
    wanted = [dataset for dataset in payload_datasets(graph, info, view) if dataset != result]
    also = {dataset: dataset.ask() for dataset in (result, *wanted) if dataset and dataset.ask}
    errand = Errand(
        steps=[change.commands, _commands(also.values())],
        actor=view.request.actor,
        changes=True,
    )
    as_of = datetime.now(UTC)
    try:
        replies = view.snapshots.node.run(errand, view.request.deadline, view.request.comment)
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


def payload_datasets(graph: RequestContext, info: plan.ResolveInfo, view: Cluster) -> list[Dataset[Any]]:
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
