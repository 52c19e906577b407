"""Files on the cluster, read through SSM with the calling user's rights: never more than the user could see alone."""

import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headnode.deadline import Deadline
from headnode.node import Actor, Bundle, HeadNode
from local.cluster import Cluster
from local.stack import Stack
from slurm import batch_script as scripts
from slurm.command import Question
from slurm.output_file import READ_LIMIT, FilePart, Unreadable, UnreadableCode, read_file
from slurm.refusal import Refusal, RefusalCode

ROOT = os.geteuid() == 0
only_root_makes_users = pytest.mark.skipif(not ROOT, reason="needs a second user, and only root can become one")


@pytest.fixture(scope="session")
def head_node(stack: Stack) -> HeadNode:
    import handler

    return handler.clusters["lab"].node


@pytest.fixture
def ask(head_node: HeadNode, lab: Cluster) -> Callable[..., object]:
    def ask(question: Question[object], user: str = "", administer: bool = False) -> object:
        bundle = Bundle([question.commands], Actor(user or lab.users[0].name, administer))
        return question.read(head_node.run(bundle, Deadline.after(25), "test"))

    return ask


@pytest.fixture
def folder(lab: Cluster, request: pytest.FixtureRequest) -> Path:
    """A folder of the first demo user's."""
    user = lab.users[0]
    folder = user.workspace / f"files-{time.time_ns()}"
    folder.mkdir()
    os.chown(folder, user.uid, user.gid)
    return folder


def own(path: Path, lab: Cluster, mode: int = 0o600) -> Path:
    os.chown(path, lab.users[0].uid, lab.users[0].gid)
    path.chmod(mode)
    return path


def code(found: object) -> UnreadableCode:
    assert isinstance(found, Unreadable), found
    return found.code


def text(found: object) -> str:
    assert isinstance(found, FilePart), found
    return found.text


def test_a_users_own_file_is_read(ask: Callable[..., object], folder: Path, lab: Cluster) -> None:
    path = folder / "naïve name\n.out"
    path.write_text("häuser\n")
    own(path, lab)
    found = ask(read_file(str(path), limit=100))
    assert isinstance(found, FilePart)
    assert (found.text, found.offset, found.end, found.size) == ("häuser\n", 0, 8, 8)
    assert found.modified.timestamp() == pytest.approx(path.stat().st_mtime)


def test_a_file_is_read_from_any_byte_and_from_its_end(ask: Callable[..., object], folder: Path, lab: Cluster) -> None:
    path = folder / "out"
    path.write_text("one\ntwo\nthree\n")
    own(path, lab)
    assert text(ask(read_file(str(path), limit=4, offset=4))) == "two\n"
    assert text(ask(read_file(str(path), limit=6, from_end=True))) == "three\n"
    assert text(ask(read_file(str(path), limit=100, from_end=True, lines=2))) == "two\nthree\n"
    assert text(ask(read_file(str(path), limit=100, offset=100))) == ""


def test_a_read_returns_at_most_the_requested_bytes(ask: Callable[..., object], folder: Path, lab: Cluster) -> None:
    path = folder / "large"
    with path.open("wb") as file:
        file.truncate(3 * READ_LIMIT)
    own(path, lab)
    found = ask(read_file(str(path), limit=READ_LIMIT))
    assert isinstance(found, FilePart)
    assert (len(found.text), found.end, found.size) == (READ_LIMIT, READ_LIMIT, 3 * READ_LIMIT)


def test_a_running_jobs_output_is_followed_by_offset(ask: Callable[..., object], lab: Cluster) -> None:
    loop = "for i in $(seq 60); do printf 'Zeile %03d → ✓\\n' $i; sleep 0.02; done"
    path = lab.users[0].workspace / "followed.out"
    argv = ["sbatch", "--parsable", "-C", "static", "-o", str(path)]
    job = lab.run(*argv, user=lab.users[0].name, input=f"#!/bin/bash\n{loop}\n").stdout.strip()
    seen, offset, give_up = "", 0, time.monotonic() + 60
    while not seen.endswith("060 → ✓\n"):
        assert time.monotonic() < give_up, f"job {job} does not end: {seen!r}"
        found = ask(read_file(str(path), limit=64, offset=offset))
        if isinstance(found, Unreadable):
            assert found.code is UnreadableCode.MISSING  # the job has not started
            continue
        assert isinstance(found, FilePart)
        seen, offset = seen + found.text, found.end
    assert seen == "".join(f"Zeile {i:03} → ✓\n" for i in range(1, 61))


def test_a_missing_file_is_reported(ask: Callable[..., object], folder: Path) -> None:
    assert code(ask(read_file(f"{folder}/none", limit=100))) is UnreadableCode.MISSING
    assert code(ask(read_file(f"{folder}/none/below", limit=100))) is UnreadableCode.MISSING


def test_a_folder_is_not_read_as_a_file(ask: Callable[..., object], folder: Path) -> None:
    assert code(ask(read_file(str(folder), limit=100))) is UnreadableCode.FOLDER


def test_a_pipe_a_socket_and_a_device_are_refused_at_once(
    ask: Callable[..., object], folder: Path, lab: Cluster
) -> None:
    os.mkfifo(folder / "pipe")
    own(folder / "pipe", lab, 0o666)
    (folder / "link").symlink_to(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # a socket's path is short
        listening.bind("socket")
        os.chdir(here)
        own(folder / "socket", lab, 0o666)
        started = time.monotonic()
        for name in ("pipe", "link", "socket"):
            assert code(ask(read_file(f"{folder}/{name}", limit=100))) is UnreadableCode.SPECIAL
    assert code(ask(read_file("/dev/zero", limit=100))) is UnreadableCode.SPECIAL
    assert time.monotonic() - started < 15
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/cmdline", "/proc/self/fd/0", "/sys/kernel/mm"])
def test_files_of_the_kernel_are_not_read(ask: Callable[..., object], path: str) -> None:
    assert code(ask(read_file(path, limit=100))) in (
        UnreadableCode.SPECIAL,
        UnreadableCode.FORBIDDEN,
        UnreadableCode.FOLDER,
    )


def test_a_users_link_gives_no_more_than_the_users_rights(
    ask: Callable[..., object], folder: Path, lab: Cluster
) -> None:
    (folder / "shadow").symlink_to("/etc/shadow")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "gone").symlink_to("nowhere")
    (folder / "round").symlink_to("round")
    assert code(ask(read_file(f"{folder}/shadow", limit=100))) is UnreadableCode.FORBIDDEN
    assert code(ask(read_file("/etc/shadow", limit=100))) is UnreadableCode.FORBIDDEN
    assert text(ask(read_file(f"{folder}/passwd", limit=100))).startswith("root:")
    assert code(ask(read_file(f"{folder}/gone", limit=100))) is UnreadableCode.MISSING
    assert code(ask(read_file(f"{folder}/round", limit=100))) is UnreadableCode.FAILED


@only_root_makes_users
def test_another_users_file_is_refused_to_an_operator_too(
    ask: Callable[..., object], folder: Path, lab: Cluster
) -> None:
    path = folder / "private.out"
    path.write_text("secret\n")
    own(path, lab)
    assert text(ask(read_file(str(path), limit=100), user="ada")) == "secret\n"
    assert code(ask(read_file(str(path), limit=100), user="grace")) is UnreadableCode.FORBIDDEN
    assert code(ask(read_file(str(path), limit=100), user="grace", administer=True)) is UnreadableCode.FORBIDDEN
    folder.chmod(0o700)
    assert code(ask(read_file(f"{folder}/whatever", limit=100), user="grace")) is UnreadableCode.FORBIDDEN


@only_root_makes_users
def test_a_users_groups_count(ask: Callable[..., object], folder: Path, lab: Cluster) -> None:
    path = folder / "shared.out"
    path.write_text("for analysts\n")
    extra = next(group for group in lab.user("ada").groups if group not in (lab.user("ada").gid,))
    os.chown(path, 0, extra)
    path.chmod(0o640)
    assert text(ask(read_file(str(path), limit=100), user="ada")) == "for analysts\n"
    assert code(ask(read_file(str(path), limit=100), user="grace")) is UnreadableCode.FORBIDDEN


@pytest.mark.parametrize("user", ["root", "slurm", "nobody", "daemon", "nobody-of-that-name"])
def test_no_file_is_read_as_a_system_account(ask: Callable[..., object], user: str) -> None:
    for administer in (False, True):
        found = ask(read_file("/etc/passwd", limit=100), user=user, administer=administer)
        assert code(found) is UnreadableCode.FORBIDDEN


def test_many_files_are_read_at_once_and_each_has_its_answer(
    ask: Callable[..., object], folder: Path, lab: Cluster
) -> None:
    questions = []
    for number in range(20):
        path = folder / str(number)
        path.write_text(f"file {number}" * 1000)
        questions.append(read_file(str(own(path, lab)), limit=READ_LIMIT))
    commands = tuple(command for question in questions for command in question.commands)
    replies = ask(Question(commands, list))
    assert isinstance(replies, list)
    for number, (question, reply) in enumerate(zip(questions, replies, strict=True)):
        assert text(question.read([reply])) == f"file {number}" * 1000


SCRIPT = "#!/bin/bash\n# 'quotes' \"$(id)\" é ✓\n\ttrue\n\n"


@pytest.fixture(scope="module")
def held(lab: Cluster) -> str:
    argv = ["sbatch", "--hold", "--parsable", "--array=1-2", "-o", "/dev/null"]
    return lab.run(*argv, user=lab.users[0].name, input=SCRIPT).stdout.strip()


def test_a_jobs_script_is_returned_unchanged(ask: Callable[..., object], held: str) -> None:
    for job in (held, f"{held}_1", f"{held}_[1-2]"):
        assert ask(scripts.batch_script(job)) == SCRIPT


def test_an_unknown_jobs_script_is_not_found(ask: Callable[..., object]) -> None:
    found = ask(scripts.batch_script("999999"))
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.NOT_FOUND


@only_root_makes_users
def test_another_users_script_is_refused(ask: Callable[..., object], held: str) -> None:
    found = ask(scripts.batch_script(held), user="grace")
    assert isinstance(found, Refusal)
    assert found.code is RefusalCode.FORBIDDEN


@only_root_makes_users
def test_an_operator_sees_every_script_like_slurms_administrator(ask: Callable[..., object], held: str) -> None:
    assert ask(scripts.batch_script(held), user="grace", administer=True) == SCRIPT
