"""GraphiQL: its page and its files, from web/dist alone, where `make web` puts them. No other host is asked."""

import mimetypes
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

DIST = Path(__file__).parents[1] / "web" / "dist"
FOLDER = "/graphiql/"
"""Where the page looks for its files, beside itself."""
# Monaco makes style elements, and its icons are a font.
_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MISSING = "GraphiQL is not built here: run `make web`. Queries are taken by POST all the same."


def page() -> Response:
    """The page; without web/dist a sentence that says what to do."""
    try:
        text = (DIST / "index.html").read_text()
    except FileNotFoundError:
        return PlainTextResponse(_MISSING, 404)
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})


def file(path: str) -> Response | None:
    """The file of web/dist that the path `.../graphiql/NAME` names, 404 if there is none; None for another path.

    A name says its content (it carries a digest), so a browser may keep the file.
    """
    _, folder, name = path.partition(FOLDER)
    if not folder:
        return None
    if name not in _names():
        return PlainTextResponse("There is no such file.", 404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return FileResponse(DIST / name, media_type=mimetypes.guess_type(name)[0], headers=headers)


def _names() -> set[str]:
    """Only what lies in the folder is given, whatever a path says."""
    return {entry.name for entry in DIST.iterdir() if entry.is_file()} if DIST.is_dir() else set()
