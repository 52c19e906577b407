// The browser's localStorage, without headers: they hold tokens, and would outlive the tab.
import { StorageAPI } from "@graphiql/toolkit";

const HEADERS = "graphiql:headers";
const LISTS = ["graphiql:tabState", "graphiql:queries", "graphiql:favorites"]; // the tabs, and the history's two lists

const { storage: browsers } = new StorageAPI();

function withoutHeaders(list) {
  return JSON.stringify(JSON.parse(list), (key, value) => (key === "headers" ? undefined : value));
}

export const storage = Object.assign(Object.create(browsers), {
  setItem(name, value) {
    if (name !== HEADERS) browsers.setItem(name, LISTS.includes(name) ? withoutHeaders(value) : value);
  },
});

// An earlier version of this page has stored headers.
browsers.removeItem(HEADERS);
for (const name of LISTS) {
  const stored = browsers.getItem(name);
  if (stored) storage.setItem(name, stored);
}
