import { assert, describe, it } from "vitest"
import type { ResultOf } from "../../../src/contract/rows/operations.ts"
import type { LogEntry } from "../../../src/contract/rows/workspace-logs.ts"
import { shown } from "./shown.ts"

describe("workspace logs", () => {
  const ran = {
    execId: "0".repeat(32),
    command: ["ls"],
    startedAt: "2026-01-01T00:00:00.000Z",
    outcome: "exited" as const,
    outputBytes: 1234
  }

  it("logs of a failed command ends with its status on stderr, after the last page", async () => {
    const end = async (how: Partial<LogEntry>, page: Partial<ResultOf<"workspace.logs">> = {}, isTerminal = false) =>
      await shown(
        "workspace.logs",
        { commands: [{ ...ran, ...how }], output: "abc", ...page },
        { execId: ran.execId, cursor: 0, encoding: "text" },
        isTerminal
      )
    const note = (text: string) => ({ out: "abc", err: `\npyro: ${text}\n` })
    assert.deepStrictEqual(await end({ status: 3 }), note("the command ended with status 3"))
    assert.deepStrictEqual(await end({ status: 3 }, {}, true), {
      out: "abc\n",
      err: "pyro: the command ended with status 3\n"
    })
    assert.deepStrictEqual(await end({ outcome: "signaled", status: 137 }), note("signal 9 ended the command"))
    assert.include((await end({ outcome: "timed_out", status: 124 })).err, "ran past its timeout")
    assert.include((await end({ outcome: "out_of_memory", status: 137 })).err, "ran out of memory")
    assert.include((await end({ outcome: "lost" })).err, "before the command's end was known")
    for (const how of [{ status: 0 }, { outcome: "running" }] as const) assert.strictEqual((await end(how)).err, "")
    assert.strictEqual((await end({ status: 3 }, { nextCursor: 3 })).err, "", "another page follows")
  })
})
