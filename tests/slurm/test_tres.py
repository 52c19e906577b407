"""Trackable resources and the GPUs among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.tres import Gpus, gpus_allocated, tres


def test_counts_by_name_as_printed() -> None:
    assert tres("cpu=4,mem=4G,node=1,billing=4,gres/gpu=2,gres/gpu:a100=2") == {
        "cpu": "4",
        "mem": "4G",
        "node": "1",
        "billing": "4",
        "gres/gpu": "2",
        "gres/gpu:a100": "2",
    }


def test_the_order_differs_per_command_and_is_kept() -> None:
    assert list(tres("mem=4G,cpu=4")) == ["mem", "cpu"]


@pytest.mark.parametrize("raw", ["", "N/A", "(null)"])
def test_a_placeholder_has_no_resources(raw: str) -> None:
    assert tres(raw) == {}
    assert gpus_allocated(raw) is None


@pytest.mark.parametrize("raw", ["cpu", "cpu=1,", "=4", "cpu=1,cpu=2", "cpu=1,,mem=2G"])
def test_an_invalid_tres_list_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError) as caught:
        tres(raw)
    assert caught.value.what == "TRES list"
    assert caught.value.text == raw


@pytest.mark.parametrize(
    ("raw", "gpus"),
    [
        ("cpu=4,gres/gpu=2", Gpus(2, None)),
        ("cpu=4,gres/gpu:a100=2", Gpus(2, "a100")),
        ("gres/gpu=2,gres/gpu:a100=2", Gpus(2, "a100")),
        ("gres/gpu:a100=2,gres/gpu=2", Gpus(2, "a100")),
        ("gres/gpu=3,gres/gpu:a100=2,gres/gpu:k80=1", Gpus(3, None)),
        ("gres/gpu:a100=2,gres/gpu:k80=1", Gpus(3, None)),
        ("gres/gpu=0", Gpus(0, None)),
    ],
)
def test_the_total_counts_and_models_are_parts_of_it(raw: str, gpus: Gpus) -> None:
    assert gpus_allocated(raw) == gpus


def test_a_model_that_accounts_for_a_part_only_is_not_the_model() -> None:
    assert gpus_allocated("gres/gpu=4,gres/gpu:a100=2") == Gpus(4, None)


@pytest.mark.parametrize("raw", ["cpu=4,mem=4G", "gres/gpumem=40G,gres/gpuutil=80", "gres/shard=2"])
def test_other_resources_are_not_gpus(raw: str) -> None:
    assert gpus_allocated(raw) is None


@pytest.mark.parametrize("raw", ["gres/gpu=", "gres/gpu=two", "gres/gpu=-1", "gres/gpu=N/A"])
def test_a_gpu_count_that_is_not_a_number_is_an_error(raw: str) -> None:
    with pytest.raises(ParseError):
        gpus_allocated(raw)


names = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}(:[a-z0-9_.]{1,8})?)?", fullmatch=True)


@given(st.dictionaries(names, st.integers(0, 2**20).map(str), min_size=1))
def test_slurms_joined_lists_are_parsed_back(counts: dict[str, str]) -> None:
    assert tres(",".join(f"{name}={count}" for name, count in counts.items())) == counts


@given(st.text() | st.lists(st.sampled_from(["gres/gpu", ":a100", "=", "2", ",", "cpu"])).map("".join))
def test_tres_is_total(raw: str) -> None:
    try:
        gpus = gpus_allocated(raw)
    except ParseError:
        return
    assert gpus is None or gpus.count >= 0
