"""What of Slurm's output cannot be read, and what Slurm hides: as a caller sees it, over a scripted head node."""

from collections.abc import Callable

import pytest
from scripted_head_node import ask, rows, says

from access.role import JobVisibility
from slurm.command import Command, Reply

PARTITION = "PartitionName={} AllowGroups={} AllowAccounts=ALL AllocNodes=ALL Nodes=n1 MaxTime=UNLIMITED State=UP\n"

QUEUES = '{ queues { name cpuCounts { total } } queue(name: "b") { name } }'


def queues(*printed: str, cpus: Callable[[Command], Reply] | None = None) -> dict[str, Callable[[Command], Reply]]:
    listed = rows(*({"PartitionName": name, "CPUsState": "1/2/3/6"} for name in "abc"))
    return {"scontrol show partition": says("".join(printed)), "sinfo": cpus or listed}


def test_blanks_in_what_a_partition_allows_cost_nothing() -> None:
    printed = queues(PARTITION.format("a", "domain users"), PARTITION.format("b", "x,y z"))
    data, errors, _ = ask(QUEUES, printed)
    total = {"cpuCounts": {"total": 6}}
    assert (data, errors) == ({"queues": [{"name": "a", **total}, {"name": "b", **total}], "queue": {"name": "b"}}, [])


def test_an_unreadable_record_is_one_error_without_a_path() -> None:
    broken = PARTITION.format("a", "x State=DOWN")
    data, (error,), node = ask(QUEUES, queues(broken, PARTITION.format("b", "ALL")))
    assert data == {"queues": [{"name": "b", "cpuCounts": {"total": 6}}], "queue": {"name": "b"}}
    assert error["extensions"] == {
        "code": "UNREADABLE_OUTPUT",
        "cluster": "lab",
        "dataset": "queues",
        "recordsLeftOut": 1,
        "fields": [],
        "scheduler": [broken.strip()],
    }
    assert "path" not in error
    assert "1 record is left out" in error["message"]
    assert len(node.asked) == 1


def test_where_nothing_can_be_read_the_field_is_null_with_a_code() -> None:
    data, errors, _ = ask("{ queues { name } }", queues("PartitionName\n"))
    assert data == {"queues": None}
    assert [(error["extensions"]["code"], error["path"]) for error in errors] == [("UNREADABLE_OUTPUT", ["queues"])]
    assert errors[0]["extensions"]["scheduler"] == "PartitionName"


JOBS = "{ jobs { totalCount nodes { jobId submitTime nodeNames } } }"


def test_a_value_that_cannot_be_read_is_null_and_one_error_for_all_of_its_kind() -> None:
    listed = rows(
        {"JobArrayID": "1", "SubmitTime": "yesterday"},
        {"JobArrayID": "2", "SubmitTime": "1795372140"},
        {"JobArrayID": "3", "SubmitTime": "yesterday"},
    )
    data, (error,), _ = ask(JOBS, {"squeue": listed})
    assert data["jobs"]["totalCount"] == 3
    times = {each["jobId"]: each["submitTime"] for each in data["jobs"]["nodes"]}
    assert times == {"1": None, "2": "2026-11-22T18:29:00+00:00", "3": None}
    about = error["extensions"]
    assert (about["code"], about["fields"], about["recordsLeftOut"]) == ("UNREADABLE_OUTPUT", ["submitTime"], 0)
    assert about["scheduler"] == ["yesterday"]


def test_a_job_without_a_value_that_all_have_is_left_out() -> None:
    data, (error,), _ = ask(JOBS, {"squeue": rows({"JobArrayID": "1"}, {"JobArrayID": "2", "NodeList": "n[1"})})
    assert [each["jobId"] for each in data["jobs"]["nodes"]] == ["1"]
    assert (data["jobs"]["totalCount"], error["extensions"]["recordsLeftOut"]) == (1, 1)


def test_a_caller_who_sees_only_own_jobs_does_not_see_the_text_of_others() -> None:
    listed = rows(
        {"JobArrayID": "1", "UserName": "ada"},
        {"JobArrayID": "2", "UserName": "grace", "NodeList": "secret[1"},
        {"JobArrayID": "3", "UserName": "grace", "SubmitTime": "secret"},
    )
    data, (error,), _ = ask(JOBS, {"squeue": listed}, JobVisibility.OWN)
    assert [each["jobId"] for each in data["jobs"]["nodes"]] == ["1"]
    assert (error["extensions"]["recordsLeftOut"], error["extensions"]["scheduler"]) == (1, [])
    assert "secret" not in str(error)


# --- private data ---------------------------------------------------------------------------------------------------

DENIED = says("", "slurm_load_node: Access/permission denied\n", 1)


@pytest.mark.parametrize(
    ("document", "printed", "private"),
    [
        ("{ jobs { totalCount } }", {"squeue": rows()}, "jobs"),
        ("{ jobs { totalCount } }", {"squeue": rows()}, "cloud,jobs,usage"),
        ("{ nodes { totalCount } }", {"sinfo": DENIED, "scontrol show node": says("")}, "nodes"),
        ("{ nodes { totalCount } }", {"sinfo": DENIED, "scontrol show node": says("")}, "cloud"),  # unknown until now
        (
            "{ cluster { reservations { name } } }",
            {"scontrol show reservation": says("No reservations in the system")},
            "reservations",
        ),
    ],
)
def test_data_hidden_from_the_reader_is_an_error_that_names_the_setting(
    document: str, printed: dict[str, Callable[[Command], Reply]], private: str
) -> None:
    _, (error,), _ = ask(document, printed, private=private)
    assert error["extensions"]["code"] == "READER_NOT_PERMITTED"
    assert "PrivateData" in error["message"] and "Reader" in error["message"]


@pytest.mark.parametrize(
    ("private", "reader", "listed"),
    [
        ("jobs", "slurm", rows()),
        ("jobs", "root", rows()),
        ("jobs", "", rows()),  # a head node's program that does not say who reads
        ("cloud", "nobody", rows()),
        ("usage,nodes", "nobody", rows()),
        ("jobs", "operator", rows({"UserName": "grace"})),  # Slurm's operators see all
    ],
)
def test_visible_data_is_answered(private: str, reader: str, listed: Callable[[Command], Reply]) -> None:
    data, errors, _ = ask("{ jobs { totalCount } }", {"squeue": listed}, private=private, reader=reader)
    assert errors == []
    assert data["jobs"]["totalCount"] in (0, 1)


def test_the_configuration_is_fetched_with_data_that_it_may_hide_and_then_kept() -> None:
    _, _, node = ask("{ jobs { totalCount } }", {"squeue": rows()})
    assert node.asked == [["squeue", "scontrol show config", "reader"]]
