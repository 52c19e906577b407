"""What of Slurm's output cannot be read, and what Slurm hides: as a caller sees it, over a scripted head node."""

from collections.abc import Callable, Mapping

import pytest
from scripted_head_node import ask, rows, says

from access.role import JobVisibility, Role
from slurm import framing
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


# --- separators that can be watched ---------------------------------------------------------------------------------


def raced(*texts: Mapping[str, str], column: str, times: int) -> Callable[[Command], Reply]:
    """As `rows`, but for so many times somebody saw the separator in time, and wrote it into a text of the last row."""
    seen: list[str] = []

    def printed(command: Command) -> Reply:
        (separator,) = framing.separators(str(command.options["Format"]))
        seen.append(separator)
        forged = f"x{separator}secret" if len(seen) <= times else "x"
        assert len(set(seen)) == len(seen), "each question has a new separator"
        return rows(*texts[:-1], {**texts[-1], column: forged})(command)

    return printed


NODES = "{ nodes { totalCount nodes { name reason } } }"
TWO = ({"NodeList": "n1"}, {"NodeList": "n2"})


def test_a_separator_that_somebody_saw_in_time_is_replaced_and_asked_once_more() -> None:
    printed = {"sinfo": raced(*TWO, column="Reason", times=1), "scontrol show node": says("")}
    data, errors, node = ask(NODES, printed)
    assert errors == []
    assert [(each["name"], each["reason"]) for each in data["nodes"]["nodes"]] == [("n1", "1"), ("n2", "x")]
    assert [asked.count("sinfo") for asked in node.asked] == [1, 1]


def test_a_separator_that_is_seen_again_is_an_error_of_its_own_that_shows_nothing() -> None:
    printed = {"sinfo": raced(*TWO, column="Reason", times=9), "scontrol show node": says(""), "squeue": rows({})}
    data, (error,), node = ask("{ nodes { totalCount } jobs { totalCount } }", printed)
    assert data == {"nodes": None, "jobs": {"totalCount": 1}}
    assert (error["path"], error["extensions"]) == (["nodes"], {"code": "UNTRUSTED_OUTPUT", "cluster": "lab"})
    assert "secret" not in str(error)
    assert [sorted({"sinfo", "squeue"} & set(asked)) for asked in node.asked] == [["sinfo", "squeue"], ["sinfo"]]


def test_a_change_whose_result_was_forged_reads_it_once_more() -> None:
    printed = {
        "scontrol update node": says(""),
        "sinfo": raced(*TWO, column="Reason", times=1),
        "scontrol show node": says(""),
    }
    document = 'mutation { updateNode(input: {names: ["n2"], action: RESUME}) { nodes { name } errors { code } } }'
    data, errors, _ = ask(document, printed, role=Role.OPERATOR)
    assert (data, errors) == ({"updateNode": {"nodes": [{"name": "n2"}], "errors": []}}, [])


def sacct(times: int) -> Callable[[Command], Reply]:
    """Two jobs; so many times the second one's directory holds the separator."""
    asked: list[Command] = []

    def printed(command: Command) -> Reply:
        asked.append(command)
        end = str(command.options["delimiter"])
        forged = f"/x{end}secret" if len(asked) <= times else "/x"
        jobs = [{"JobID": "7", "WorkDir": "/"}, {"JobID": "8", "WorkDir": forged}]
        ended = dict.fromkeys(("Submit", "Eligible", "Start", "End"), "1795370983")
        known = ended | {
            "State": "COMPLETED",
            "ExitCode": "0:0",
            "DerivedExitCode": "0:0",
            "AllocTRES": "",
            "ReqTRES": "",
        }
        columns = str(command.options["format"]).split(",")
        texts = [known | {"JobIDRaw": job["JobID"], "DBIndex": job["JobID"]} | job for job in jobs]
        return Reply(0, "".join("".join(text.get(column, "1") + end for column in columns) + "\n" for text in texts))

    return printed


@pytest.mark.parametrize(("times", "ids", "codes"), [(1, ["7", "8"], []), (99, None, ["UNTRUSTED_OUTPUT"])])
def test_past_jobs_are_asked_for_once_more_too(times: int, ids: list[str] | None, codes: list[str]) -> None:
    data, errors, node = ask(
        '{ jobHistory(since: "2026-11-01T00:00:00Z") { nodes { jobId } } }', {"sacct": sacct(times), "squeue": rows()}
    )
    assert [error["extensions"]["code"] for error in errors] == codes
    found = data["jobHistory"]
    assert (found and sorted(each["jobId"] for each in found["nodes"])) == (ids and sorted(ids))
    assert sum("sacct" in asked for asked in node.asked) == 2


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
