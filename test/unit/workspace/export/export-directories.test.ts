import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import type { ExportPayload } from "../../../../src/contract/operations/workspace-export.ts"
import { exportPath } from "../../../../src/workspace/export/path.ts"
import { type Claimed, guestWith, payload, resultOf, scratch } from "./fake-guest.ts"

const exported = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>, within?: string) =>
  resultOf(payload(fields), exportPath(guestWith(claims), payload(fields), { within }))

const refused = (...args: Parameters<typeof exported>) => Effect.flip(exported(...args))

describe("an output in a directory that is missing", () => {
  it.scopedLive("an export makes missing directories, and a refused one makes none", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const claims = [{ path: "x", size: 1, content: "x" }, { path: "gone", size: 3, content: { errno: "ENOENT" } }]
      const { result } = yield* exported(claims, { path: "x", output: `${folder}/new/deep/x` })
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
