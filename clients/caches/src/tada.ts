// gql.tada infers the types of a document in the editor, without generated code.
import { initGraphQLTada, type ResultOf } from "gql.tada";

import type { introspection } from "./__generated__/graphql-env.js";

const graphql = initGraphQLTada<{ introspection: introspection; scalars: { DateTime: string; BigInt: number } }>();

export const job = graphql(`
  query Job($id: ID!) {
    job(id: $id) {
      id
      state
      exitCode
      endTime
    }
  }
`);

export function exitCode(answer: ResultOf<typeof job>): number | null {
  return answer.job?.exitCode ?? null;
}
