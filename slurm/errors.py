"""The one error of Slurm's value grammar."""

SHOWN_CHARACTERS = 200


class ParseError(ValueError):
    """Text that is no value of its kind in any Slurm release this project reads.

    `what` names the kind of value ("hostlist", "duration"); `text` is the offending text, whole. The message
    shows at most 200 characters of it, as the text may be a job's name or a list of thousands of nodes.
    """

    def __init__(self, what: str, text: str) -> None:
        self.what = what
        self.text = text
        shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
        super().__init__(f"not a valid {what}: {shown!r}")

    def __reduce__(self) -> tuple[type["ParseError"], tuple[str, str]]:
        # An exception is rebuilt from `args`, which holds the message: copying would lose `what` and `text`.
        return type(self), (self.what, self.text)
