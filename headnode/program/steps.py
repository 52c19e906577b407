"""The steps of a request: operations that run together, each as the account that the document's list names."""

import re
from typing import Any, Dict, List, Optional

from headnode.program.accounts import Account, caller_entry, plain_environment, service_account
from headnode.program.operations import (
    ADMINISTRATOR,
    CALLER,
    NAME_CALLER,
    NAME_READER,
    OPERATIONS,
    READ_FILE,
    READER,
    SUBMIT,
    Operation,
)
from headnode.program.processes import Process, run
from headnode.program.refused import Refused
from headnode.program.scheduler import is_older_than, reader_limited, scheduler_down


def down_before(step: "List[Dict[str, Any]]") -> "Optional[Refused]":
    """Why slurmctld cannot be asked, if the step changes something.

    A change that was never started was certainly not made, so we ask beforehand whether slurmctld answers.
    """
    operations = [OPERATIONS.get(asked["operation"]) for asked in step]
    return scheduler_down() if any(operation and operation.changes for operation in operations) else None


def perform(
    request: "Dict[str, Any]",
    replies: "List[Dict[str, Any]]",
    step: "List[Dict[str, Any]]",
    down: "Optional[Refused]" = None,
) -> "List[Dict[str, Any]]":
    """The replies of operations that run together. Where slurmctld is known to be `down`, none waits for it."""
    answers: "Dict[int, Dict[str, Any]]" = {}
    processes: "Dict[int, Process]" = {}
    operations = [OPERATIONS.get(asked["operation"]) for asked in step]
    for position, asked in enumerate(step):
        operation = operations[position]
        try:
            if operation is None:
                raise Refused("unknown operation '%s'" % asked["operation"])
            if down is not None and (operation.changes or operation.asks_slurmctld):
                raise down
            answer = answer_at_once(request, operation, asked)
            if answer is not None:
                answers[position] = answer
            else:
                processes[position] = prepare(request, replies, operation, asked)
        except Refused as refusal:
            answers[position] = refusal.reply()
        except OSError as error:  # before any effect: no room for a claim, or no new process
            answers[position] = Refused("the head node: %s" % error.strerror, "unavailable").reply()
    run(list(processes.values()))
    late = [process for process in processes.values() if process.refusal and process.refusal.code == "timed_out"]
    limited = reader_limited() if any(process.flows for process in late) else None
    for process in late:
        if limited is not None and process.flows:
            process.refusal = limited
    if request.get("administer"):
        try:
            run_denied_as_administrator(operations, processes)
        except Refused:
            pass  # there is no such account: Slurm's refusal stands
    answers.update((position, process.reply()) for position, process in processes.items())
    return [answers[position] for position in range(len(step))]


def answer_at_once(
    request: "Dict[str, Any]", operation: Operation, asked: "Dict[str, Any]"
) -> "Optional[Dict[str, Any]]":
    """The reply of an operation that does not run beside the others; None if it does."""
    if operation.task == NAME_CALLER:
        name = caller_entry(next(iter(asked["arguments"]), None)).pw_name
        return {"exit_code": 0, "stdout": name}
    if operation.task == NAME_READER:
        operation.argv(asked, [])  # refuses options and arguments
        return {"exit_code": 0, "stdout": service_account(READER).entry.pw_name}
    if operation.task == SUBMIT:
        from headnode.program.submission import submit

        return submit(request, operation, asked)
    if operation.until is not None and not is_older_than(operation.until):
        return {"exit_code": 0, "stdout": ""}
    return None


def prepare(
    request: "Dict[str, Any]", replies: "List[Dict[str, Any]]", operation: Operation, asked: "Dict[str, Any]"
) -> Process:
    """The process of an operation: a read as the reader, anything else as the caller or the administrator."""
    argv = operation.argv(asked, replies)
    variables = operation.variables(asked)
    if operation.task == READ_FILE:  # with the user's own rights, for an operator too
        from headnode.program.files import Reading

        return Reading(asked["options"], Account(caller_entry(request["user"]), {}))
    if operation.runs_as not in (READER, CALLER, ADMINISTRATOR):
        raise Refused("'%s' is not an operation that can be run" % operation.name)
    if operation.runs_as == ADMINISTRATOR and not request.get("administer"):
        raise Refused("only an operator may run '%s'" % operation.name, "forbidden")
    account = actor(request) if operation.runs_as == CALLER else service_account(operation.runs_as)
    account.environment.update(variables)
    if operation.runs_as != READER:
        return Process(argv, account)
    return Process(argv, account, watch=scheduler_down if operation.asks_slurmctld else None, flows=True)


def actor(request: "Dict[str, Any]") -> Account:
    """The calling user; an operator without an account acts as Slurm's administrator."""
    try:
        return Account(caller_entry(request["user"]), plain_environment())
    except Refused:
        if not request.get("administer"):
            raise
        return service_account(ADMINISTRATOR)


def run_denied_as_administrator(operations: "List[Optional[Operation]]", processes: "Dict[int, Process]") -> None:
    """Repeat as Slurm's administrator what an operator's own account may not do.

    Reads as the reader are not repeated: other callers see their answers, too.
    """
    denied = {}
    for position, process in processes.items():
        operation = operations[position]
        if operation is None or not operation.changes or operation.runs_as != CALLER:
            continue
        if re.search(b"denied|Invalid user id", process.stderr):  # scontrol hold and release say "Invalid user id"
            denied[position] = process
    if not denied:
        return
    account = service_account(ADMINISTRATOR)
    again = {position: Process(process.argv, account) for position, process in denied.items()}
    run(list(again.values()))
    processes.update(again)
