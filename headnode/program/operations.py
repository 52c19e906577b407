"""The operations that the document lists, and the checks that no list can loosen."""

import re
from typing import Any, Dict, List, Optional, Sequence

from headnode.program.refused import Refused

RUN, SUBMIT, READ_FILE, NAME_CALLER, NAME_READER = "run", "submit", "read_file", "name_caller", "name_reader"
# The commands that each task may run, found in the settings' path: never a shell. "" means that it runs none.
COMMANDS = {
    RUN: "sacct sacctmgr scancel scontrol sdiag sinfo sprio squeue sshare sstat".split(),
    SUBMIT: ["sbatch"],
    READ_FILE: [""],
    NAME_CALLER: [""],
    NAME_READER: [""],
}
READER, CALLER, ADMINISTRATOR = "reader", "caller", "administrator"
OPTION = r"[A-Za-z][A-Za-z0-9-]*"
ANOTHER_USER = ("uid", "gid")  # options that would choose another account
# Variables of other commands choose columns. Those of sbatch become the job's, except options of sbatch and those that
# load code into it: a script can set these for the job.
COLUMNS_VARIABLE = r"S(?!LURM|BATCH)[A-Z]+_FORMAT2?"
JOB_VARIABLE = r"(?!SLURM_|SBATCH_|LD_PRELOAD\Z|LD_AUDIT\Z)[A-Za-z_][A-Za-z0-9_]*"


class Operation:
    """One line of the document's list; slurm/operation.py describes its parts."""

    def __init__(
        self,
        name: str,
        words: "Sequence[str]" = (),
        options: "Optional[Dict[str, str]]" = None,
        environment: "Optional[Dict[str, str]]" = None,
        argument: "Optional[str]" = None,
        argument_is_optional: bool = False,
        last_words: "Sequence[str]" = (),
        runs_as: str = READER,
        task: str = RUN,
        assigns: bool = False,
        needs: "Sequence[str]" = (),
        until: "Optional[Sequence[int]]" = None,
        asks_slurmdbd: bool = False,
        refusals: "Sequence[str]" = (),
    ) -> None:
        self.name = name
        self.words = list(words)
        self.options = options or {}
        self.environment = environment or {}
        self.argument = argument
        self.argument_is_optional = argument_is_optional
        self.last_words = list(last_words)
        self.runs_as = runs_as
        self.task = task
        self.assigns = assigns
        self.needs = needs
        self.until = until
        self.asks_slurmdbd = asks_slurmdbd
        self.refusals = refusals

    @property
    def changes(self) -> bool:
        """Whether it runs a command whose answer callers do not share: a change, or a read as the caller."""
        return bool(self.words) and self.runs_as != READER

    @property
    def asks_slurmctld(self) -> bool:
        """Whether it is a read that waits while slurmctld does not answer."""
        return bool(self.words) and self.runs_as == READER and not self.asks_slurmdbd

    def argv(self, asked: "Dict[str, Any]", replies: "List[Dict[str, Any]]") -> "List[str]":
        """The argument vector. Checks every word of it and raises Refused."""
        command = self.words[0] if self.words else ""
        if command not in COMMANDS.get(self.task, ()):
            raise Refused("'%s' may not run '%s'" % (self.name, command))
        options = [self.option(name, value, replies) for name, value in asked["options"].items()]
        missing = [name for name in self.needs if name not in asked["options"]]
        if self.argument is not None and not self.argument_is_optional and not asked["arguments"]:
            missing.append("an argument")
        if missing:
            raise Refused("'%s' needs %s" % (self.name, ", ".join(missing)))
        for value in asked["arguments"]:
            if self.argument is None or not matches(self.argument, value) or value.startswith("-"):
                raise Refused("argument '%s' is not allowed" % value)
        return self.words + options + list(asked["arguments"]) + self.last_words

    def option(self, name: str, value: "Any", replies: "List[Dict[str, Any]]") -> str:
        """An option and its value, as one word."""
        if isinstance(value, dict):
            value = submitted_job(replies, value.get("job_of"))
        pattern = self.options.get(name)
        if pattern is None or name in ANOTHER_USER or not matches(OPTION, name) or not matches(pattern, value):
            raise Refused("option '%s' is not allowed with this value" % name)
        if self.assigns:
            return "%s=%s" % (name, value)
        # If the pattern begins with |, the option's value is optional.
        bare = pattern == "" or (value == "" and pattern.startswith("|"))
        return "--" + name if bare else "--%s=%s" % (name, value)

    def variables(self, asked: "Dict[str, Any]") -> "Dict[str, str]":
        """The variables of a request. Checks each of them and raises Refused."""
        allowed = JOB_VARIABLE if self.task == SUBMIT else COLUMNS_VARIABLE
        variables = {}
        for name, value in asked["environment"].items():
            patterns = [self.environment[each] for each in self.environment if matches(each, name)]
            if not matches(allowed, name) or not any(matches(pattern, value) for pattern in patterns):
                raise Refused("variable '%s' is not allowed with this value" % name)
            variables[name] = value
        return variables


OPERATIONS: "Dict[str, Operation]" = {}


def list_operations(table: "Dict[str, Dict[str, Any]]") -> None:
    """Replace OPERATIONS with the document's list."""
    OPERATIONS.clear()
    OPERATIONS.update((name, Operation(name, **parts)) for name, parts in table.items())


def matches(pattern: str, value: object) -> bool:
    """Whether the whole text matches. A NUL never matches, because it would end a word of a command."""
    return (
        isinstance(value, str) and "\0" not in value and re.match("(?:" + pattern + r")\Z", value, re.ASCII) is not None
    )


def submitted_job(replies: "List[Dict[str, Any]]", number: "Any") -> str:
    """The job id that an earlier sbatch printed: the reply with that number."""
    reply = replies[number] if isinstance(number, int) and 0 <= number < len(replies) else {}
    job = reply.get("stdout")
    if reply.get("exit_code") != 0 or not matches(r"[0-9]{1,10}", job):
        raise Refused("no job was submitted")
    if reply.get("forgotten"):
        raise Refused("the scheduler no longer lists job %s" % job, "forgotten")
    return str(job)
