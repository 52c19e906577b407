import { setTimeout as sleep } from "node:timers/promises";

import { type Ask, HttpError, SlurmqlError } from "./client.js";
import { OutputDocument, SubmitDocument, type SubmitJobInput, WaitDocument } from "./generated/graphql.js";

const PASSING = ["CLUSTER_UNREACHABLE", "OUTCOME_UNKNOWN", "SCHEDULER_UNAVAILABLE", "THROTTLED", "TIMEOUT"];

/** Submits a job. Whatever fails on the way, a retry with the same key makes no second job. */
export async function submit(ask: Ask, input: SubmitJobInput) {
  const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? crypto.randomUUID() };
  return (await again(() => ask(SubmitDocument, { input: keyed }))).submitJob;
}

/** Waits until all the jobs have ended. Of a job in `notRemembered`, nobody knows how it ended. */
export async function wait(ask: Ask, ids: string[]) {
  for (;;) {
    const { jobsEnded } = await again(() => ask(WaitDocument, { ids }));
    if (jobsEnded?.done) return jobsEnded;
  }
}

/** What the job writes, part by part, until it has ended. */
export async function* follow(ask: Ask, id: string) {
  for (let offset = 0; ; ) {
    const { job } = await again(() => ask(OutputDocument, { id, offset }));
    if (job?.output?.isShorter) {
      offset = 0; // the file was written again, as after a requeue
    } else if (job?.output?.text) {
      offset = job.output.nextOffset;
      yield job.output.text;
    } else if (!job || job.phase === "ENDED") {
      return;
    } else {
      await sleep(1000 * job.cluster.suggestedPollSeconds);
    }
  }
}

/** The answer, after up to 8 attempts, 1 to 32 seconds apart, if what fails may pass. */
export async function again<Answer>(question: () => Promise<Answer>, attempts = 8): Promise<Answer> {
  for (let attempt = 0; attempt < attempts - 1; attempt++) {
    try {
      return await question();
    } catch (error) {
      if (!mayPass(error)) throw error;
      await sleep(1000 * Math.min(2 ** attempt, 32));
    }
  }
  return question();
}

function mayPass(error: unknown): boolean {
  if (error instanceof SlurmqlError) return error.errors.every((each) => PASSING.includes(each.extensions?.code ?? ""));
  if (error instanceof HttpError) return [429, 500, 502, 503, 504].includes(error.status);
  return error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
}
