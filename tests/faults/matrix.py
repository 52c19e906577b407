"""The matrix: each fault, every column at the same time, and a table of the results."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from faults.catalogue import Fault
from faults.cells import Case, Cell
from faults.world import COLUMNS, World


def run(world: World, fault: Fault) -> list[Cell]:
    """The row of a fault."""
    world.begin(fault.environments(), anew=fault.cold)
    world.require_witness()
    cases = [Case(world, column, fault.rule) for column in COLUMNS]
    with ThreadPoolExecutor(len(cases)) as pool:
        try:
            with fault.make(world):
                list(pool.map(Case.ask, cases))
        except AssertionError as error:  # what a fault saw by itself
            cases[0].cell.wrong.append(str(error))
        if fault.environment and not fault.rule.elsewhere:  # the fault lies in the sandboxes themselves
            world.begin()
        return list(pool.map(Case.judge, cases))


def print_matrix(
    world: World, faults: Iterable[Fault], show: Callable[[str], None] = lambda line: print(line, flush=True)
) -> int:
    """Print the table row by row as it is made; how many cells are wrong."""
    wrong = 0
    show(f"| fault | {' | '.join(COLUMNS)} |")
    show("|---" * (1 + len(COLUMNS)) + "|")
    for fault in faults:
        row = run(world, fault)
        wrong += sum(bool(cell.wrong) for cell in row)
        show(f"| {fault.name} | {' | '.join(map(str, row))} |")
    return wrong
