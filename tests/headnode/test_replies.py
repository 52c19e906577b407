"""Replies on their way back: as they were, or a clear error, whatever the head node sends."""

import gzip
import json
import tracemalloc

import pytest

from headnode import replies
from headnode.errors import ClusterUnreachableError, ResponseTooLargeError
from slurm.command import Reply


def test_replies_come_back_as_they_were() -> None:
    sent = [Reply(0, "out \u2603", "", 0.5), Reply(1, stderr="slurm_load_jobs error")]
    assert [replies.reply(told) for told in replies.unpack(replies.pack(sent))["replies"]] == sent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no gzip",
        replies.pack([Reply(0)])[:-9],
        gzip.compress(b"no JSON"),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b"[]"),
        gzip.compress(b'{"replies": 1}'),
        gzip.compress(b'{"replies": [1]}'),
        gzip.compress(b"{}"),
        gzip.compress(b'{"replies": [{"stdout": 1}]}'),
        gzip.compress(b'{"replies": [{"stdout": 2}]}') + gzip.compress(b"x"),
    ],
    ids=[
        "nothing",
        "no gzip",
        "cut off",
        "no JSON",
        "brackets",
        "a list",
        "no replies",
        "no reply",
        "nothing told",
        "no member",
        "another member",
    ],
)
def test_unreadable_replies_are_reported(body: bytes) -> None:
    with pytest.raises(ClusterUnreachableError, match="cannot be read"):
        replies.unpack(body)


def test_members_past_the_limit_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "UNPACKED_LIMIT", 1 << 20)
    body = replies.pack([Reply(0, "x" * 600_000)])
    assert len(replies.unpack(body)["replies"]) == 1
    with pytest.raises(ResponseTooLargeError, match="more than 1 MiB"):
        replies.unpack(replies.pack([Reply(0, "x" * 600_000)] * 2))


def test_an_answer_that_would_fill_the_memory_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "UNPACKED_LIMIT", 1 << 20)
    bomb = gzip.compress(json.dumps("x" * (100 << 20)).encode(), 1)
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLargeError, match="more than 1 MiB"):
            replies.unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
