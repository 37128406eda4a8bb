import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import * as fs from "node:fs"
import { afterAll, beforeAll } from "vitest"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import type { ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { exportPatch } from "../../../../../src/lib/exporting/patch.ts"
import { exportPath } from "../../../../../src/workspace/content/export/path.ts"
import { lapse } from "../../../../support/until.ts"
import { guestWith, payload, resultOf, scratch, useSanitizedPut } from "./fake-guest.ts"

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

describe("an export of a patch", () => {
  const patch = Buffer.from("diff --git a/x b/x\n".repeat(10_000))
  const run = (fields: Partial<ExportPayload>, paths: ReadonlyArray<string> = ["x"]) =>
    resultOf(
      payload({ patch: true, ...fields }),
      exportPatch(patch, paths.map((path) => ({ path: Buffer.from(path) })), "d1", payload({ patch: true, ...fields }))
    )

  it.live("export --expect writes the reviewed diff or none", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const output = `${folder}/c.patch`
      const changed = yield* Effect.flip(run({ output, expect: "d0" }))
      assert.strictEqual(changed._tag, "ExportRefused")
      assert.match(changed.message, /d1.*d0/)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      const { result } = yield* run({ output, expect: "d1" })
      assert.deepInclude(result, { kind: "patch", digest: "d1", files: 1, changedFiles: 1, bytes: patch.length })
      assert.isTrue(fs.readFileSync(output).equals(patch))
      assert.isTrue((yield* run({ output: "-" })).stdout.equals(patch))
      const again = yield* Effect.flip(run({ output }))
      assert.include(typedMessage(again), "--overwrite")
      const replaced = yield* run({ output, overwrite: true })
      assert.isTrue(replaced.result.entries[0]?.replaced)
    }))

  it.live("an exported patch is checked by its paths", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const output = `${folder}/c.patch`
      for (const path of [".git/config", "a/.GIT/x", "../x", "/etc/x"]) {
        const error = yield* Effect.flip(run({ output, allowExecutableConfig: true }, ["fine", path]))
        assert.strictEqual(error._tag, "ExportRefused", path)
      }
      const error = yield* Effect.flip(run({ output }, ["src/a.ts", ".husky/pre-commit"]))
      assert.include(error.message, ".husky/pre-commit")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      const { result } = yield* run({ output, allowExecutableConfig: true }, ["src/a.ts", ".husky/pre-commit"])
      assert.strictEqual(result.changedFiles, 2)
      assert.deepStrictEqual(result.executableConfig.map(({ path }) => path), [".husky/pre-commit"])
    }))

  it.live("a patch that makes a repository of git out of plain directories is refused", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const output = `${folder}/c.patch`
      const patches = {
        whole: ["src/x", "a/bare/HEAD", "a/bare/config", "a/bare/objects/k", "a/bare/refs/heads/k"],
        // The config is that of the directory which `commondir` names.
        split: ["a/HEAD", "a/commondir", "a/config.worktree", "b/config", "b/objects/k", "b/refs/k"]
      }
      for (const [kind, paths] of Object.entries(patches)) {
        const error = yield* Effect.flip(run({ output }, paths))
        assert.include(error.message, "git takes the directory for a repository", kind)
      }
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      yield* run({ output }, ["HEAD.md", "a/HEAD", "b/objects/k", "c/refs/k", "d/commondir"])
    }))
})

describe("an interrupted export", () => {
  it.live("an interrupted export leaves nothing", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const stuck = Stream.concat(Stream.make(new Uint8Array(200_000)), Stream.never)
      const asked = payload({ output: `${folder}/out` })
      const claims = [{ path: "a", content: "a" }, { path: "b", size: 1_000_000, content: stuck }]
      const fiber = yield* Effect.forkChild(Stream.runDrain(exportPath(guestWith(claims), asked)))
      const staged = () => fs.readdirSync(folder).some((name) => fs.existsSync(`${folder}/${name}/root/b`))
      yield* Effect.suspend(() => Effect.as(lapse(2), staged())).pipe(
        Effect.repeat({ until: (seen) => seen }),
        Effect.timeout("10 seconds")
      )
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))

  it.live("an export that its reader interrupts leaves nothing", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const asked = payload({ path: "a", output: "-" })
      const endless = Stream.forever(Stream.make(new Uint8Array(65_536)))
      const claims = [{ path: "a", size: 2 ** 30, content: endless }]
      const head = yield* Stream.runCollect(Stream.take(exportPath(guestWith(claims), asked), 3))
      assert.strictEqual(head.length, 3)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))
})
