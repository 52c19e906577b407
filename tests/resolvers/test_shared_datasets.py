"""What all sandboxes may know: never anything that depends on who asks."""

from typing import Any

import pytest

from headnode.dataset import Dataset
from headnode.node import Actor
from headnode.shared import WantedDataset
from resolvers import datasets, facts
from slurm.operation import RunsAs
from slurm.sacct_search import Search

ALL = [each for module in (datasets, facts) for each in vars(module).values() if isinstance(each, Dataset)]
SHARED = [each for each in ALL if each.shared]


@pytest.mark.parametrize("dataset", SHARED, ids=lambda each: str(each.key))
def test_shared_datasets_are_not_read_as_a_user(dataset: Dataset[Any]) -> None:
    assert dataset.ask
    commands = dataset.ask().commands
    assert commands
    for command in commands:
        assert command.operation.runs_as is RunsAs.READER


@pytest.mark.parametrize("dataset", SHARED, ids=lambda each: str(each.key))
def test_a_shared_dataset_has_the_same_name_for_each_question(dataset: Dataset[Any]) -> None:
    first, second = WantedDataset(dataset, None), WantedDataset(dataset, None)
    assert first.name == second.name
    assert first.name.startswith(f"{dataset.key} ")
    assert len(first.separators) == len(second.separators)
    assert not set(first.separators) & set(second.separators)


def test_no_two_shared_datasets_have_a_name_in_common() -> None:
    assert len({WantedDataset(each, None).name for each in SHARED}) == len(SHARED) == 15


def test_datasets_about_one_object_or_read_as_the_caller_are_not_shared() -> None:
    ada = Actor("ada")
    made: list[Dataset[Any]] = [
        datasets.job("1"),
        datasets.history(Search(ids=("1",)), steps=True),
        datasets.accounted("1"),
        datasets.running_steps("1", ada),
        datasets.account("ada"),
        datasets.script("1", ada),
        datasets.output(ada, "/home/ada/out", 1, 0, from_end=False, lines=None),
        datasets.INSTANCES,
        datasets.HEAD,
        datasets.AGENT,
    ]
    assert not any(each.shared for each in made)
