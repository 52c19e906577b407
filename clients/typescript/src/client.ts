import type { TypedDocumentString } from "./generated/graphql.js";

export interface GraphQLError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string; readonly [name: string]: unknown };
}

/** The answer has errors; `data` is what was answered all the same. */
export class SlurmqlError extends Error {
  constructor(
    readonly errors: readonly GraphQLError[],
    readonly data: unknown,
  ) {
    super(errors.map((error) => error.message).join("\n"));
  }
}

/** No answer of slurmql came: the gateway answered in its place. */
export class HttpError extends Error {
  constructor(readonly status: number) {
    super(`HTTP status ${status}`);
  }
}

/** Asks the API. Throws SlurmqlError or HttpError; without a connection, fetch throws its own error. */
export type Ask = <Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
) => Promise<Result>;

/** An `Ask` that signs in with a token. Its patience exceeds the 29 seconds of API Gateway. */
export function connect(url: string, token: () => string | Promise<string>): Ask {
  return async <Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables) => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${await token()}`,
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json",
      },
      body: JSON.stringify({ query: document.toString(), variables }),
      signal: AbortSignal.timeout(35_000),
    });
    const answer = (await response.json().catch(() => ({}))) as { data?: Result; errors?: GraphQLError[] };
    if (answer.errors) throw new SlurmqlError(answer.errors, answer.data);
    if (!response.ok || !answer.data) throw new HttpError(response.status);
    return answer.data;
  };
}
