import { spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "vitest"

const script = path.resolve(import.meta.dirname, "../../scripts/docs/record.mjs")

describe("docs/images/session.svg", () => {
  it("pyro prints what the recorded session of the README shows", async () => {
    const child = spawn(process.execPath, [script, "--check"], { stdio: ["ignore", "ignore", "pipe"] })
    const [said, [status]] = await Promise.all([text(child.stderr), once(child, "exit")])
    assert.strictEqual(status, 0, said)
  })
})
