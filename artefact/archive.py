"""Packs the artefact into a zip, with the same bytes for the same content, and measures its parts."""

import zipfile
from pathlib import Path

# The earliest date that a zip can store. Lambda ignores dates, and SAM writes this one, too.
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, archive: Path) -> None:
    """Write the folder's files to a zip: sorted, with a fixed date, and readable by all."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _DATE)
                entry.external_attr = (0o100755 if path.suffix == ".so" else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, path.read_bytes())


def sizes(folder: Path) -> dict[str, int]:
    """The size in bytes of each file and folder at the top level, the largest first."""
    found = {path.name: _bytes(path) for path in folder.iterdir()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(_bytes(below) for below in path.iterdir())
