import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import type { ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { describeBothWays, exportPath } from "./export-ways.ts"
import { type Claimed, guestWith, payload, resultOf, scratch } from "./fake-guest.ts"

const exported = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>, within?: string) =>
  resultOf(payload(fields), exportPath(guestWith(claims), payload(fields), { within }))

const refused = (...args: Parameters<typeof exported>) => Effect.flip(exported(...args))

describeBothWays("an output in a directory that is missing", () => {
  it.live("an export makes missing directories, and a refused one makes none", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const claims = [{ path: "x", size: 1, content: "x" }, { path: "gone", size: 3, content: { errno: "ENOENT" } }]
      const { notices, result } = yield* exported(claims, { path: "x", output: `${folder}/new/deep/x` })
      const made = (message: string) => ({ _tag: "Notice" as const, level: "hint" as const, message })
      assert.deepStrictEqual(notices, [made(`made the directory ${folder}/new, which was missing`)])
      assert.deepStrictEqual((yield* exported(claims, { path: "x", output: `${folder}/new/deep/y` })).notices, [])
      assert.strictEqual(fs.readFileSync(`${folder}/new/deep/x`, "latin1"), "x")
      assert.deepStrictEqual(result.entries.map(({ path }) => path), [""])
      yield* exported(claims, { path: "x", output: `${folder}/inner/x` }, folder)
      for (const within of [undefined, folder]) {
        yield* refused(claims, { path: "gone", output: `${folder}/other/x` }, within)
        for (const directory of [".git/hooks", ".GIT", ".vscode", ".config/mise"]) {
          yield* refused(claims, { path: "x", output: `${folder}/other/${directory}/x` }, within)
        }
      }
      yield* refused(claims, { path: "x", output: `${folder}-beside/x` }, folder)
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["inner", "new"])
      assert.isFalse(fs.existsSync(`${folder}-beside`))
    }))
})

describeBothWays("an output that exists", () => {
  it.live("an export names the way out of a conflict with --overwrite only where that option helps", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const file = `${folder}/file`
      const out = `${folder}/out`
      fs.writeFileSync(file, "own")
      fs.mkdirSync(`${out}/d/b`, { recursive: true })
      fs.writeFileSync(`${out}/d/a`, "own")
      const claims: ReadonlyArray<Claimed> = [
        { path: "d", type: "directory" },
        { path: "d/a", content: "a" },
        { path: "d/b", content: "b" }
      ]
      const said = (output: string, path: string, overwrite: boolean) =>
        Effect.map(refused(claims, { path, output, overwrite }), typedMessage)
      for (const overwrite of [false, true]) {
        assert.strictEqual(
          yield* said(file, "d", overwrite),
          `nothing was exported: a file is there, and a directory never replaces a file (${file}). ` +
            "Remove it from the host first. Name another output: --output"
        )
      }
      assert.strictEqual(
        yield* said(file, "d/a", false),
        `nothing was exported: it is there already (${file}). Replace files and links: --overwrite`
      )
      assert.strictEqual(
        yield* said(out, "", true),
        `nothing was exported: 1 path is in the way at ${out} (d/b: a directory is there). ` +
          "Remove these paths from the host first: a directory replaces no file, and no file a directory. " +
          "Or name another output: --output"
      )
      assert.include(yield* said(out, "", false), "2 paths are in the way")
      fs.rmdirSync(`${out}/d/b`)
      assert.strictEqual(
        yield* said(out, "", false),
        `nothing was exported: 1 path is in the way at ${out} (d/a: it is there already). ` +
          "Replace files and links: --overwrite"
      )
      assert.strictEqual(fs.readFileSync(`${out}/d/a`, "latin1"), "own")
      assert.strictEqual(fs.readFileSync(file, "latin1"), "own")
    }))
})
