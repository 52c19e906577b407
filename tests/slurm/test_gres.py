"""GPUs in a node's Gres and in a job's tres-per-* requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.gres import gpus, requested_gpus
from slurm.tres import Gpus


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("gpu:8", Gpus(8, None)),
        ("gpu:a100:8", Gpus(8, "a100")),
        ("gpu:a100:8(S:0-1)", Gpus(8, "a100")),
        ("gpu:a100_3g.39gb:2", Gpus(2, "a100_3g.39gb")),
        ("gpu:1080ti:4", Gpus(4, "1080ti")),
        ("gpu:tesla:no_consume:2", Gpus(2, "tesla")),
        ("gpu", Gpus(1, None)),
    ],
)
def test_gpus_of_a_node(raw: str, expected: Gpus) -> None:
    assert gpus(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("gpu:a100:3(IDX:0-2)", Gpus(3, "a100")),
        ("gpu:a100:0(IDX:N/A)", Gpus(0, "a100")),
        ("gpu:(null):4(IDX:0-3)", Gpus(4, None)),
    ],
)
def test_gpus_in_use(raw: str, expected: Gpus) -> None:
    assert gpus(raw) == expected


def test_a_node_without_gpus_may_say_that_none_are_in_use() -> None:
    # sinfo's GresUsed where GresTypes has gpu: 20.11 and 22.05; 24.11 says (null).
    assert gpus("gpu:0") == Gpus(0, None)


def test_commas_inside_parentheses_separate_nothing() -> None:
    assert gpus("gpu:a100:3(IDX:0,2-3),shard:4(S:0,1)") == Gpus(3, "a100")


def test_several_types_are_summed_and_have_no_model() -> None:
    assert gpus("gpu:tesla:2(S:0-1),gpu:k80:1") == Gpus(3, None)
    assert gpus("gpu:a100:2(S:0),gpu:a100:2(S:1)") == Gpus(4, "a100")


@pytest.mark.parametrize("raw", ["(null)", "", "N/A", "shard:8", "mps:a100:100,bandwidth:lustre:no_consume:4G"])
def test_a_node_without_gpus(raw: str) -> None:
    assert gpus(raw) is None


@pytest.mark.parametrize(
    ("release", "raw"),
    [
        ("20.11", "gpu:a100:2"),
        ("21.08 - 23.02", "gres:gpu:a100:2"),
        ("23.11 on", "gres/gpu:a100:2"),
        ("24.11, per task", "gres/gpu:a100=2"),
    ],
)
def test_tres_per_node_has_three_spellings(release: str, raw: str) -> None:
    assert requested_gpus(raw) == Gpus(2, "a100"), release


@pytest.mark.parametrize("raw", ["gpu:2", "gres:gpu:2", "gres/gpu:2", "gres/gpu=2"])
def test_a_request_without_a_type(raw: str) -> None:
    assert requested_gpus(raw) == Gpus(2, None)


def test_a_request_without_a_count_is_for_one() -> None:
    assert requested_gpus("gres:gpu") == Gpus(1, None)
    assert requested_gpus("gres/gpu:a100") == Gpus(1, "a100")


def test_other_requests_in_the_list_are_skipped() -> None:
    assert requested_gpus("cpu=4,gres/gpu=1,license/matlab:1") == Gpus(1, None)


@pytest.mark.parametrize("raw", ["N/A", "", "(null)", "gres:shard:2", "gres/gpumem:4"])
def test_no_gpus_requested(raw: str) -> None:
    assert requested_gpus(raw) is None


@pytest.mark.parametrize("raw", ["gpu:a100:8(S:0-1", "gpu:8)", "gpu:8,", "gpu:a:b:c:2", "gpu:a100:-1"])
def test_an_invalid_gres_list_is_an_error(raw: str) -> None:
    for parse in (gpus, requested_gpus):
        with pytest.raises(ParseError) as caught:
            parse(raw)
        assert caught.value.what == "GRES list"
        assert caught.value.text == raw


@given(st.integers(0, 10_000), st.sampled_from(["", "(S:0-1)", "(IDX:0,2-3)", "(IDX:N/A)"]))
def test_any_count_reads_back(count: int, where: str) -> None:
    assert gpus(f"gpu:h100:{count}{where}") == Gpus(count, "h100")


pieces = st.lists(st.sampled_from(["gpu", "gres", "(null)", "a100", "8", ":", "/", "=", ",", "(", ")"]))


@given(st.text() | pieces.map("".join))
def test_gres_is_total(raw: str) -> None:
    for parse in (gpus, requested_gpus):
        try:
            found = parse(raw)
        except ParseError:
            continue
        assert found is None or found.count >= 0
