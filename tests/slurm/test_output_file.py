"""Parts of a file: cut where characters and lines are, so that following by offset loses and doubles nothing."""

import base64
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.command import Command, ProgramRefusedError, Reply
from slurm.errors import ParseError
from slurm.output_file import READ_LIMIT, FilePart, Unreadable, UnreadableCode, read_file


def reply_for(command: Command, content: bytes) -> Reply:
    """What the program on the head node answers for a file with that content."""
    limit = int(command.options["limit"])
    offset = max(0, len(content) - limit) if "from-end" in command.options else int(command.options["offset"])
    about = {"size": len(content), "modified": 1700000000.5, "offset": offset}
    encoded = base64.b64encode(content[offset : offset + limit]).decode()
    return Reply(0, stdout=f"{json.dumps(about)}\n{encoded}\n")


def part(
    content: bytes, limit: int = 100, offset: int = 0, from_end: bool = False, lines: int | None = None
) -> FilePart:
    question = read_file("/f", limit=limit, offset=offset, from_end=from_end, lines=lines)
    found = question.read([reply_for(question.commands[0], content)])
    assert isinstance(found, FilePart)
    return found


def follow(contents: Sequence[bytes], limit: int) -> str:
    """What a reader has seen who reads on by offset while the file grows."""
    seen, offset = "", 0
    for content in contents:
        while True:
            found = part(content, limit, offset)
            assert found.offset == offset
            seen += found.text
            if found.end == offset:
                break
            offset = found.end
    return seen


def test_a_part_has_its_offset_and_the_next_offset() -> None:
    found = part(b"hello world", limit=5, offset=6)
    assert (found.text, found.offset, found.end, found.size) == ("world", 6, 11, 11)
    assert found.modified.isoformat() == "2023-11-14T22:13:20.500000+00:00"


def test_the_end_of_a_file_is_read_from_a_characters_beginning() -> None:
    found = part("aé€".encode(), limit=4, from_end=True)  # 1 + 2 + 3 bytes: the window cuts the é
    assert (found.text, found.offset, found.end) == ("€", 3, 6)


def test_a_character_that_is_half_written_comes_whole_with_the_next_part() -> None:
    found = part("a€".encode()[:-1])
    assert (found.text, found.end, found.size) == ("a", 1, 3)
    assert part("a€".encode(), offset=found.end).text == "€"


def test_bytes_that_are_not_utf_8_are_replacement_characters() -> None:
    assert part(b"a\xff\xfeb").text == "a\ufffd\ufffdb"


@given(st.text(max_size=40), st.integers(4, 9), st.lists(st.integers(0, 200), max_size=4))
def test_following_by_offset_loses_and_doubles_nothing(text: str, limit: int, cuts: list[int]) -> None:
    content = text.encode()
    grown = [content[:cut] for cut in sorted(cuts)]
    assert follow([*grown, content], limit) == text


@given(st.binary(max_size=40), st.integers(4, 9))
def test_following_a_file_that_is_not_utf_8_gives_what_decoding_it_whole_gives(content: bytes, limit: int) -> None:
    assert follow([content + b"\n"], limit) == (content + b"\n").decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("content", "lines", "text", "offset"),
    [
        (b"a\nb\nc\n", 2, "b\nc\n", 2),
        (b"a\nb\nc", 2, "b\nc", 2),
        (b"a\n\n\n", 2, "\n\n", 2),
        (b"a\r\nb\x0bc\x85\n", 1, "b\x0bc\ufffd\n", 3),
        (b"a\nb\n", 9, "a\nb\n", 0),
        (b"", 1, "", 0),
    ],
)
def test_the_last_lines_are_those_of_tail(content: bytes, lines: int, text: str, offset: int) -> None:
    found = part(content, from_end=True, lines=lines)
    assert (found.text, found.offset, found.end) == (text, offset, len(content))


def test_the_first_lines_end_where_the_next_one_begins() -> None:
    found = part(b"a\nbb\nc\n", lines=2)
    assert (found.text, found.end) == ("a\nbb\n", 5)
    assert part(b"a\nbb\nc\n", offset=found.end, lines=2).text == "c\n"


def test_a_file_that_was_written_anew_says_so() -> None:
    found = part(b"new", offset=10)
    assert (found.text, found.end, found.is_shorter) == ("", 10, True)
    assert not part(b"new", offset=3).is_shorter


@pytest.mark.parametrize(
    ("about", "code", "message"),
    [
        ({"error": "missing"}, UnreadableCode.MISSING, "/f does not exist, or not yet."),
        ({"error": "folder"}, UnreadableCode.FOLDER, "/f is a folder."),
        ({"error": "special"}, UnreadableCode.SPECIAL, "/f is not a file that holds data."),
        ({"error": "forbidden", "message": "Permission denied"}, UnreadableCode.FORBIDDEN, "You may not read /f."),
        (
            {"error": "failed", "message": "Stale file handle"},
            UnreadableCode.FAILED,
            "/f could not be read: Stale file handle.",
        ),
    ],
)
def test_why_a_file_cannot_be_read_is_a_code_and_a_sentence(
    about: dict[str, str], code: UnreadableCode, message: str
) -> None:
    assert read_file("/f", limit=9).read([Reply(0, stdout=json.dumps(about) + "\n\n")]) == Unreadable(code, message)


def test_a_dead_file_server_is_not_an_error_of_the_request() -> None:
    found = read_file("/f", limit=9).read([Reply(None, refusal="too long", refusal_code="timed_out")])
    assert isinstance(found, Unreadable)
    assert found.code is UnreadableCode.FAILED


def test_a_caller_without_an_account_may_not_read() -> None:
    found = read_file("/f", limit=9).read([Reply(None, refusal="no account 'x'", refusal_code="forbidden")])
    assert found == Unreadable(UnreadableCode.FORBIDDEN, "You may not read /f: no account 'x'.")


def test_a_request_that_the_program_refuses_is_an_error() -> None:
    with pytest.raises(ProgramRefusedError):
        read_file("/f", limit=9).read([Reply(None, refusal="option", refusal_code="invalid")])


@pytest.mark.parametrize("printed", ["", "{}", "[]\nYQ==", '{"size": 1, "modified": 1, "offset": 0}\n!', "x\ny"])
def test_an_answer_that_is_none_is_an_error(printed: str) -> None:
    with pytest.raises(ParseError, match="part of a file"):
        read_file("/f", limit=9).read([Reply(0, stdout=printed)])


@pytest.mark.parametrize(
    ("path", "limit", "offset", "from_end", "lines"),
    [
        ("f", 9, 0, False, None),
        ("/f\0", 9, 0, False, None),
        ("/f", 3, 0, False, None),
        ("/f", READ_LIMIT + 1, 0, False, None),
        ("/f", 9, -1, False, None),
        ("/f", 9, 10**15, False, None),
        ("/f", 9, 1, True, None),
        ("/f", 9, 0, False, 0),
    ],
)
def test_impossible_arguments_are_refused_before_anything_is_sent(
    path: str, limit: int, offset: int, from_end: bool, lines: int | None
) -> None:
    with pytest.raises(ValueError, match=r"must|path"):
        read_file(path, limit=limit, offset=offset, from_end=from_end, lines=lines)
