import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const script = path.resolve(import.meta.dirname, "../../scripts/docs/record.mjs")

describe("docs/images/session.svg", () => {
  it("pyro prints what the recorded session of the README shows", () => {
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" })
    assert.strictEqual(status, 0, stderr)
  })
})
