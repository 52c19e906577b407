"""The faults that break most easily, in every column; `make test-faults` has all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.catalogue import FAULTS, Fault
from faults.matrix import run
from faults.world import World
from local.stack import Stack

SHORT = [fault for fault in FAULTS if fault.short]


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(stack, Path(tmp_path_factory.mktemp("faults"))) as world:
        yield world


@pytest.mark.parametrize("fault", SHORT, ids=[fault.name for fault in SHORT])
def test_a_fault_gets_the_right_answer_or_a_named_error_in_time(fault: Fault, world: World) -> None:
    row = run(world, fault)
    assert [str(cell) for cell in row if cell.wrong] == []
