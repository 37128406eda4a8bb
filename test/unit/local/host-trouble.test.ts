import { Cause, Chunk } from "effect"
import * as fs from "node:fs"
import { assert, describe, it } from "vitest"
import { sayHostTrouble } from "../../../src/local/host-trouble.ts"

/** What `work` throws. */
const thrownBy = (work: () => unknown): unknown => {
  try {
    work()
  } catch (cause) {
    return cause
  }
  throw new Error("it did not throw")
}

const failureOf = (cause: Cause.Cause<{ readonly code: string; readonly message: string }>) =>
  Chunk.unsafeHead(Cause.failures(cause))

describe("what a file of pyro's own refused", () => {
  it("a refused file of pyro's own is reported as a fact about the host, with the path", () => {
    const cause = Cause.die(thrownBy(() => fs.readdirSync("/etc/passwd")))
    const failure = failureOf(sayHostTrouble(cause))
    assert.strictEqual(failure.code, "state_directory_unusable")
    assert.include(failure.message, "/etc/passwd")
  })

  it("a file of pyro's own that a full disk refuses is reported as no_space", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", path: "/state/x" })
    const cause = Cause.parallel(Cause.interrupt({ _tag: "None" } as never), Cause.die(full))
    assert.strictEqual(failureOf(sayHostTrouble(cause)).code, "no_space")
  })

  it("any other defect stays a defect, and a failure stays a failure", () => {
    for (
      const cause of [
        Cause.die(new TypeError("a bug")),
        // A file that vanished is our own doing.
        Cause.die(thrownBy(() => fs.readFileSync("/nowhere/at/all"))),
        Cause.die("a text"),
        Cause.die(undefined),
        Cause.fail({ code: "vm_failed", message: "no" })
      ]
    ) assert.strictEqual(sayHostTrouble(cause), cause)
  })
})
