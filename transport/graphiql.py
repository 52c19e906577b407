"""GraphiQL's page and its files, only from web/dist, where `make web` puts them; no other host is involved."""

import gzip
from functools import lru_cache
from pathlib import Path

from transport.response import Response

DIST = Path(__file__).parents[1] / "web" / "dist"
FOLDER = "/graphiql/"
"""The path of the page's files, beside the page."""
# Monaco creates style elements, and its icons are a font.
_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MISSING = "GraphiQL is not built here: run `make web`. Queries by POST work without it."
_TEXT = {"content-type": "text/plain; charset=utf-8"}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}


def page() -> Response:
    """The page, or without web/dist a message that says what to do."""
    try:
        content = (DIST / "index.html").read_bytes()
    except FileNotFoundError:
        return Response(404, _MISSING.encode(), dict(_TEXT))
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _POLICY,
        "cache-control": "no-cache",
    }
    return Response(200, content, headers)


def file(name: str, *, packed: bool) -> Response:
    """A file of web/dist, compressed if `packed`; 404 if there is none.

    The name contains a digest of the content, so a browser may keep the file.
    """
    if name not in _names():
        return Response(404, b"There is no such file.", dict(_TEXT))
    headers = {
        "content-type": _TYPES.get(Path(name).suffix, "application/octet-stream"),
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "Accept-Encoding",
    }
    if packed:
        return Response(200, _packed(name), {**headers, "content-encoding": "gzip"})
    return Response(200, (DIST / name).read_bytes(), headers)


def _names() -> set[str]:
    """The files in the folder; no other path is ever served."""
    return {entry.name for entry in DIST.iterdir() if entry.is_file()} if DIST.is_dir() else set()


@lru_cache(64)
def _packed(name: str) -> bytes:
    return gzip.compress((DIST / name).read_bytes(), 6, mtime=0)
