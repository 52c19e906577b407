"""How the program's answer can be damaged on its way: each way to spoil the envelope that it prints."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

_GZIP = 16 + zlib.MAX_WBITS


def spoiled(stdout: bytes, way: str) -> bytes:
    """The printed answer, spoiled in one of the `WAYS`."""
    return WAYS[way](stdout)


def _altered(alter: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Change the JSON of the envelope; anything that is not an envelope stays as it is."""

    def spoil(stdout: bytes) -> bytes:
        try:
            unpacking = zlib.decompressobj(_GZIP)
            answer = json.loads(unpacking.decompress(base64.b64decode(stdout.strip(), validate=True)))
        except (ValueError, zlib.error):
            return stdout
        packed = gzip.compress(json.dumps(alter(answer)).encode()) + unpacking.unused_data
        return base64.b64encode(packed) + b"\n"

    return spoil


def _each_reply(**wrong: Any) -> Callable[[Any], Any]:
    def alter(answer: Any) -> Any:
        return {**answer, "replies": [{**reply, **wrong} for reply in answer.get("replies", [])]}

    return alter


WAYS: Mapping[str, Callable[[bytes], bytes]] = {
    "cut": lambda stdout: stdout[: len(stdout) // 2],
    "empty": lambda stdout: b"",
    "garbage": lambda stdout: b"Z" * len(stdout),
    "banner": lambda stdout: b"*** Authorized use only ***\n" + stdout,
    "list": _altered(lambda answer: [answer]),
    "no replies": _altered(lambda answer: {name: value for name, value in answer.items() if name != "replies"}),
    "replies null": _altered(lambda answer: {**answer, "replies": None}),
    "replies an object": _altered(lambda answer: {**answer, "replies": {}}),
    "too few replies": _altered(lambda answer: {**answer, "replies": answer.get("replies", [])[:-1]}),
    "not one reply": _altered(lambda answer: {**answer, "replies": []}),
    "replies are texts": _altered(lambda answer: {**answer, "replies": ["done" for _ in answer.get("replies", [])]}),
    "stdout a list": _altered(_each_reply(stdout=["1"])),
    "stdout null": _altered(_each_reply(stdout=None)),
    "exit code a text": _altered(_each_reply(exit_code="0")),
    "refusal a number": _altered(_each_reply(refusal=1, code=2)),
    "error a number": _altered(lambda answer: {"error": 5}),
}
"""The ways by name, which are the values of the fault `spoil`."""
