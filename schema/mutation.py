"""The mutations: a field for each change in resolvers/ that the table of rights lists, in the order of that table."""

from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

import schema.cluster  # noqa: F401 - what payloads hold must be GraphQL types first
from access.permissions import RIGHTS
from resolvers import administration, job_changes, submission
from resolvers.change import ChangeField, ChangeInput
from schema.info import INFO, Info, resolve_info
from schema.types_from_tables import enum, input_of, made_from, named_type, with_signature
from slurm.refusal import Refusal, RefusalCode

CHANGES = {
    to_camel_case(each.name): each for each in (*submission.CHANGES, *job_changes.CHANGES, *administration.CHANGES)
}
"""The changes by the names of their fields."""

enum(RefusalCode, name="UserErrorCode")


@made_from(Refusal)
class UserError:
    """What the scheduler or a rule refused. Faults of the service are top-level errors with `extensions.code`."""

    code: RefusalCode = strawberry.field(description="The kind of refusal.")
    message: str = strawberry.field(description="What is wrong or what to do, or the scheduler's own words.")
    field: list[str] | None = strawberry.field(
        description="The path of the input that is wrong, as `input`, `script`, `text`; null if it is about no input."
    )
    id: strawberry.ID | None = strawberry.field(
        name="targetId",  # no id of its own: a cache would take two errors about one job for one
        description="The job, node, queue or reservation that it is about, if any.",
    )


def _field(name: str, change: ChangeField[Any]) -> object:
    """The field that makes the change: `name(input: NameInput!): NamePayload!`."""

    async def resolve(self: object, info: Info, input: ChangeInput) -> object:
        return await change.answer(info.context, resolve_info(info), input)

    title = f"{name[0].upper()}{name[1:]}"
    return strawberry.mutation(
        resolver=with_signature(resolve, [INFO, input_of(change.make, f"{title}Input")]),
        graphql_type=named_type(change.payload, f"{title}Payload"),
        description=change.sentence,
    )


Mutation = strawberry.type(
    type(
        "Mutation",
        (),
        {CHANGES[name].name: _field(name, CHANGES[name]) for kind, name in RIGHTS if kind == "Mutation"},
    ),
    description="Changes. They are made as the caller's own account on the cluster; those for operators, as Slurm's "
    "administrator.",
)
