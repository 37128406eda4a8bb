import { assert, describe, it } from "vitest"
import type { ShellScreen } from "../../../src/contract/rows/shell-fields.ts"
import type { ShellReadPayload } from "../../../src/contract/rows/workspace-shell-io.ts"
import { shown } from "./shown.ts"

const screen = { output: "$ ", nextCursor: 427, outcome: "running", truncated: false } as const

const CONTINUE = "pyro: continue: pyro shell read fix 0123abcd --plain --cursor 427\n"

/** Text beside the output of `shell read`. */
const beside = async (result: Partial<ShellScreen>, asked: Partial<ShellReadPayload> = {}) =>
  (await shown("workspace.shell.read", { ...screen, ...result }, {
    workspace: "fix",
    shellId: "0123abcd",
    plain: true,
    waitSeconds: 30,
    ...asked
  })).err

describe("the output of a shell", () => {
  it("shell read names the cursor to go on from while the program runs", async () => {
    assert.strictEqual(await beside({}), CONTINUE)
  })

  it("shell read says how the program ended, and names no cursor if nothing can follow", async () => {
    const raw = { plain: false }
    const exited = { outcome: "exited", status: 7 } as const
    assert.strictEqual(await beside(exited), "pyro: the program has ended, exit 7\n")
    assert.strictEqual(await beside(exited, raw), "pyro: the program has ended, exit 7\n")
    assert.strictEqual(
      await beside({ ...exited, truncated: true }),
      "pyro: earlier lines are left out\npyro: the program has ended, exit 7\n"
    )
    assert.strictEqual(
      await beside({ ...exited, truncated: true }, raw),
      `pyro: the program has ended, exit 7\npyro: continue: pyro shell read fix 0123abcd --cursor 427\n`
    )
    assert.strictEqual(
      await beside({ outcome: "signaled", status: 129 }),
      "pyro: the program has ended: signaled, status 129\n"
    )
    assert.strictEqual(await beside({ outcome: "lost" }), "pyro: the program is lost: the microVM ended first\n")
  })

  it("shell read says what it waited for in vain", async () => {
    const timedOut = { waited: "timed_out" } as const
    assert.strictEqual(
      await beside(timedOut, { waitFor: "done" }),
      `pyro: "done" did not come within 30 s\n${CONTINUE}`
    )
    assert.include(
      await beside(timedOut, { waitForIdleMs: 500, waitSeconds: 2 }),
      "pyro: the output did not pause for 500 ms within 2 s\n"
    )
    const ended = { waited: "ended", outcome: "exited", status: 0 } as const
    assert.strictEqual(
      await beside(ended, { waitFor: "done" }),
      "pyro: \"done\" did not come before the end of the program\npyro: the program has ended, exit 0\n"
    )
    assert.strictEqual(await beside(ended, { waitForIdleMs: 500 }), "pyro: the program has ended, exit 0\n")
    assert.strictEqual(await beside({ waited: "found" }, { waitFor: "done" }), CONTINUE)
  })
})
