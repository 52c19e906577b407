"""Copies how this machine reaches Debian's packages, PyPI and npm into a bare machine.

It copies only addresses, proxies and certificates, and nothing that chooses packages or versions.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

VARIABLES = frozenset({
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
})  # fmt: skip
"""Variables that apt, pip or npm read."""
APT = (
    "Acquire::http", "Acquire::https", "Acquire::Retries", "Acquire::ForceIPv4", "Acquire::ForceIPv6",
    # The index of a frozen mirror may have expired.
    "Acquire::Check-Valid-Until", "Acquire::Check-Date",
)  # fmt: skip
"""Options and groups of options of apt.conf(5)."""
PIP = frozenset({"index-url", "extra-index-url", "proxy", "trusted-host", "cert", "timeout", "default-timeout"})
"""https://pip.pypa.io/en/stable/topics/configuration/"""
PIP_URLS = frozenset({"index-url", "extra-index-url"})
NPM = ("registry", "cafile", "proxy", "https-proxy", "noproxy", "strict-ssl")
"""https://docs.npmjs.com/cli/using-npm/config"""
FILES = "/carried"
"""The folder for files that settings name, such as certificates; no Debian package writes there."""


def carry(root: Path) -> dict[str, str]:
    """Write the settings into the machine's files and return its variables."""
    apt = _printed(["apt-config", "dump", "--no-empty", *APT])
    _write(root / "etc/apt/apt.conf.d/90carried", re.sub(r'(?<=")/[^"]+', lambda found: _copied(found[0], root), apt))
    pip = pip_settings(_printed([sys.executable, "-m", "pip", "config", "list"]))
    pip_lines = ["[global]", *(f"{name} = {_copied(value, root)}" for name, value in pip.items())]
    _write(root / "etc/pip.conf", "\n".join(pip_lines) + "\n")
    npm = npm_settings(_printed(["npm", "config", "get", *NPM]))
    _write(root / "root/.npmrc", "".join(f"{name}={_copied(value, root)}\n" for name, value in npm.items()))
    return {name: _copied(value, root) for name, value in variables(os.environ).items()}


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that are copied."""
    return {name: value for name, value in environment.items() if name in VARIABLES and value}


def pip_settings(listed: str) -> dict[str, str]:
    """The settings of `pip config list` that are copied; its lines are like `global.cert='/etc/ssl/ca.pem'`.

    The last line for a name counts, as in pip. Indexes on this machine's disk are left out.
    """
    settings: dict[str, str] = {}
    for name, value in _pairs(listed):
        option = name.rpartition(".")[2]
        if option in PIP:
            words = str(ast.literal_eval(value)).split()
            settings[option] = " ".join(word for word in words if option not in PIP_URLS or word.startswith("http"))
    return {option: value for option, value in settings.items() if value}


def npm_settings(printed: str) -> dict[str, str]:
    """The settings of `npm config get NAME ...` that have a value; its lines are like `cafile=/etc/ssl/ca.pem`."""
    return {name: value for name, value in _pairs(printed) if value not in ("", "null", "undefined")}


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _printed(argv: Sequence[str]) -> str:
    """The output of a client; empty if it is not installed."""
    if shutil.which(argv[0]) is None:
        return ""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def _copied(value: str, root: Path) -> str:
    """If the value names a file, copy it and return the copy's name in the machine; else return the value."""
    path = Path(value)
    if not path.is_absolute() or not path.is_file():
        return value
    copy = Path(f"{root}{FILES}{path}")
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, copy)
    return f"{FILES}{path}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
