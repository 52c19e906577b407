// Relay, urql's graphcache and Apollo Client against a real cluster, which clients/test_typed_clients.py starts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mock, test } from "node:test";

import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { loadDevMessages } from "@apollo/client/dev";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { buildSchema, introspectionFromSchema, isNonNullType, isObjectType } from "graphql";
import { Suspense } from "react";
import { RelayEnvironmentProvider, useLazyLoadQuery } from "react-relay";
import { act, create } from "react-test-renderer";
import { Environment, Network, RecordSource, Store } from "relay-runtime";

import type { relayListsQuery } from "../src/__generated__/relayListsQuery.graphql.js";
import { lists, useJobHistory, useJobs, useNodes } from "../src/relay.js";
import { keys, typePolicies } from "../src/values.js";

const url = process.env["SLURMQL_URL"] ?? assert.fail("SLURMQL_URL is not set");
const headers = { Authorization: `Bearer ${process.env["SLURMQL_USER"]}` };
const schema = buildSchema(readFileSync("../../schema/schema.graphql", "utf8"));

const FIRST = `{
  viewer { id role }
  clusters { id name }
  cluster {
    id
    health { ok agent { ok } controllers { host } snapshots { name } }
    head { instanceId agent { version } }
    configuration { slurmVersion }
    statistics { jobsPending }
  }
  queues { id name cpuCounts { total } nodeCounts { state count } }
  nodes(first: 3) { totalCount nodes { id name } edges { cursor node { id } } }
  jobs(first: 5) {
    totalCount
    countsByState { state count }
    edges { cursor node { id state } }
    nodes { id name queue { id isDefault } array { id countsByState { state count } } dependencies { kind job { id } } }
    pageInfo { endCursor }
  }
}`;
const SECOND = `{
  viewer { id identity }
  cluster {
    id
    health { agent { message } headNode { ok } }
    head { agent { platform } }
    configuration { clusterName }
    statistics { jobsRunning }
  }
  queues { id cpuCounts { idle } }
  nodes(first: 3) { nodes { id state } }
  jobs(first: 5) { asOf nodes { id user } pageInfo { hasNextPage } }
}`;
// Everything in it was answered before.
const BOTH = `{
  cluster { id health { ok agent { ok message } headNode { ok } } configuration { slurmVersion clusterName } }
  queues { id name cpuCounts { total idle } }
  jobs(first: 5) { asOf totalCount nodes { id name user state } pageInfo { endCursor hasNextPage } }
}`;
const REFUSED = `mutation {
  cancelJobs(input: { jobs: { ids: ["999998", "999999"] } }) { ids errors { targetId code message } }
  submitJob(input: { script: { text: "#!/bin/sh\\n" }, queue: "nope" }) { id job { id } errors { targetId code message } }
}`;

interface Both {
  queues: { cpuCounts: { total: number; idle: number } }[];
  jobs: { totalCount: number; nodes: { name: string; user: string; state: string }[] };
}

/** What the libraries write to the console. */
function heard(): () => string[] {
  mock.restoreAll();
  const said = (["warn", "error"] as const).map((level) => mock.method(console, level, () => undefined));
  return () => said.flatMap((each) => each.mock.calls.map((call) => call.arguments.join(" ")));
}

function complete(answer: Both | undefined): void {
  assert(answer);
  assert(answer.jobs.nodes.length > 1);
  for (const job of answer.jobs.nodes) assert(job.name && job.user && job.state);
  for (const { cpuCounts } of answer.queues) assert(cpuCounts.idle <= cpuCounts.total);
}

async function askWithUrql(configuration: { keys?: typeof keys }): Promise<Both | undefined> {
  const client = new Client({
    url,
    fetchOptions: { headers },
    preferGetMethod: false,
    exchanges: [cacheExchange({ schema: introspectionFromSchema(schema), ...configuration }), fetchExchange],
  });
  for (const document of [FIRST, SECOND]) {
    assert.equal((await client.query(document, {}).toPromise()).error, undefined);
  }
  assert.equal((await client.mutation(REFUSED, {}).toPromise()).error, undefined);
  return (await client.query(BOTH, {}, { requestPolicy: "cache-only" }).toPromise()).data;
}

async function askWithApollo(configuration: { typePolicies?: typeof typePolicies }): Promise<Both | undefined> {
  loadDevMessages();
  const client = new ApolloClient({
    link: new HttpLink({ uri: url, headers }),
    cache: new InMemoryCache(configuration),
  });
  for (const document of [FIRST, SECOND]) await client.query({ query: gql(document), fetchPolicy: "network-only" });
  await client.mutate({ mutation: gql(REFUSED) });
  return (await client.query<Both>({ query: gql(BOTH), fetchPolicy: "cache-only" })).data;
}

test("the snippet names every type without an id of its own", () => {
  const values = Object.values(schema.getTypeMap()).filter((type) => {
    if (!isObjectType(type) || type.name.startsWith("__")) return false;
    const id = type.getFields()["id"];
    return type !== schema.getQueryType() && type !== schema.getMutationType() && !(id && isNonNullType(id.type));
  });
  assert.deepEqual(Object.keys(keys).sort(), values.map((type) => type.name).sort());
});

test("urql's graphcache keeps everything, without a warning", async () => {
  const said = heard();
  complete(await askWithUrql({ keys }));
  assert.deepEqual(said(), []);
});

test("urql's graphcache warns without the snippet", async () => {
  const said = heard();
  await askWithUrql({});
  assert.match(said().join("\n"), /Invalid key/);
});

test("Apollo Client keeps everything, without a warning", async () => {
  const said = heard();
  complete(await askWithApollo({ typePolicies }));
  assert.deepEqual(said(), []);
});

test("Apollo Client warns without the snippet", async () => {
  const said = heard();
  await askWithApollo({});
  assert.match(said().join("\n"), /Cache data may be lost/);
});

test("Relay pages through each list", async () => {
  const environment = new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(async ({ text }, variables) => {
      const body = JSON.stringify({ query: text, variables });
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body,
      });
      return response.json();
    }),
  });
  function useLists() {
    const query = useLazyLoadQuery<relayListsQuery>(lists, { first: 2 });
    return { jobs: useJobs(query), nodes: useNodes(query), jobHistory: useJobHistory(query) };
  }
  let pages: ReturnType<typeof useLists> | undefined;
  function Lists() {
    pages = useLists();
    return null;
  }
  const shown = {
    jobs: () => pages?.jobs.data.jobs?.edges.map((edge) => edge.node.id) ?? [],
    nodes: () => pages?.nodes.data.nodes?.edges.map((edge) => edge.node.id) ?? [],
    jobHistory: () => pages?.jobHistory.data.jobHistory?.edges.map((edge) => edge.node.id) ?? [],
  };
  async function until(condition: () => boolean | undefined): Promise<void> {
    for (let left = 100; !condition(); left--) {
      assert(left, "it did not happen within 10 seconds");
      await act(() => new Promise((resolve) => setTimeout(resolve, 100)));
    }
  }
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await act(async () => {
    create(
      <RelayEnvironmentProvider environment={environment}>
        <Suspense fallback={null}>
          <Lists />
        </Suspense>
      </RelayEnvironmentProvider>,
    );
  });
  for (const list of ["jobs", "nodes", "jobHistory"] as const) {
    await until(() => shown[list]().length === 2);
    assert(pages?.[list].hasNext, list);
    await act(async () => void pages?.[list].loadNext(2));
    await until(() => shown[list]().length === 4);
    assert.equal(new Set(shown[list]()).size, 4, list);
  }
});
