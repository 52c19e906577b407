"""What a field reads besides its object, declared where it reads it:

    @property
    @reads(datasets.CONFIGURATION)
    def slurm_version(self) -> str | None: ...

The plan collects this for all fields that an operation selects, before anything is sent, so that one command fetches
everything. A field whose datasets depend on its arguments, or on what is selected below it, declares a function
(`reads_by`). tests/schema/test_schema.py resolves each field with nothing but its own datasets, so that a missing
declaration fails; `python -m schema --check` refuses a declaration that belongs to no field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from inspect import Parameter, getattr_static, signature
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from headnode.snapshots import Dataset
from resolvers import datasets
from resolvers.filters import JobFilter, looks_at_detail
from resolvers.link import Link
from slurm import squeue
from slurm.column import Column, Rows

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

A = ParamSpec("A")
S = TypeVar("S")
T = TypeVar("T")


class JobPart(Enum):
    """What not every dataset of jobs has."""

    DETAIL = "columns that `squeue.jobs_in_brief` leaves out"
    ACCOUNTING = "steps and use, from accounting"
    RUNNING_STEPS = "what the nodes measure while the job runs"
    FILES = "the files of past jobs, which accounting is asked for apart"
    ARRAY = "the tasks of a past job's array"


Parts = frozenset[JobPart]
"""The parts of jobs that are selected below a field, at any depth."""


@dataclass(frozen=True)
class Reads:
    """What a field reads: `always`, and what `by` makes of the cluster, the parts below the field and its arguments.

    `columns` are the columns of its own row that it is computed from, if known. `parts` are the parts of a job.
    """

    always: tuple[Dataset[Any], ...] = ()
    by: Callable[..., Sequence[Dataset[Any]]] | None = None
    columns: tuple[Column[Any], ...] | None = None
    parts: Parts = frozenset()
    defaults: Mapping[str, object] = field(default_factory=dict)

    def wanted(self, cluster: Cluster, below: Parts, arguments: Mapping[str, object]) -> list[Dataset[Any]]:
        """The datasets to fetch. Raises BadInputError for arguments for which nothing must be sent at all."""
        return [*self.always, *(self.by(cluster, below, **{**self.defaults, **arguments}) if self.by else ())]

    @property
    def anything(self) -> bool:
        """Whether there is a dataset to ask for."""
        return bool(self.always) or self.by is not None


_DECLARED: Final = "__reads__"
_declarations: list[Callable[..., Any]] = []


def reads(
    *always: Dataset[Any], columns: Iterable[Column[Any]] | None = None, parts: Iterable[JobPart] = ()
) -> Callable[[Callable[A, T]], Callable[A, T]]:
    """Declare that a field reads these datasets, whatever its arguments are."""
    return _declare(Reads(always, columns=_tuple(columns), parts=frozenset(parts)))


def reads_by(
    by: Callable[Concatenate[Cluster, Parts, A], Sequence[Dataset[Any]]],
    columns: Iterable[Column[Any]] | None = None,
    parts: Iterable[JobPart] = (),
) -> Callable[[Callable[Concatenate[S, A], T]], Callable[Concatenate[S, A], T]]:
    """Declare that a field reads what the function returns, which takes the same arguments as the field."""
    return _declare(Reads(by=by, columns=_tuple(columns), parts=frozenset(parts)))


def _tuple(columns: Iterable[Column[Any]] | None) -> tuple[Column[Any], ...] | None:
    return None if columns is None else tuple(columns)


def _declare(what: Reads) -> Callable[[Callable[A, T]], Callable[A, T]]:
    def declare(function: Callable[A, T]) -> Callable[A, T]:
        given = signature(function).parameters.values()
        defaults = {each.name: each.default for each in given if each.default is not Parameter.empty}
        setattr(function, _DECLARED, replace(what, defaults=defaults))
        _declarations.append(function)
        return function

    return declare


def declarations() -> Sequence[Callable[..., Any]]:
    """Every function that declares what it reads."""
    return _declarations


def function_behind(owner: type, name: str) -> Any:
    """The function behind an attribute: of a method, a property or a link. Anything else is returned as it is."""
    found = getattr_static(owner, name, None)
    if isinstance(found, property):
        return found.fget
    if isinstance(found, cached_property):
        return found.func
    return found.follow if isinstance(found, Link) else found


def reads_of(owner: type, name: str) -> Reads:
    """What an attribute of a class reads. An attribute of jobs that declares no columns reads all columns."""
    return _of_jobs(owner, name) if issubclass(owner, squeue.Job) else reads_of_function(function_behind(owner, name))


def reads_of_function(function: Any) -> Reads:
    """What a function declares that it reads: nothing if it has no declaration."""
    found = getattr(function, _DECLARED, None)
    return found if isinstance(found, Reads) else Reads()


def _of_jobs(owner: type[squeue.Job], name: str) -> Reads:
    found, known = getattr_static(owner, name, None), reads_of_function(function_behind(owner, name))
    columns = known.columns
    if isinstance(found, Column):
        columns = (found,)
    elif isinstance(found, Link):
        columns = found.columns
    elif isinstance(found, MemberDescriptorType):
        columns = ()
    return known if columns is not None and all(map(squeue.in_brief, columns)) else _in_detail(known)


def _in_detail(known: Reads) -> Reads:
    return replace(known, parts=known.parts | {JobPart.DETAIL})


def all_jobs(below: Parts, where: JobFilter | None = None) -> Dataset[Rows[squeue.Job]]:
    """All jobs; in brief, if that has everything that is selected of them and that the filter looks at."""
    in_full = JobPart.DETAIL in below or looks_at_detail(where)
    return datasets.JOBS if in_full else datasets.JOBS_IN_BRIEF


def related_jobs(cluster: Cluster, below: Parts) -> list[Dataset[Any]]:
    """All jobs: those of a node, an array or a heterogeneous job are found among them."""
    return [all_jobs(below)]
