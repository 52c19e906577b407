"""No claim makes a caller a member of a group that it does not name, and none makes the sign-in fail without a code."""

import json
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.caller import signed_in
from access.configuration import access
from access.identity import identity
from access.role import Role

OPERATORS = "slurmql-operators"
RULES = access('{"users": {"*@{user}.example": "{user}"}}', ["lab"])


def groups(claim: Any) -> frozenset[str]:
    found = identity(
        {"requestContext": {"authorizer": {"jwt": {"claims": {"username": "ada", "groups": claim}}}}},
        ("username",),
        ("groups",),
    )
    assert found is not None
    return found.groups


def other_blanks() -> Iterator[str]:
    """Every separator, control, format character and surrogate of Unicode, and what looks like a blank or a comma."""
    for character in map(chr, range(sys.maxunicode + 1)):
        plain = unicodedata.normalize("NFKC", character)
        looks_so = any(word in unicodedata.name(character, "") for word in ("COMMA", "SPACE", "BLANK", "FILLER"))
        is_one = unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"} or character.isspace()
        if (is_one or looks_so or {" ", ","} & set(plain)) and character not in " ,":
            yield character


def claims_with(other: str) -> Iterator[Any]:
    """Claims in which that text stands before, behind or between the operators' name, in each of the spellings."""
    for name in (f"{other}{OPERATORS}", f"{OPERATORS}{other}", f"x{other}{OPERATORS}", f"{OPERATORS}{other}x"):
        yield from (name, f"[{name}]", f"[a {name} b]", f"a,{name},b", [name], ["a", name], json.dumps([name]))


def test_only_a_blank_and_a_comma_separate_groups() -> None:
    blanks = list(other_blanks())
    assert {"\t", "\n", "\x0b", "\x1c", "\x85", "\u00a0", "\u2028", "\u3000", "\uff0c", "\u200b"} <= set(blanks)
    wrong = [(other, claim) for other in blanks for claim in claims_with(other) if OPERATORS in groups(claim)]
    assert wrong == []


@given(st.text(st.characters(exclude_characters=' ,[]"'), min_size=1))
def test_no_other_text_separates_groups(other: str) -> None:
    assert [claim for claim in claims_with(other) if OPERATORS in groups(claim)] == []


@given(st.lists(st.text(min_size=1)))
def test_a_list_is_taken_as_it_is(names: list[str]) -> None:
    assert groups(names) == groups(json.dumps(names)) == frozenset(names)


@pytest.mark.parametrize(
    "name", [" slurmql-operators", "slurmql-operators ", "x slurmql-operators", "x,slurmql-operators"]
)
def test_a_blank_or_a_comma_in_a_list_belongs_to_the_name(name: str) -> None:
    assert groups([name]) == groups(json.dumps([name])) == {name}


def nested(value: Any) -> Any:
    for _ in range(5000):
        value = [value]
    return value


DEEP = ["[" * 5000, "[" * 5000 + "]" * 5000, '{"a":' * 5000, '["a",' * 5000]
UNWRITABLE = [nested("ada"), 10**5000, -(10**5000)]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(DEEP),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
names = st.sampled_from(["username", "cognito:username", "cognito:groups", "groups", "email", "sub", "principalId"])
authorizers = (
    values
    | st.dictionaries(names, values)
    | st.dictionaries(st.sampled_from(["jwt", "lambda", "claims"]), values | st.dictionaries(names, values))
    | st.fixed_dictionaries({"jwt": st.fixed_dictionaries({"claims": st.dictionaries(names, values)})})
    | st.fixed_dictionaries({"iam": st.dictionaries(st.sampled_from(["userArn"]), values) | values})
)
events = st.fixed_dictionaries(
    {},
    optional={
        "requestContext": values
        | st.fixed_dictionaries(
            {}, optional={"authorizer": authorizers, "identity": values | st.dictionaries(st.just("userArn"), values)}
        )
    },
)


@given(events)
def test_whatever_an_event_holds_somebody_is_signed_in_or_nobody(event: dict[str, Any]) -> None:
    found = signed_in(event, RULES)
    if found is not None:
        caller = found.on("lab")
        assert caller is not None
        assert isinstance(caller.identity, str)
        assert caller.role is not Role.OPERATOR


@pytest.mark.parametrize("text", DEEP, ids=lambda text: text[:5])
def test_a_text_that_is_nested_too_deep_is_a_name_like_any_other(text: str) -> None:
    assert groups(text) and OPERATORS not in groups(text)
    assert groups([text, "staff"]) == {text, "staff"}


@pytest.mark.parametrize("value", UNWRITABLE, ids=lambda value: type(value).__name__)
def test_a_value_that_cannot_be_written_names_nobody_and_no_group(value: Any) -> None:
    """Nobody, although another claim follows that may be somebody else's."""
    assert groups(value) == frozenset()
    assert groups([value, "staff"]) == {"staff"}
    authorizer = {"lambda": {"username": value, "cognito:username": "ada", "sub": "ada"}}
    assert signed_in({"requestContext": {"authorizer": authorizer}}, RULES) is None
