"""One request: who asks, until when, and the clusters as this request sees them."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from access.caller import Caller, SignedIn
from access.permissions import Place, why_not
from headnode import sent_commands
from headnode.dataset import each_once
from headnode.deadline import Deadline
from headnode.settings import Settings
from headnode.snapshots import Dataset, Snapshots
from resolvers import plan
from resolvers.audit import Action, Asked
from resolvers.cluster import Cluster
from resolvers.errors import BadInputError, ForbiddenError, NotFoundError, UnauthenticatedError
from resolvers.request import Limits, Request


class Graph:
    """One request: who asks, until when, and the clusters as this request sees them.

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
        self._deadline = deadline
        self._comment = f"slurmql {request_id}"
        self._page_limit = settings.page_limit
        self._clusters = clusters
        self._default = settings.default_cluster
        self._views: dict[str, Cluster] = {}
        self._opened: list[Cluster] = []
        """All views that this request made, to close them."""
        self._fetched: asyncio.Task[None] | None = None
        self.asked: Asked | None = None
        """What the document asks for, once it is parsed."""
        self.actions: list[Action] = []
        self.commands = sent_commands.collect()
        """The ids of the SSM commands that this request sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for view in self._opened:
            view.close()

    @property
    def signed_in(self) -> SignedIn:
        """Who asks. Raises UnauthenticatedError if nobody vouches for them."""
        if self._signed_in is None:
            raise UnauthenticatedError("Sign in: the request carries no identity that the gateway vouches for.")
        return self._signed_in

    @property
    def identity(self) -> str | None:
        """Who asks, for the log; None if nobody vouches for them."""
        return self._signed_in.identity.name if self._signed_in else None

    @property
    def standing(self) -> list[dict[str, str | None]]:
        """As what they ask, on each cluster that the request is about, for the log."""
        callers = {name: view.request.caller for name, view in self._views.items()}
        return [
            {"name": name, "user": caller.cluster_user, "role": caller.role.name if caller.role else None}
            for name, caller in callers.items()
        ]

    @property
    def as_of(self) -> datetime | None:
        """When the oldest of the data that the answer uses was asked for; None if it uses none."""
        return min((view.as_of for view in self._views.values() if view.as_of), default=None)

    @property
    def cluster_names(self) -> list[str]:
        """The clusters that the caller has access to. Raises UnauthenticatedError; ForbiddenError if there is none."""
        names = [name for name, caller in self._callers.items() if caller]
        if not names:
            raise ForbiddenError(f"{self.signed_in.identity.name} has no access to any cluster: ask the administrator.")
        return names

    @cached_property
    def _callers(self) -> Mapping[str, Caller | None]:
        """The caller on each cluster."""
        return {name: self.signed_in.on(name) for name in self._clusters}

    def cluster(self, name: str | None) -> Cluster:
        """The view of the named cluster, else of the default one.

        Raises NotFoundError, BadInputError, UnauthenticatedError, and ForbiddenError for one without access.
        """
        names = self.cluster_names
        chosen = name or self._default
        if chosen is None:
            raise BadInputError(f"Name a cluster: {', '.join(names)}.", argument="cluster")
        if chosen not in self._clusters:
            raise NotFoundError(
                f"There is no cluster {chosen[:60]!r}; there is {', '.join(names)}.", argument="cluster"
            )
        if chosen not in self._views:
            caller = self._callers[chosen]
            if caller is None:
                who = self.signed_in.identity.name
                raise ForbiddenError(
                    f"{who} has no access to the cluster {chosen}; there is {', '.join(names)}.", argument="cluster"
                )
            request = Request(self._deadline, self._comment, self._page_limit, caller)
            self._views[chosen] = self._open(chosen, self._clusters[chosen], request)
        return self._views[chosen]

    def permitted(self, name: str | None, place: Place) -> Cluster:
        """The same, if the caller may use that field there. Raises ForbiddenError."""
        view = self.cluster(name)
        if refusal := why_not(view.request.caller, place):
            raise ForbiddenError(refusal)
        return view

    def fresh_view(self, name: str | None, place: Place) -> Cluster:
        """Likewise, a view that shares nothing with others: what a change answers with."""
        known = self.permitted(name, place)
        return self._open(known.name, known.snapshots, known.request)

    def _open(self, name: str, snapshots: Snapshots, request: Request) -> Cluster:
        view = Cluster(name, snapshots, request)
        self._opened.append(view)
        return view

    async def fetch(self, info: plan.ResolveInfo) -> None:
        """Fetch what the whole operation needs; the first root field does it, the others wait for the same."""
        if self._fetched is None:
            self._fetched = asyncio.ensure_future(self._fetch(info))
        await self._fetched

    async def _fetch(self, info: plan.ResolveInfo) -> None:
        asked = [(view, self.wanted(view, selected)) for view, selected in self._selected(info)]
        asked = [(view, datasets) for view, datasets in asked if datasets]
        if all(view.snapshots.kept(dataset) for view, datasets in asked for dataset in datasets):
            for view, datasets in asked:  # from memory: a thread would cost more than the answer
                view.ask(datasets)
        else:
            loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor(len(asked))
            # Each thread with a copy of this one's context, which takes note of the commands.
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
        for name, selected in plan.plan(info, info.operation.selection_set, query).items():
            for cluster in names if name == plan.ALL_CLUSTERS else [name or self._default or ""]:
                if cluster in names:  # the field itself tells of a cluster that is not there, or not for the caller
                    wanted.setdefault(cluster, []).extend(selected)
        return [(self.cluster(name), selected) for name, selected in wanted.items()]

    def wanted(self, view: Cluster, selected: Iterable[plan.Selected]) -> list[Dataset[Any]]:
        """The datasets that the selected fields need, each once."""
        needed = (each.need(view, view.request.caller, each.arguments) for each in selected)
        return each_once(dataset for needs in needed for dataset in needs)
