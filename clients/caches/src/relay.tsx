// Lists that grow page by page. `@refetchable` is on Query: slurmql's Node is a compute node, not Relay's interface.
import { graphql, usePaginationFragment } from "react-relay";

import type { relay_jobHistory$key } from "./__generated__/relay_jobHistory.graphql.js";
import type { relay_jobs$key } from "./__generated__/relay_jobs.graphql.js";
import type { relay_nodes$key } from "./__generated__/relay_nodes.graphql.js";

export const lists = graphql`
  query relayListsQuery($first: Int!) {
    ...relay_jobs @arguments(first: $first)
    ...relay_nodes @arguments(first: $first)
    ...relay_jobHistory @arguments(first: $first)
  }
`;

export function useJobs(key: relay_jobs$key) {
  return usePaginationFragment(
    graphql`
      fragment relay_jobs on Query
      @refetchable(queryName: "relayJobsPageQuery")
      @argumentDefinitions(first: { type: "Int", defaultValue: 50 }, after: { type: "String" }) {
        jobs(first: $first, after: $after) @connection(key: "relay_jobs") {
          totalCount
          edges {
            node {
              id
              name
              state
              reasonText
            }
          }
        }
      }
    `,
    key,
  );
}

export function useNodes(key: relay_nodes$key) {
  return usePaginationFragment(
    graphql`
      fragment relay_nodes on Query
      @refetchable(queryName: "relayNodesPageQuery")
      @argumentDefinitions(first: { type: "Int", defaultValue: 50 }, after: { type: "String" }) {
        nodes(first: $first, after: $after) @connection(key: "relay_nodes") {
          edges {
            node {
              id
              name
              state
            }
          }
        }
      }
    `,
    key,
  );
}

export function useJobHistory(key: relay_jobHistory$key) {
  return usePaginationFragment(
    graphql`
      fragment relay_jobHistory on Query
      @refetchable(queryName: "relayJobHistoryPageQuery")
      @argumentDefinitions(first: { type: "Int", defaultValue: 50 }, after: { type: "String" }) {
        jobHistory(first: $first, after: $after) @connection(key: "relay_jobHistory") {
          edges {
            node {
              id
              exitCode
            }
          }
        }
      }
    `,
    key,
  );
}
