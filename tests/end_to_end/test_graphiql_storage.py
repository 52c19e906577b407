"""GraphiQL in a real browser: the headers that somebody types into it are sent, and stored nowhere."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from conftest import Api
from local import packages
from local.gateway import Gateway
from local.stack import Stack

TOKEN = "nobody-here-0f9d1c"  # noqa: S105 - the local gateway takes it for a name
STORED = """async () => {
  const caches = await Promise.all((await self.caches.keys()).map(async (name) => {
    const cache = await self.caches.open(name);
    return [name, ...(await cache.keys()).map((request) => [request.url, ...request.headers])];
  }));
  const databases = await Promise.all((await indexedDB.databases()).map(({ name }) => new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = async () => {
      const stores = [...opening.result.objectStoreNames];
      const all = stores.map((store) => new Promise((resolve) => {
        const reading = opening.result.transaction(store).objectStore(store).getAll();
        reading.onsuccess = () => resolve([store, reading.result]);
      }));
      resolve([name, await Promise.all(all)]);
    };
  })));
  return { local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie, databases, caches };
}"""


@pytest.fixture
def gateway(api: Api, stack: Stack) -> Iterator[Gateway]:
    with Gateway(api.handler, stack.demo_user) as running:
        yield running


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def browser(profile: Path) -> Iterator[BrowserContext]:
    """Debian's browser, with a profile on the disk."""
    packages.install(print, packages.BROWSER)
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        context = chromium.launch_persistent_context(profile, executable_path=shutil.which("chromium"))
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(30_000)
        yield context
        context.close()


def opened(browser: BrowserContext, gateway: Gateway) -> Page:
    page = browser.new_page()
    page.goto(f"{gateway.url}/graphql")
    page.locator(".graphiql-execute-button").wait_for()
    return page


def write(page: Page, file: str, text: str) -> None:
    """Replace the text of an editor, which GraphiQL calls a file: it would close brackets that are typed, so paste."""
    page.locator(f'.monaco-editor[data-uri$="{file}"]').click()
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")


def viewer(page: Page, query: str) -> dict[str, str]:
    """Write a query that reads the viewer, and run it: the viewer.

    GraphiQL notices a moment later that another operation is to be run, so the first attempts may fail.
    """
    write(page, "operation.graphql", query)
    for _ in range(20):
        with page.expect_response(lambda response: query in (response.request.post_data or "")) as answered:
            page.locator(".graphiql-execute-button").click()
        if found := answered.value.json().get("data"):
            viewer: dict[str, str] = found["viewer"]
            return viewer
        page.wait_for_timeout(500)
    raise AssertionError(answered.value.text())


def stored(page: Page) -> str:
    """All that a page can store, after GraphiQL had the time to: it waits half a second."""
    page.wait_for_timeout(1500)
    return json.dumps(page.evaluate(STORED))


def with_token(browser: BrowserContext, gateway: Gateway) -> Page:
    """The page, after somebody has run two queries with the token."""
    page = opened(browser, gateway)
    page.get_by_role("button", name="Headers").click()
    write(page, "request-headers.json", json.dumps({"Authorization": f"Bearer {TOKEN}"}))
    assert viewer(page, "{ viewer { identity } }") == {"identity": TOKEN}
    assert viewer(page, "{ viewer { identity role } }") == {"identity": TOKEN, "role": "VIEWER"}
    return page


def test_headers_are_sent_and_stored_nowhere(browser: BrowserContext, gateway: Gateway, profile: Path) -> None:
    page = with_token(browser, gateway)
    page.get_by_role("button", name="Show History").click()
    page.locator(".graphiql-history-item").first.hover()
    page.get_by_role("button", name="Add favorite").first.click()
    page.locator(".graphiql-tab-add").click()
    found = stored(page)
    assert "viewer { identity role }" in found, "the history is kept, so this looks at the right place"
    assert TOKEN not in found
    page.reload()
    page.locator(".graphiql-execute-button").wait_for()
    assert page.locator(".graphiql-history-item").count() > 0
    assert TOKEN not in stored(page)
    browser.close()
    kept = [path for path in profile.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(b"viewer { identity role }" in path.read_bytes() for path in kept)
    assert [path for path in kept if TOKEN.encode() in path.read_bytes().replace(b"\0", b"")] == []  # UTF-8 or UTF-16


def test_the_settings_do_not_offer_to_store_headers(browser: BrowserContext, gateway: Gateway) -> None:
    page = opened(browser, gateway)
    page.get_by_role("button", name="Open settings dialog").click()
    page.get_by_text("Theme", exact=True).wait_for()
    assert page.get_by_text("Persist headers").count() == 0


def test_headers_that_an_earlier_version_stored_are_removed(browser: BrowserContext, gateway: Gateway) -> None:
    entry = {"query": "{ viewer { role } }", "headers": f'{{"Authorization": "Bearer {TOKEN}"}}', "label": "mine"}
    old = {
        "graphiql:headers": entry["headers"],
        "graphiql:queries": json.dumps({"queries": [entry]}),
        "graphiql:favorites": json.dumps({"favorites": [entry | {"favorite": True}]}),
        "graphiql:shouldPersistHeaders": "true",
    }
    page = opened(browser, gateway)
    page.evaluate("(old) => Object.assign(localStorage, old)", old)
    page.reload()
    page.locator(".graphiql-execute-button").wait_for()
    found = stored(page)
    assert found.count("mine") == 2
    assert TOKEN not in found
