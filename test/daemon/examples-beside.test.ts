import { execFile } from "node:child_process"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const root = path.resolve(import.meta.dirname, "../..")

describe("an example beside a daemon", () => {
  const own = installation("pyro-beside-")
  beforeAll(() => own.list())
  afterAll(() => own.close())

  /** Its exit status and what it prints on stderr. */
  const outcome = (name: string) =>
    new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
      const env = { ...process.env, ...own.env }
      const args = [path.join(root, "scripts/example.mjs"), `examples/${name}.ts`]
      execFile(process.execPath, args, { cwd: root, env }, (error, _stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }))
    })

  it.each(["workspace", "agent"])("%s.ts fails beside a daemon with a message and no stack", async (name) => {
    const { code, stderr } = await outcome(name)
    assert.strictEqual(code, 1, stderr)
    assert.match(stderr, /^.*daemon\.stop.*\n$/)
  })
})
