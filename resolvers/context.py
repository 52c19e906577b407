"""One request: its caller, its deadline, and its views of the clusters."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from functools import cached_property
from typing import Self

from access.caller import Caller, SignedIn
from access.permissions import Place, why_not
from headnode import sent_commands
from headnode.deadline import Deadline
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from resolvers import plan, unreadable
from resolvers.audit import ChangeRecord, OperationSummary
from resolvers.cluster import Cluster
from resolvers.cluster_request import ClusterRequest
from resolvers.errors import BadInputError, ForbiddenError, NotFoundError, UnauthenticatedError, UnreadableError
from resolvers.limits import Limits


class RequestContext:
    """One request: its caller, its deadline, and its views of the clusters.

    A context manager: leaving it closes every view. graphql-core's executor refers to this object and to itself, so
    both stay until Python's garbage collector runs, which may be never; the rows of the answers must not stay as long.
    """

    def __init__(
        self,
        clusters: Mapping[str, Snapshots],
        settings: Settings,
        signed_in: SignedIn | None,
        deadline: Deadline,
        request_id: str,
    ) -> None:
        self.request_id = request_id
        self.limits = Limits(settings.cost_limit, settings.depth_limit)
        self.introspection = settings.introspection
        self._signed_in = signed_in
        self.deadline = deadline
        self._comment = f"slurmql {request_id}"
        self._page_limit = settings.page_limit
        self._clusters = clusters
        self._default = settings.default_cluster
        self._views: dict[str, Cluster] = {}
        self._opened: list[Cluster] = []
        """All views that this request made, to close them."""
        self._fetched: asyncio.Task[None] | None = None
        self.operation: OperationSummary | None = None
        """A summary of the operation, once the document is parsed."""
        self.changes: list[ChangeRecord] = []
        self.commands = sent_commands.collect()
        """The ids of the SSM commands that this request sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for view in self._opened:
            view.close()

    @property
    def signed_in(self) -> SignedIn:
        """The caller. Raises UnauthenticatedError if the gateway vouches for nobody."""
        if self._signed_in is None:
            raise UnauthenticatedError("Sign in: the request carries no identity that the gateway vouches for.")
        return self._signed_in

    @property
    def identity(self) -> str | None:
        """The caller's name, for the log; None if the gateway vouches for nobody."""
        return self._signed_in.identity.name if self._signed_in else None

    @property
    def standing(self) -> list[dict[str, str | None]]:
        """The caller's account and role on each cluster of this request, for the log."""
        callers = {name: view.request.caller for name, view in self._views.items()}
        return [
            {"name": name, "user": caller.cluster_user, "role": caller.role.name if caller.role else None}
            for name, caller in callers.items()
        ]

    @property
    def as_of(self) -> datetime | None:
        """When the oldest data in the answer was fetched; None if it uses none."""
        return min((view.as_of for view in self._views.values() if view.as_of), default=None)

    @property
    def unreadable(self) -> list[UnreadableError]:
        """Errors for the parts of this request's answers that cannot be read."""
        errors = (error for view in self._opened for error in unreadable.errors(view.name, view.answers))
        return list({str(error): error for error in errors}.values())

    @property
    def cluster_names(self) -> list[str]:
        """The clusters that the caller has access to. Raises UnauthenticatedError; ForbiddenError if there is none."""
        names = [name for name, caller in self._callers.items() if caller]
        if not names:
            raise ForbiddenError(f"{self.signed_in.identity.name} has no access to any cluster. Ask the administrator.")
        return names

    @cached_property
    def _callers(self) -> Mapping[str, Caller | None]:
        """The caller on each cluster."""
        return {name: self.signed_in.on(name) for name in self._clusters}

    def cluster(self, name: str | None) -> Cluster:
        """The view of the named cluster, or of the default one.

        Raises NotFoundError, BadInputError, UnauthenticatedError, and ForbiddenError if the caller has no access to it.
        """
        names = self.cluster_names
        chosen = name or self._default
        if chosen is None:
            raise BadInputError(f"Name a cluster: {', '.join(names)}.", argument="cluster")
        if chosen not in self._clusters:
            raise NotFoundError(
                f"There is no cluster {chosen[:60]!r}. Your clusters: {', '.join(names)}.", argument="cluster"
            )
        if chosen not in self._views:
            caller = self._callers[chosen]
            if caller is None:
                who = self.signed_in.identity.name
                raise ForbiddenError(
                    f"{who} has no access to the cluster {chosen}. Your clusters: {', '.join(names)}.",
                    argument="cluster",
                )
            request = ClusterRequest(self.deadline, self._comment, self._page_limit, caller)
            self._views[chosen] = self._open(chosen, self._clusters[chosen], request)
        return self._views[chosen]

    def permitted(self, name: str | None, place: Place) -> Cluster:
        """The view of the cluster, if the caller may use that field on it. Raises as `cluster`, and ForbiddenError."""
        view = self.cluster(name)
        if refusal := why_not(view.request.caller, place):
            raise ForbiddenError(refusal)
        return view

    def fresh_view(self, name: str | None, place: Place) -> Cluster:
        """As `permitted`, but a new view that has read nothing: a change answers from it."""
        known = self.permitted(name, place)
        return self._open(known.name, known.snapshots, known.request)

    def _open(self, name: str, snapshots: Snapshots, request: ClusterRequest) -> Cluster:
        view = Cluster(name, snapshots, request)
        self._opened.append(view)
        return view

    async def fetch(self, info: plan.ResolveInfo) -> None:
        """Fetch everything that the operation reads. The first root field starts it; the others wait for it."""
        if self._fetched is None:
            self._fetched = asyncio.ensure_future(self._fetch(info))
        await self._fetched

    async def _fetch(self, info: plan.ResolveInfo) -> None:
        asked = [(view, plan.datasets_of(view, selected)) for view, selected in self._selected(info)]
        asked = [(view, datasets) for view, datasets in asked if datasets]
        if all(view.in_memory(datasets) for view, datasets in asked):
            for view, datasets in asked:  # a thread would cost more than the answer
                view.ask(datasets)
        else:
            loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor(len(asked))
            # Each thread gets a copy of this context, which collects the ids of commands.
            under_way = [loop.run_in_executor(pool, copy_context().run, view.ask, datasets) for view, datasets in asked]
            with pool:
                await asyncio.gather(*under_way)

    def _selected(self, info: plan.ResolveInfo) -> list[tuple[Cluster, list[plan.Selected]]]:
        """What the operation selects of each cluster."""
        query = info.schema.query_type
        if query is None:
            return []
        names = self.cluster_names
        wanted: dict[str, list[plan.Selected]] = {}
        for name, selected in plan.selected_by_cluster(info, info.operation.selection_set, query).items():
            for cluster in names if name == plan.ALL_CLUSTERS else [name or self._default or ""]:
                if cluster in names:  # otherwise the field itself reports the error
                    wanted.setdefault(cluster, []).extend(selected)
        return [(self.cluster(name), selected) for name, selected in wanted.items()]
