// The client against a real cluster, which clients/test_typed_clients.py starts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { connect } from "../src/client.js";
import {
  CancelDocument,
  FailedDocument,
  JobDocument,
  JobsDocument,
  type SubmitJobInput,
  WhyWaitingDocument,
} from "../src/generated/graphql.js";
import * as jobs from "../src/jobs.js";

function given(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const user = given("SLURMQL_USER");
const ask = connect(given("SLURMQL_URL"), () => user);

async function submit(name: string, script: string, options: Partial<SubmitJobInput> = {}): Promise<string> {
  const { id, errors } = await jobs.submit(ask, { script: { text: `#!/bin/sh\n${script}\n` }, name, ...options });
  assert(id, JSON.stringify(errors));
  return id;
}

/** The ids of the user's failed jobs; accounting learns of an end a moment later than the scheduler. */
async function failed(since: string): Promise<string[]> {
  for (let left = 20; ; left--) {
    const { jobHistory } = await ask(FailedDocument, { user, since });
    if (left === 0 || jobHistory?.nodes.length) return jobHistory?.nodes.map((job) => job.id) ?? [];
    await sleep(1000);
  }
}

describe("Documents", () => {
  test("a job from its submission to its history", async () => {
    const began = new Date(Date.now() - 60_000);
    const id = await submit("typescript-fails", "for i in 1 2 3; do echo line $i; sleep 1; done; exit 3");
    const listed = await ask(JobsDocument, { filter: { ids: [id] } });
    assert.deepEqual(listed.jobs?.nodes.map((job) => job.name), ["typescript-fails"]);
    let text = "";
    for await (const part of jobs.follow(ask, id)) text += part;
    assert.equal(text, "line 1\nline 2\nline 3\n");
    const [ended] = (await jobs.wait(ask, [id])).jobs;
    assert.deepEqual([ended?.id, ended?.succeeded, ended?.exitCode], [id, false, 3]);
    const { job } = await ask(JobDocument, { id });
    assert(job?.endTime && new Date(job.endTime) > began);
    assert((await failed(began.toISOString())).includes(id));
  });

  test("a job that waits says why, and is cancelled", async () => {
    const id = await submit("typescript-held", "true", { hold: true });
    const waiting = await ask(WhyWaitingDocument, { user });
    assert.equal(waiting.jobs?.nodes.find((job) => job.id === id)?.reasonCode, "JOB_HELD_USER");
    const { cancelJobs } = await ask(CancelDocument, { input: { jobs: { ids: [id, "999999"] } } });
    assert.deepEqual(cancelJobs.ids, [id]);
    assert.deepEqual(cancelJobs.errors.map((error) => error.code), ["NOT_FOUND"]);
    const [ended] = (await jobs.wait(ask, [id])).jobs;
    assert.deepEqual([ended?.state, ended?.succeeded], ["CANCELLED", false]);
  });
});

describe("Trouble", () => {
  test("a submission whose answer is lost makes one job", async () => {
    await submit(given("SLURMQL_JOB_NAME"), "true", { hold: true });
  });

  test("jobs that the scheduler has forgotten", async () => {
    const [known, unknown] = given("SLURMQL_FORGOTTEN").split(" ") as [string, string];
    const ended = await jobs.wait(ask, [known]);
    assert.deepEqual(ended.jobs.map((job) => [job.id, job.succeeded, job.exitCode]), [[known, false, 3]]);
    const lost = await jobs.wait(ask, [unknown]);
    assert.deepEqual([lost.jobs, lost.notRemembered], [[], [unknown]]);
  });
});
