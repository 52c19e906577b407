"""Texts that an attacker would send, by kind, around a canary that must stay silent."""

from collections.abc import Iterator
from itertools import chain, product


def families(canary: str) -> list[list[str]]:
    """The texts by kind. `canary` is a folder that anybody may write to: whatever appears in it was made by a text."""
    made = (
        _shell(f"touch {canary}/shell"),
        _options(canary),
        _systems_manager(),
        _graphql(),
        _paths(canary),
        _characters(),
        _grammars(canary),
        _variables(canary),
        _framing(),
        _other_languages(canary),
    )
    return list(map(list, made))


def strings(canary: str) -> list[str]:
    """All of them, each once."""
    return list(dict.fromkeys(chain.from_iterable(families(canary))))


def _shell(command: str) -> Iterator[str]:
    """What a shell would run, alone and behind words that are right by themselves."""
    wrapped = [
        f"$({command})",
        f"`{command}`",
        f"; {command} ;",
        f";{command}#",
        f"| {command}",
        f"|| {command}",
        f"& {command} &",
        f"&& {command}",
        f"\n{command}\n",
        f"\r\n{command}\r\n",
        f"' ; {command} ; '",
        f'" ; {command} ; "',
        f"'$({command})'",
        f'"$({command})"',
        f"$(({command}))",
        f"<({command})",
        f"${{x:-$({command})}}",
        f"\\\n{command}",
        f"\\'; {command}; \\'",
        command.replace(" ", "${IFS}"),
        command.replace(" ", "\t"),
        f"{{{command.replace(' ', ',')}}}",
        f"<<EOF\n$({command})\nEOF\n",
        f"!{command}",
    ]
    for before, text in product(("", "queue1", "1", "/home/", "x "), wrapped):
        yield before + text
    yield from ("*", "?", "[a-z]*", "~", "~root", "$HOME", "${PATH}", "$0", "$$", "!!", "{a,b}", "$'\\x24'")


def _options(canary: str) -> Iterator[str]:
    """What sbatch, scancel, squeue, sacct and scontrol would take for an option."""
    options = [
        "-",
        "--",
        "-o",
        "--uid=0",
        "--gid=0",
        f"--wrap=touch {canary}/wrap",
        "--get-user-env",
        "--chdir=/root",
        "-D/",
        "--export=ALL,LD_PRELOAD=/x.so",
        "--help",
        "--usage",
        "--version",
        "--wait",
        "--me",
        "-u root",
        "--user=root",
        "--clusters=all",
        "-M all",
        "--full",
        "--signal=KILL",
        f"--output={canary}/output",
        f"--export-file={canary}/x",
        "--bb=#DW jobdw",
        "--reservation=x",
        "@/etc/passwd",
    ]
    for frame, option in product(("{}", " {}", "x {}", "x\n{}", "x={}", "1,{}"), options):
        yield frame.format(option)


def _systems_manager() -> Iterator[str]:
    yield from (
        "{{ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}",
        "{{ssm-secure:/prod/password}}",
        "{{ssm:x:1}}",
        "{{ platformType }}",
        "{{ request }}",
        "{{request}}",
        "{{ global:DATE_TIME }}",
        "{{resolve:secretsmanager:x}}",
        "{{{{ request }}}}",
        "}}",
        "${AWS::AccountId}",
        "END OF REQUEST\n",
        "END OF REQUEST\nid\n",
        "END_OF_REQUEST",
    )


def _graphql() -> Iterator[str]:
    yield from (
        '"} } { __schema { types { name } } }',
        '") { id } x: jobs(cluster: "',
        '"""',
        '\\"""',
        "\\u0022",
        "# a comment",
        "$id",
        "...F",
        "null",
        "true",
        "0",
        "__typename",
        '{"script": "x"}',
        "[]",
        "@skip(if: true)",
        "lab:1",
        "annex:1",
        "lab:lab:1",
        ":1",
        "lab:",
    )


def _paths(canary: str) -> Iterator[str]:
    targets = [
        "/etc/shadow",
        "/root/.ssh/id_rsa",
        "/proc/self/environ",
        "/proc/1/root/etc/shadow",
        "/sys/kernel/notes",
        "/dev/zero",
        "/dev/tcp/127.0.0.1/1",
        "/home/grace/.bashrc",
        "/etc/munge/munge.key",
        f"{canary}/path",
    ]
    for frame, target in product(
        ("{}", "/home/../..{}", "../../../../../..{}", "{}/", "//{}", ".{}", "%2e%2e{}"), targets
    ):
        yield frame.format(target)
    yield from (
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "s3://somebody-elses/job.sh",
        "s3://slurmql-scripts/../slurmql/answers/1",
        "s3://slurmql-scripts/%2e%2e/x",
        "s3://slurmql-scripts//x",
        "s3://slurmql-scripts",
        "s3://SLURMQL-SCRIPTS/x",
        "\\\\server\\share",
        "/" * 5000,
        "/" + "a/" * 2500,
    )


def _characters() -> Iterator[str]:
    for code in (
        *range(32),
        0x7F,
        0x85,
        0xA0,
        0xAD,
        0x200B,
        0x200D,
        0x200E,
        0x200F,
        0x2028,
        0x2029,
        0x202E,
        0x2066,
        0xFEFF,
    ):
        yield f"a{chr(code)}b"
    yield from (
        "",
        " ",
        "\t",
        "\0",
        "a\0--uid=0",
        "\r\nX-Header: y\r\n\r\n",
        "\u202egpj.exe",
        "\ud800",
        "\udfff",
        "a\udcffb",
        "\ud83d",
        "\udc00\ud800",
        "\ufffe\uffff",
        "\U0010ffff",
        "e" + "\u0301" * 500,
        "👩\u200d👩\u200d👧\u200d👦",
        "аda",  # noqa: RUF001 - a Cyrillic letter, on purpose
        "ＡＤＡ",  # noqa: RUF001 - fullwidth, on purpose
        "ADA",
        "ﷺ" * 40,
        "١٢٣",
        "²",
        "x" * 1025,
        "é" * 512,
        "é" * 513,
        "x" * 70_000,
        "%" * 3000,
        "\\" * 1000,
        '"' * 1000,
        "'" * 1001,
    )


def _grammars(canary: str) -> Iterator[str]:
    """Slurm's own: hostlists, arrays, dependencies, file names, the words of scontrol, names that mean something."""
    yield from (
        "[0-99999999]",
        "queue1-st-small-[0-99999999]",
        "queue1-[0-99][0-99][0-99][0-99]",
        "queue1-[1-",
        "queue1-1]",
        "queue1-[2-1]",
        "queue1-[[1]]",
        "queue1-st-small-[1-2],ALL",
        "ALL",
        "0-99999999",
        "0-9%0",
        "0-9:0",
        "1-10:-1",
        "1,,2",
        "4294967294",
        "4294967295",
        "99999999999999999999",
        "-1",
        "1e9",
        "0x1",
        "01",
        "1.batch",
        "1_[0-99999999]",
        "1_4294967295",
        "1+",
        "afterok",
        "afterok:-1",
        "afterok:1:afterok",
        "after:1+99999999999",
        "singleton?afterok:1,after:2",
        "expand:1",
        "%j%A%a%N%u%x%%",
        "%999999999j",
        "%",
        "%n%n%n%s%s",
        f"{canary}/%x",
        "x JobState=RUNNING JobId=1",
        "JobId=1 UserId=0",
        "UserId=root(0)",
        "x\nJobId=1 Priority=0",
        "NodeName=ALL State=DOWN",
        "PartitionName=queue1 State=DOWN",
        "a=b",
        "a|b",
        "a,b",
        "a;b",
        "(null)",
        "N/A",
        "None",
        "NONE",
        "UNLIMITED",
        "INFINITE",
        "INVALID",
        "matlab:-1",
        "matlab:99999999999",
        "a&b|[c*99999999]&(d",
        "gpu:a100:-1",
        "B:KILL@99999999",
        "KILL",
        "9",
        "SIGSTOP",
        "root",
        "slurm",
        "uid=0",
    )


def _variables(canary: str) -> Iterator[str]:
    yield from (
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "SLURM_CONF",
        "SLURM_JOB_ID",
        "SBATCH_WRAP",
        "SBATCH_UID",
        "SQUEUE_FORMAT2",
        "PATH",
        "IFS",
        "ENV",
        "BASH_ENV",
        "PS4",
        "SHELLOPTS",
        "PROMPT_COMMAND",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "BASH_FUNC_ls%%",
        "BASH_FUNC_sbatch()",
        "LD_PRELOAD=/x.so",
        f"() {{ :; }}; touch {canary}/shellshock",
        "NIL",
    )


def _framing() -> Iterator[str]:
    """What stands between fields and records in what the head node answers."""
    yield from (
        "~0123abCD",
        "~0123abC",
        "x~0123abCD\n999999~0123abCD",
        "~" * 100,
        "\x1e\x1f\x1d",
        "session 1\n17\n",
        "17;lab\n",
        "0.000000 " + "0" * 64 + "\n17\n",
        "H4sIAAAAAAAAA6tWKkktLlGyUqoFAAvyxcwNAAAA",
        '{"put": "x"}',
        '{"replies": []}',
        "sbatch: error: Batch job submission failed",
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
        "Access/permission denied",
    )


def _other_languages(canary: str) -> Iterator[str]:
    yield from (
        "' OR '1'='1",
        "'; DROP TABLE job_table; --",
        "<script>alert(1)</script>",
        "{0.__class__.__mro__}",
        "%(password)s",
        "{{7*7}}",
        "${jndi:ldap://127.0.0.1/x}",
        f"__import__('os').system('touch {canary}/python')",
        "(?:a+)+$",
        ".*",
        "[[",
    )
