import { assert, describe, it } from "@effect/vitest"
import { summaryText } from "../../../../src/workspace/operations/summary.ts"

const ran = (execId: string, command: string, status: number) => ({
  execId,
  command,
  outcome: "exited" as const,
  status,
  durationMs: 1234
})

describe("the text of a summary", () => {
  it("the summary shows how commands ended, what changed and what was exported", () => {
    const last = [3, 4, 5, 6, 7].map((number) => ran(String(number), `echo ${number}`, 0))
    const text = summaryText({
      id: "ws-0123456789",
      name: "fix",
      state: "running",
      since: "2026-01-01T00:00:00.000Z",
      commands: {
        total: 7,
        succeeded: 6,
        failed: 1,
        running: 0,
        stillRunning: [],
        lastFailed: [ran("1", "make test", 2)],
        last
      },
      changes: {
        files: 3,
        additions: 5,
        deletions: 1,
        ignoredCount: 1,
        first: [{ path: "a", status: "added" }, { path: "b", status: "modified" }]
      },
      exportCount: 1,
      exports: [{ at: "2026-01-01T00:00:00.000Z", kind: "patch", output: "/p", files: 1, bytes: 9 }]
    })
    assert.strictEqual(
      text,
      `fix is running. Since 2026-01-01T00:00:00.000Z:
Commands: 7, 6 succeeded, 1 failed.
Earlier failures:
  make test - status 2 after 1.2 s
The last 5:
${last.map(({ command }) => `  ${command} - status 0 after 1.2 s`).join("\n")}
Changed files: 3, +5 -1; 1 ignored file left out.
  added a
  modified b
  and 1 more
Exports: 1.
  patch to /p`
    )
  })

  it("the summary names running commands by their ids, also those that are not among the newest", () => {
    const last = [1, 2, 3, 4, 5].map((number) => ran(String(number), `echo ${number}`, 0))
    const server = { execId: "a".repeat(32), command: "npm run dev" }
    const text = summaryText({
      id: "ws-0123456789",
      state: "running",
      since: "2026-01-01T00:00:00.000Z",
      commands: { total: 6, succeeded: 5, failed: 0, running: 1, stillRunning: [server], lastFailed: [], last },
      exportCount: 0,
      exports: []
    })
    assert.include(text, `\nStarted earlier:\n  npm run dev - still running (${server.execId})\nThe last 5:\n`)
  })

  it("the summary names a login shell", () => {
    const text = summaryText({
      id: "ws-0123456789",
      state: "running",
      since: "2026-01-01T00:00:00.000Z",
      commands: {
        total: 1,
        succeeded: 0,
        failed: 1,
        running: 0,
        stillRunning: [],
        lastFailed: [],
        last: [ran("1", "", 3)]
      },
      exportCount: 0,
      exports: []
    })
    assert.include(text, "\n  (login shell) - status 3 after 1.2 s\n")
  })

  it("the summary has the command that would allow a denied host beside the present grants", () => {
    const text = summaryText({
      id: "ws-0123456789",
      name: "fix",
      state: "running",
      since: "2026-01-01T00:00:00.000Z",
      commands: { total: 0, succeeded: 0, failed: 0, running: 0, stillRunning: [], lastFailed: [], last: [] },
      exportCount: 0,
      exports: [],
      network: {
        networkPolicy: "egress",
        allowHosts: ["npm"],
        denyHosts: [],
        allowIps: [],
        open: 0,
        allowed: 0,
        denied: 1,
        failed: 0,
        bytesOut: 0,
        bytesIn: 0
      },
      lastDenied: [{
        number: 1,
        at: "2026-01-01T00:00:00.000Z",
        kind: "connection",
        outcome: "denied",
        host: "a.test",
        port: 443,
        reason: "no rule",
        remedy: { field: "allow_hosts", rule: "a.test:443" },
        bytesOut: 0,
        bytesIn: 0,
        durationMs: 0
      }]
    })
    assert.include(
      text,
      "\n  denied a.test:443: no rule"
    )
  })

  it("the summary reports why changes are unknown", () => {
    const text = summaryText({
      id: "ws-0123456789",
      state: "stopped",
      since: "2026-01-01T00:00:00.000Z",
      commands: { total: 0, succeeded: 0, failed: 0, running: 0, stillRunning: [], lastFailed: [], last: [] },
      changesUnknown: "it is stopped",
      exportCount: 0,
      exports: []
    })
    assert.strictEqual(
      text,
      "ws-0123456789 is stopped. Since 2026-01-01T00:00:00.000Z:\nCommands: none.\nChanged files: unknown, it is stopped\nExports: none."
    )
  })
})
