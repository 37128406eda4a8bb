import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import type { WalkEntry } from "../../../../../src/lib/guest-channel/model/files.ts"
import { UpperEntries } from "../../../../../src/workspace/content/files/list.ts"
import { someEntry } from "../export/fake-guest.ts"

const entry = (path: string): WalkEntry => ({ ...someEntry, path: Buffer.from(path, "latin1") })
const kept = (paths: Iterable<string>, limit: number) => {
  const entries = new UpperEntries(limit)
  for (const path of paths) entries.add(entry(path))
  return { seen: entries.seen, paths: entries.sorted().map(({ path }) => Buffer.from(path).toString("latin1")) }
}

describe("the upper entries of a tree", () => {
  it("the upper entries are the highest ones, in order within a level, whatever their order of arrival", () => {
    const path = FastCheck.array(FastCheck.constantFrom("a", "b", "\xff", "a b", "z"), { minLength: 1, maxLength: 4 })
    FastCheck.assert(FastCheck.property(
      FastCheck.uniqueArray(path.map((parts) => parts.join("/")), { maxLength: 60 }),
      FastCheck.integer({ min: 1, max: 40 }),
      (paths, limit) => {
        const order = (a: string, b: string) => Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"))
        const expected = [...paths]
          .sort((a, b) => a.split("/").length - b.split("/").length || order(a, b))
          .slice(0, limit)
          .sort(order)
        assert.deepStrictEqual(kept(paths, limit), { seen: paths.length, paths: expected })
      }
    ))
  })

  it("a listing of upper entries holds few entries, for any number of entries", () => {
    const many = function*() {
      for (let i = 0; i < 100_000; i++) yield `deep/${i}`
      yield "top"
    }
    const { paths, seen } = kept(many(), 3)
    assert.deepStrictEqual([seen, paths], [100_001, ["deep/0", "deep/1", "top"]])
  })

  it("the names of the upper entries take at most 2 MiB", () => {
    const { paths } = kept(
      Array.from({ length: 200 }, (_, i) => `${String(i).padStart(3, "0")}${"n".repeat(60_000)}`),
      10_000
    )
    assert.isTrue(paths.length > 30 && paths.length < 36, `${paths.length}`)
    assert.isTrue(paths[0]!.startsWith("000"))
  })
})
