"""Which form of response a client accepts (RFC 9110, 12.5; GraphQL over HTTP, "Media Types")."""

from typing import Final

JSON: Final = "application/json"
GRAPHQL_JSON: Final = "application/graphql-response+json"


def media_type(accept: str | None) -> str | None:
    """JSON or GRAPHQL_JSON, whichever the Accept header prefers; None if it accepts neither.

    A client that names neither, such as curl or a browser's fetch, gets plain JSON.
    """
    if not accept or not accept.strip():
        return JSON
    wanted = _preferences(accept)
    anything = max(wanted.get("application/*", 0.0), wanted.get("*/*", 0.0))
    plain, graphql = wanted.get(JSON, anything), wanted.get(GRAPHQL_JSON, 0.0)
    if graphql > 0 and graphql >= plain:
        return GRAPHQL_JSON
    return JSON if plain > 0 else None


def takes_html(accept: str | None) -> bool:
    """Whether the client is a browser that shows the response as a page."""
    return _preferences(accept or "").get("text/html", 0.0) > 0


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether the body may be compressed."""
    wanted = _preferences(accept_encoding or "")
    return wanted.get("gzip", wanted.get("*", 0.0)) > 0


def _preferences(header: str) -> dict[str, float]:
    """Each choice in the header and its weight, 0 to 1; an invalid weight counts as 0."""
    preferences = {}
    for choice in header.lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        preferences[name] = float(weight) if weight.replace(".", "", 1).isdecimal() and weight.isascii() else 0.0
    return preferences
