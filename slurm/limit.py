"""Sentences about limits: of an account or a QOS, on what its jobs, one user's or one job use together (sacctmgr(1)).

`of` is what has the limit, ACCOUNT or QOS; `what` is what is limited: a resource ("CPUs"), or the first word of its
minutes ("CPU").
"""

ACCOUNT, QOS = "account", "QOS"


def in_use(of: str, what: str) -> str:
    """All jobs use as much as they may."""
    return f"The jobs of the {of} together use as much as they may: {what}. The job starts when some of them end."


def spent(of: str, what: str) -> str:
    """A budget is used up."""
    return f"The {of} has used up its {what}. Wait until it is renewed, use another {of}, or ask an administrator."


def ahead(whose: str, what: str) -> str:
    """The running jobs may use as much as is allowed until they end."""
    return (
        f"{whose} running jobs may still use as many {what} minutes as the limit allows. "
        "The job starts as they go on or end; a shorter time limit helps."
    )


def running(whose: str) -> str:
    """As many jobs run as may."""
    return f"{whose} running jobs are as many as the limit allows. The job starts when some of them end."


def submitted(whose: str) -> str:
    """As many jobs wait or run as may."""
    return f"{whose} waiting and running jobs are as many as the limit allows. The job starts when some of them end."


def share(whose: str, what: str) -> str:
    """One user's or one account's jobs in a QOS use as much as they may."""
    return f"{whose} jobs in the QOS use as much as they may: {what}. The job starts when some of them end."


def too_much(of: str, what: str) -> str:
    """One job asks for more than it may have."""
    return f"Asks for more than one job of the {of} may have: {what}. Ask for less, or use another {of}."


def too_much_per_node(of: str, what: str) -> str:
    """One job asks for more on each node than it may have."""
    return f"Asks for more per node than one job of the {of} may have: {what}. Ask for less, or use another {of}."


def too_many_minutes(of: str, what: str) -> str:
    """One job asks for more, times its time limit, than it may have."""
    return (
        f"Asks for more {what} minutes (amount times time limit) than one job of the {of} may have. "
        f"Ask for less or for less time, or use another {of}."
    )


def too_long(of: str) -> str:
    """One job asks for more time than it may have."""
    return f"Asks for more time than one job of the {of} may have. Lower its time limit, or use another {of}."


def too_little(what: str) -> str:
    """One job asks for less than a QOS demands."""
    return f"Asks for less than the QOS demands: {what}. Ask for more, or use another QOS."
