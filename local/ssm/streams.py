"""How the agent and the service cut a script's output, and how the agent writes it as JSON.

Source: amazon-ssm-agent (iohandler.go, commandoutput.go), Go's encoding/json, and the service model's limits.
"""

STDOUT_CHARACTERS = 24_000
STDERR_CHARACTERS = 8_000
_CUT_MARK = b"--output truncated--"
_AGENT_BYTES = 24_000

_OUTPUT_BYTES = 2_500
_ERROR_TITLE = b"\n----------ERROR-------\n"
_OUTPUT_CUT_MARK = b"\n---Output truncated---"
_ERROR_CUT_MARK = b"\n---Error truncated----"

# How Python's surrogateescape decodes bytes that are not UTF-8.
_NOT_UTF8 = range(0xDC80, 0xDD00)

# Go's encoding/json writes \ufffd for a byte that is not UTF-8 and escapes <, > and & because of HTML.
_GO_ESCAPES: dict[int, str] = {code: f"\\u{code:04x}" for code in (*range(0x20), ord("<"), ord(">"), ord("&"))}
_GO_ESCAPES |= {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_GO_ESCAPES |= dict.fromkeys(_NOT_UTF8, "\\ufffd")
_GO_ESCAPES |= {0x2028: "\\u2028", 0x2029: "\\u2029"}

_REPLACEMENTS = dict.fromkeys(_NOT_UTF8, "\ufffd")


def keep(stream: bytes) -> bytes:
    """Cut one stream as the agent does: from 24,000 bytes on, 23,980 bytes and a mark remain."""
    if len(stream) < _AGENT_BYTES:
        return stream
    return stream[: _AGENT_BYTES - len(_CUT_MARK)] + _CUT_MARK


def text(stream: bytes) -> str:
    """Return the stream as text for JSON: every byte that is not UTF-8 becomes U+FFFD."""
    return stream.decode("utf-8", "surrogateescape").translate(_REPLACEMENTS)


def go_json_length(stream: bytes) -> int:
    """Return how many bytes Go's encoding/json writes for the stream, including the quotes."""
    return len(stream.decode("utf-8", "surrogateescape").translate(_GO_ESCAPES).encode()) + 2


def combined(stdout: bytes, stderr: bytes) -> bytes:
    """Join both streams and cut them to 2,500 bytes, as in the agent's reply (agent: TruncateOutput)."""
    title = _ERROR_TITLE if stderr else b""
    room = _OUTPUT_BYTES - len(title)
    if len(stdout) + len(stderr) < room:
        return stdout + title + stderr
    if len(stdout) > room // 2 and len(stderr) > room // 2:
        half = (room - len(_ERROR_CUT_MARK) - len(_OUTPUT_CUT_MARK)) // 2
        return stdout[:half] + _OUTPUT_CUT_MARK + title + stderr[:half] + _ERROR_CUT_MARK
    if len(stdout) < room // 2:
        return stdout + title + stderr[: room - len(_ERROR_CUT_MARK) - len(stdout)] + _ERROR_CUT_MARK
    return stdout[: room - len(_OUTPUT_CUT_MARK) - len(stderr)] + _OUTPUT_CUT_MARK + title + stderr
