"""Host lists, each example also held against Slurm's own `scontrol show hostnames`."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurm.errors import ParseError
from slurm.hostlist import MAX_NAMES, expand, split

SCONTROL = shutil.which("scontrol")
needs_scontrol = pytest.mark.skipif(SCONTROL is None, reason="Slurm's scontrol is not installed")

EXAMPLES = [
    ("n1", ["n1"]),
    ("n[1-3,7]", ["n1", "n2", "n3", "n7"]),
    ("n[08-11]", ["n08", "n09", "n10", "n11"]),
    ("n[8-011]", ["n8", "n9", "n10", "n11"]),
    ("n[9-10,007]", ["n9", "n10", "n007"]),
    ("n[010]", ["n010"]),
    ("c[1-2]d[3-4]", ["c1d3", "c1d4", "c2d3", "c2d4"]),
    ("n[1-2][3-4]", ["n13", "n14", "n23", "n24"]),
    ("n[1-2],gpu[01-02],login", ["n1", "n2", "gpu01", "gpu02", "login"]),
    ("queue1-dy-c5xlarge-[1,3,4-5]", [f"queue1-dy-c5xlarge-{n}" for n in (1, 3, 4, 5)]),
    ("n[1,1],n1", ["n1", "n1", "n1"]),
    ("[1-3]", ["1", "2", "3"]),
    (",n1,,n2", ["n1", "n2"]),
]

REFUSED_BY_SLURM = [
    "n[3-1]",
    "n[]",
    "n[1,]",
    "n[-1]",
    "n[1-2-3]",
    "n[a-b]",
    "n[1:2]",
    "n[0-65536]",
]

# Up to 22.05 Slurm refuses text after the last bracket; 24.11 reads it, but prints it no more than they do.
SUFFIXED = ["b[1-2]x", "n[1]-x", "x[1]y[2]z", "n[[1]]", "n[1-2]]"]


@pytest.fixture(scope="session")
def slurm_conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The least that scontrol wants to read before it expands a list: no daemon is asked."""
    path = tmp_path_factory.mktemp("slurm") / "slurm.conf"
    path.write_text("ClusterName=test\nSlurmctldHost=localhost\n")
    return path


def show_hostnames(hostlist: str, slurm_conf: Path) -> list[str]:
    return scontrol_show("hostnames", hostlist, slurm_conf).splitlines()


def scontrol_show(form: str, hostlist: str, slurm_conf: Path) -> str:
    assert SCONTROL is not None
    return subprocess.run(
        [SCONTROL, "show", form, hostlist],
        env=os.environ | {"SLURM_CONF": str(slurm_conf)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


@pytest.mark.parametrize(("hostlist", "names"), EXAMPLES)
def test_expand(hostlist: str, names: list[str]) -> None:
    assert expand(hostlist) == names


@needs_scontrol
@pytest.mark.parametrize(("hostlist", "names"), EXAMPLES)
def test_slurm_expands_alike(hostlist: str, names: list[str], slurm_conf: Path) -> None:
    assert show_hostnames(hostlist, slurm_conf) == names


@needs_scontrol
def test_three_brackets_give_slurms_names_in_an_order_of_our_own(slurm_conf: Path) -> None:
    hostlist = "c[1-2]d[3-4]e[5-6]"
    assert expand(hostlist)[:3] == ["c1d3e5", "c1d3e6", "c1d4e5"]
    # Slurm varies the second bracket slowest.
    assert sorted(expand(hostlist)) == sorted(show_hostnames(hostlist, slurm_conf))


@pytest.mark.parametrize("placeholder", ["", "(null)", "None", "None assigned", "n/a"])
def test_a_placeholder_names_no_node(placeholder: str) -> None:
    assert expand(placeholder) == []


@pytest.mark.parametrize("hostlist", REFUSED_BY_SLURM)
def test_a_host_list_that_slurm_refuses_is_an_error(hostlist: str) -> None:
    with pytest.raises(ParseError) as caught:
        expand(hostlist)
    assert caught.value.what == "hostlist"


@needs_scontrol
@pytest.mark.parametrize("hostlist", REFUSED_BY_SLURM)
def test_slurm_does_refuse_it(hostlist: str, slurm_conf: Path) -> None:
    assert show_hostnames(hostlist, slurm_conf) == []


@pytest.mark.parametrize("hostlist", SUFFIXED)
def test_text_after_the_last_bracket_is_an_error(hostlist: str) -> None:
    with pytest.raises(ParseError):
        expand(hostlist)


@needs_scontrol
@pytest.mark.parametrize("names", ["b1x,b2x", "n1-x,n2-x", "x1y2z,x1y3z"])
def test_slurm_prints_no_text_after_a_bracket(names: str, slurm_conf: Path) -> None:
    assert scontrol_show("hostlist", names, slurm_conf).strip() == names


@pytest.mark.parametrize("hostlist", ["n[1", "n1]", "n[ 1-2]", "n[1-]", "n[+1]", "n1 n2", "n1, n2", "n\x00", "n\n"])
def test_what_slurm_reads_by_accident_but_never_prints_is_an_error(hostlist: str) -> None:
    with pytest.raises(ParseError):
        expand(hostlist)


def test_a_range_may_be_as_long_as_slurm_allows() -> None:
    assert len(expand("n[0-65535]")) == 65536


@pytest.mark.parametrize(
    "hostlist",
    [
        "a[1-65536]b[1-65536]",
        "a[1-65536]b[1-65536]c[1-65536]",
        ",".join(["n[1-65536]"] * (MAX_NAMES // 65536 + 1)),
        "n" * 1000 + "[1-65536]",
        "n" * 1000,
        f"n[{'0' * 1000}1-65536]",
    ],
)
def test_a_list_that_would_not_fit_is_refused_before_it_is_built(hostlist: str) -> None:
    start = time.monotonic()
    with pytest.raises(ParseError):
        expand(hostlist)
    assert time.monotonic() - start < 2


def test_split_cuts_only_outside_brackets() -> None:
    assert split("n[1,3],m,x[1-2]y[3,4]") == ["n[1,3]", "m", "x[1-2]y[3,4]"]
    assert split("") == []
    with pytest.raises(ParseError):
        split("n[1,m")


prefixes = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z-])?", fullmatch=True)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[str, list[str]]:
    """One range as Slurm prints it, with the numbers it stands for."""
    low = draw(st.integers(0, 1200))
    count = draw(st.integers(1, 12))
    width = draw(st.integers(1, 5))
    digits = [f"{number:0{width}d}" for number in range(low, low + count)]
    return (digits[0] if count == 1 else f"{digits[0]}-{digits[-1]}"), digits


@st.composite
def groups(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A prefix and its brackets, with the names they stand for."""
    prefix = draw(prefixes)
    parts = draw(st.lists(ranges(), min_size=1, max_size=4))
    names = [prefix + digits for _, numbers in parts for digits in numbers]
    return f"{prefix}[{','.join(text for text, _ in parts)}]", names


@st.composite
def entries(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A name without brackets, or one or two bracket groups."""
    if draw(st.booleans()):
        name = draw(prefixes)
        return name, [name]
    parts = draw(st.lists(groups(), min_size=1, max_size=2))
    names = [""]
    for _, suffixes in parts:
        names = [name + suffix for name in names for suffix in suffixes]
    return "".join(text for text, _ in parts), names


hostlists = st.lists(entries(), min_size=1, max_size=4).map(
    lambda drawn: (",".join(text for text, _ in drawn), [name for _, names in drawn for name in names])
)


@given(hostlists)
def test_a_compressed_list_expands_to_its_names(hostlist: tuple[str, list[str]]) -> None:
    text, names = hostlist
    assert expand(text) == names


@needs_scontrol
@settings(max_examples=60, deadline=None)
@given(hostlist=hostlists)
def test_any_list_expands_as_slurm_expands_it(hostlist: tuple[str, list[str]], slurm_conf: Path) -> None:
    text, _ = hostlist
    assert expand(text) == show_hostnames(text, slurm_conf)


@given(st.text() | st.text("n1-0,[] "))
def test_expand_is_total(raw: str) -> None:
    try:
        names = expand(raw)
    except ParseError:
        return
    assert all(name and "," not in name and "[" not in name for name in names)
