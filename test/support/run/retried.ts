import { afterEach, beforeEach } from "vitest"
import type { RunnerTask } from "vitest"
import { beginAttempt } from "./attempts.ts"

// A set-up file of vitest: it runs in the process of each test file, before the file.

/** A daemon that does not answer does not keep the second attempt waiting for the hooks' own time. */
const UNDO_MS = 60_000

/** Runs that may follow a failed one. */
const retriesOf = (retry: RunnerTask["retry"]) => (typeof retry === "object" ? retry.count : retry) ?? 0

let attempt: ReturnType<typeof beginAttempt>

beforeEach(() => {
  attempt = beginAttempt()
})

afterEach(async ({ task }) => {
  const isRetried = task.result?.state === "fail" && (task.result.retryCount ?? 0) < retriesOf(task.retry)
  // Tests that run beside one another have no attempt of their own.
  if (isRetried && task.concurrent !== true) await attempt.undo()
}, UNDO_MS)
