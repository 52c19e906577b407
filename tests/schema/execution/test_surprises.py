"""What falls back to graphql-core, one by one: the answer is graphql-core's, and the tally says why."""

from types import SimpleNamespace
from typing import Any, ClassVar

import graphql
import pytest
import strawberry
from graphql import execute_sync, parse

from own_loop import finish
from resolvers.limits import Limits
from schema.execution import COMPILED, TESTED, executor_class, tally
from schema.execution.counting import CountingExecutor
from schema.execution.executor import CompiledExecutor
from schema.execution.recent import Recent
from schema.execution.selection import FIELDS_LIMIT


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Known(Named):
    pass


@strawberry.type
class Thing:
    text: str
    maybe: str | None
    number: int | None
    ratio: float | None
    texts: list[str] | None
    other: "Thing | None"
    known: Known | None
    named: Named | None

    @strawberry.field
    def made(self) -> str:
        """A field with a resolver."""
        return "made"


class OddError(Exception):
    pass


class Awaitable:
    def __await__(self) -> Any:
        yield None
        return "awaited"


@strawberry.type
class Query:
    given: ClassVar[list[Any]] = []

    @strawberry.field(graphql_type=list[Thing | None])  # type: ignore[untyped-decorator]
    def things(self) -> Any:
        return Query.given


COMPILING = strawberry.Schema(Query, types=[Known], execution_context_class=executor_class())
PLAIN = strawberry.Schema(Query, types=[Known])


def thing(**values: Any) -> Any:
    nothing = dict.fromkeys(["maybe", "number", "ratio", "texts", "other", "known", "named"])
    return SimpleNamespace(**{"text": "text", **nothing, **values})


def counted(document: str, *things: Any) -> dict[str, int]:
    """Answers the document both ways; that the answers are one, and what the tally counted."""
    Query.given = list(things)
    plain = finish(PLAIN.execute(document))
    before = tally.copy()
    compiled = finish(COMPILING.execute(document))
    assert repr((compiled.data, compiled.errors)) == repr((plain.data, plain.errors))
    return dict(tally - before)


def test_plain_fields_are_compiled() -> None:
    other = thing(text="other")
    document = "{ things { __typename text n: number ratio maybe texts other { text } } }"
    assert counted(document, thing(number=1, ratio=0.5, texts=["a"], other=other), None, other) == {COMPILED: 1}
    assert counted(document) == {COMPILED: 1}


@pytest.mark.parametrize(
    ("selected", "wrong", "reason"),
    [
        ("text", {"text": None}, "a null in a field that cannot be null"),
        ("texts", {"texts": ["a", None]}, "a null in a field that cannot be null"),
        ("number", {"number": 2**31}, "an integer of more than 32 bits"),
        ("number", {"number": -(2**31) - 1}, "an integer of more than 32 bits"),
        ("ratio", {"ratio": float("inf")}, "a number that is not finite"),
        ("number", {"number": "many"}, "GraphQLError"),
        ("text", {"text": OddError("odd")}, "a value that is awaited, raised or undefined"),
        ("text", {"text": Awaitable()}, "a value that is awaited, raised or undefined"),
        ("maybe", {"maybe": graphql.Undefined}, "a value that is awaited, raised or undefined"),
        ("other { text }", {"other": Awaitable()}, "a value that is awaited, raised or undefined"),
        ("texts", {"texts": range(2)}, "a list of another kind"),
        ("texts", {"texts": 7}, "a list of another kind"),
        ("other { other { text } }", {"other": object()}, "AttributeError"),
        ("made", {}, "a field with a resolver"),
        ("known { name }", {}, "a type with is_type_of"),
        ("named { name }", {}, "an interface or a union"),
    ],
)
def test_graphql_core_executes_what_is_not_plain(selected: str, wrong: dict[str, Any], reason: str) -> None:
    got = counted(f"{{ things {{ {selected} }} }}", thing(), thing(**wrong), thing())
    assert got[reason] == 1


def test_what_surprises_is_counted_once() -> None:
    Query.given = [thing(), thing(maybe=graphql.Undefined), thing()]
    for limit, said in ((3, []), (2, ["COST_EXCEEDED"])):
        context = SimpleNamespace(limits=Limits(limit, 15))
        made = finish(COMPILING.execute("{ things { text maybe } }", context_value=context))
        assert [(error.extensions or {}).get("code") for error in made.errors or []] == said
        assert (made.data is None) == bool(said)


def test_other_classes_that_a_scalar_takes_are_taken() -> None:
    assert counted("{ things { text number } }", thing(text=7, number=True), thing(text=0.5, number=3.0)) == {
        COMPILED: 1
    }


def test_a_selection_of_more_fields_than_anyone_needs_is_left_to_graphql_core() -> None:
    fields = " ".join(f"a{number}: text" for number in range(FIELDS_LIMIT + 1))
    assert counted(f"{{ things {{ {fields} }} }}", thing()) == {"too many fields": 1}


def test_nested_fragments_stop_at_the_limit() -> None:
    """Without objects graphql-core stops at the first level; compiling must not walk all 2**22 of the last."""
    spread = [f"fragment f{n} on Thing {{ a: other {{ ...f{n + 1} }} b: other {{ ...f{n + 1} }} }}" for n in range(22)]
    document = "{ things { ...f0 } } " + " ".join(spread) + " fragment f22 on Thing { text }"
    assert counted(document, thing()) == {"too many fields": 1}


def test_another_graphql_core_compiles_nothing_but_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert executor_class() is CompiledExecutor
    monkeypatch.setattr(graphql, "version", TESTED + "0")
    assert executor_class() is CountingExecutor


def test_compiled_documents_work_with_other_variables() -> None:
    document = parse("query($with: Boolean!) { things { text maybe @include(if: $with) } }")
    Query.given = [thing(maybe="perhaps")]
    for told in (True, False, True):
        made = execute_sync(
            COMPILING._schema, document, variable_values={"with": told}, executor_class=executor_class()
        )
        assert made.data == {"things": [{"text": "text", "maybe": "perhaps"} if told else {"text": "text"}]}


def test_only_so_many_plans_are_kept_those_used_last() -> None:
    recent: Recent[int] = Recent(2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    assert recent.get("a") == 1
    recent.keep("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
