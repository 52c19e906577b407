import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import firstQuery from "./first.graphql";
import { storage } from "./storage.js";

const WORKERS = { graphql: GRAPHQL_WORKER, json: JSON_WORKER };

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKERS[label] ?? EDITOR_WORKER, import.meta.url)),
};

// The API is beside the page, under whatever stage or path the gateway serves both.
const url = new URL("graphql", document.baseURI).href;

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={createGraphiQLFetcher({ url })}
    storage={storage}
    shouldPersistHeaders={false} // without it, the settings offer to store them
    defaultQuery={firstQuery}
    defaultEditorToolsVisibility={false}
    plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]}
  >
    <GraphiQL.Logo>slurmql</GraphiQL.Logo>
  </GraphiQL>,
);
