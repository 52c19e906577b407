"""Waiting for what is asynchronous, without touching the thread's own event loop: asyncio.run takes it from Mangum."""

import asyncio
from collections.abc import Awaitable
from typing import Any


def finish(awaitable: Awaitable[Any]) -> Any:
    """What the awaitable gives."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(awaitable)
    finally:
        loop.close()
