import { Effect } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, it } from "vitest"
import { sweepCompiledCode } from "../../../../src/daemon/app/disk/compiled-code.ts"

const root = mkdtempSync(join(tmpdir(), "pyro-compiled-"))
afterAll(() => rmSync(root, { recursive: true }))

const folder = (name: string, ...files: ReadonlyArray<string>) => {
  const path = join(root, name)
  mkdirSync(path)
  for (const file of files) writeFileSync(join(path, file), "x".repeat(5_000))
  return path
}

const own = "main-00000000000000aa.cjs-v24.1.0-x64-run.bin"
const others = ["main-00000000000000bb.cjs-v24.1.0-x64-run.bin", "main-00000000000000cc.cjs-v20.1.0-x64-gc.bin.7.tmp"]

it("gc removes the compiled code of other builds, and keeps that of this build and other files", async () => {
  const code = folder("code", own, ...others, "notes.txt")
  const freed = await Effect.runPromise(sweepCompiledCode(code, folder("dist", "main-00000000000000aa.cjs", "pyro.js")))
  assert.deepStrictEqual(readdirSync(code).sort(), [own, "notes.txt"])
  assert.isAtLeast(freed, 10_000)
})

it("gc removes no compiled code if this build is unknown, or nothing was compiled", async () => {
  const code = folder("code-2", ...others)
  assert.strictEqual(await Effect.runPromise(sweepCompiledCode(code, folder("dist-2", "pyro.js"))), 0)
  assert.strictEqual(readdirSync(code).length, 2)
  assert.strictEqual(await Effect.runPromise(sweepCompiledCode(join(root, "absent"), join(root, "dist"))), 0)
})
