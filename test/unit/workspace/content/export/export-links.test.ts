import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { afterAll, beforeAll } from "vitest"
import type { ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { describeBothWays, exportPath } from "./export-ways.ts"
import { type Claimed, guestWith, payload, resultOf, scratch, useSanitizedPut } from "./fake-guest.ts"

const exported = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>) =>
  resultOf(payload(fields), exportPath(guestWith(claims), payload(fields)))

/** Fails when the export does not; gives what it said. */
const refused = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>) => Effect.flip(exported(claims, fields))

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

describeBothWays("an export of links", () => {
  it.live("an export leaves no link that a later export can turn out of the output", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const output = `${folder}/outer/out`
      fs.mkdirSync(`${folder}/outer`)
      fs.writeFileSync(`${folder}/outer/x`, "secret")
      fs.writeFileSync(`${folder}/x`, "secret")
      const directories = (...paths: ReadonlyArray<string>) =>
        paths.map((path): Claimed => ({ path, type: "directory" }))
      const links = (all: Record<string, string>) =>
        Object.entries(all).map(([path, target]): Claimed => ({ path, type: "symlink", target }))
      const deep = directories("d", "d/a", "d/a/b", "d/a/b/c", "d/x")
      const first = [
        ...deep,
        { path: "x", content: "harmless" },
        { path: "d/x/x", content: "harmless" },
        ...links({
          "d/e": "a/b/c",
          "d/l": "e/../../../x/x",
          "d/twice": "f/../../x/x",
          "d/f": "e/..",
          "d/plain": "a/../../x",
          "d/kept": "../x"
        })
      ]
      const { result } = yield* exported(first, { output })
      assert.deepStrictEqual(result.skipped.map(({ path }) => path).sort(), ["d/f", "d/l", "d/plain", "d/twice"])
      const insides = () => {
        for (const name of ["d/e", "d/f", "d/kept", "d/l", "d/plain", "d/twice"]) {
          if (!fs.existsSync(`${output}/${name}`)) continue
          assert.isTrue(`${fs.realpathSync(`${output}/${name}`)}/`.startsWith(`${fs.realpathSync(output)}/`), name)
        }
      }
      insides()
      for (const target of ["a", ".", "..", "a/b", "../x"]) {
        const second = [...deep, { path: "x", content: "harmless" }, ...links({ "d/e": target, "d/f": target })]
        yield* exported(second, { output, overwrite: true })
        insides()
      }
      // What is a directory stays one, and a link never becomes one.
      const toLink = yield* refused(links({ d: "elsewhere" }).concat(directories("elsewhere")), {
        output,
        overwrite: true
      })
      assert.include(toLink.message, "a directory is there")
      const toDirectory = yield* refused(directories("d", "d/e", "d/e/y"), { output, overwrite: true })
      assert.include(toDirectory.message, "a symbolic link is there")
    }))

  it.live("an export is refused if the file of its links disappears and a link of the host may replace it", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      fs.mkdirSync(`${folder}/out`)
      fs.symlinkSync("/etc/hostname", `${folder}/out/target`)
      const claims: ReadonlyArray<Claimed> = [
        { path: "link", type: "symlink", target: "target" },
        { path: "target", size: 4, content: { errno: "ENOENT" } }
      ]
      const error = yield* refused(claims, { output: `${folder}/out`, overwrite: true })
      assert.include(error.message, "went away while being exported")
      assert.deepStrictEqual(fs.readdirSync(`${folder}/out`), ["target"])
    }))
})
