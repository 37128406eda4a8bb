import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { ShellInputBlocked } from "../../src/contract/errors/errors.ts"
import type { ShellInfo, ShellScreen } from "../../src/contract/rows/shell-fields.ts"
import type { ShellReadPayload } from "../../src/contract/rows/workspace-shell-io.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"
import { call, fakePyro, textOf } from "./fakes.ts"

const shellId = "7d1e".padEnd(32, "0")
const info: ShellInfo = {
  shellId,
  command: [],
  startedAt: "2026-01-01T00:00:00.000Z",
  outcome: "running",
  cols: 80,
  rows: 24,
  outputBytes: 0
}

/** A shell with one screen, and the reads of it. */
const fake = (screen: Partial<ShellScreen> = {}) => {
  const reads: Array<ShellReadPayload> = []
  const pyro = fakePyro({
    shell: {
      ...unfakedPyro.workspace.shell,
      open: ({ command }) => Effect.succeed({ ...info, command }),
      list: () => Effect.succeed({ shells: [info] }),
      close: () => Effect.succeed({ ...info, outcome: "signaled", status: 129 }),
      write: () => Effect.succeed({ shellId, writtenBytes: 3, cursor: 40 }),
      read: (payload) => {
        reads.push(payload)
        return Effect.succeed({
          shellId,
          outcome: "running",
          output: "$ ls\nfile",
          nextCursor: 90,
          truncated: false,
          ...screen
        })
      }
    }
  })
  return { pyro, reads } as const
}

const shell = { workspace_id: "w", shell_id: "7d1e" }

describe("shells for a model", () => {
  it("shell_write types, waits for a pause, and shows the screen with the cursor to go on from", async () => {
    const { pyro, reads } = fake()
    const result = await call(pyro, "shell_write", { ...shell, input: "ls\n" })
    assert.strictEqual(
      textOf(result),
      `the program runs; continue with shell_read {"workspace_id":"w","shell_id":"${shellId}","cursor":90}\n$ ls\nfile`
    )
    assert.deepInclude(result.structuredContent, { output: "$ ls\nfile", next_cursor: 90, outcome: "running" })
    assert.deepInclude(reads[0], { cursor: 40, plain: true, waitForIdleMs: 300 })
  })

  it("shell_write waits for a text in place of the pause", async () => {
    const { pyro, reads } = fake({ waited: "timed_out" })
    const result = await call(pyro, "shell_write", { ...shell, keys: ["enter"], wait_for: "done" })
    assert.include(textOf(result), "the program runs; \"done\" did not come within 30 s; continue with ")
    assert.deepInclude(reads[0], { waitFor: "done" })
    assert.notProperty(reads[0], "waitForIdleMs")
  })

  it("shell_read renders, and tells of a full-screen program, of cut lines and of the end", async () => {
    const { pyro, reads } = fake({ alternate: true, truncated: true, outcome: "exited", status: 3 })
    const result = await call(pyro, "shell_read", { ...shell, cursor: 7 })
    assert.strictEqual(
      textOf(result),
      "the program has ended, exit 3\n[a full-screen program: the whole screen]\n[earlier lines are left out]\n$ ls\nfile"
    )
    assert.deepInclude(reads[0], { cursor: 7, plain: true, maxBytes: 6_500 })
  })

  it("shell_open, shell_list and shell_close name the shell and its state", async () => {
    const { pyro } = fake()
    const open = await call(pyro, "shell_open", { workspace_id: "w", command: ["python3", "-q"] })
    assert.strictEqual(textOf(open), `shell ${shellId} runs, 80x24: python3 -q`)
    assert.strictEqual(
      textOf(await call(pyro, "shell_list", { workspace_id: "w" })),
      `1 shell\n${shellId} runs, 80x24: bash -l`
    )
    assert.strictEqual(
      textOf(await call(pyro, "shell_close", shell)),
      `shell ${shellId} has ended: signaled, status 129`
    )
  })

  it("a wrong key, and a program that reads nothing, are failures with the next call", async () => {
    const { pyro } = fake()
    const wrong = await call(pyro, "shell_write", { ...shell, keys: ["hyper-x"] })
    assert.match(textOf(wrong), /^invalid_request: keys\.0: must be ctrl-a to ctrl-z/)
    const blocked = fakePyro({
      shell: {
        ...pyro.workspace.shell,
        write: () => new ShellInputBlocked({ workspace: "w", shellId, writtenBytes: 10, inputBytes: 20 })
      }
    })
    const failed = await call(blocked, "shell_write", { ...shell, input: "x" })
    assert.isTrue(failed.isError)
    assert.match(textOf(failed), /^shell_input_blocked: .*took 10 of 20 bytes[^]*hint: Type the rest later\. Or /)
  })
})
