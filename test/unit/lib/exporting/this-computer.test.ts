import { Effect, Result } from "effect"
import { afterEach, assert, describe, it } from "vitest"
import { demandHoldable } from "../../../../src/lib/exporting/this-computer.ts"

const own = process.platform
const on = (platform: NodeJS.Platform) => Object.defineProperty(process, "platform", { value: platform })
afterEach(() => void on(own))

const refused = (entries: ReadonlyArray<readonly [path: string, type: string]>) => {
  const listed = entries.map(([path, type]) => ({ path: Buffer.from(path, "utf8").toString("latin1"), type }))
  const result = Effect.runSync(Effect.result(demandHoldable(listed)))
  return Result.isFailure(result) ? result.failure : undefined
}
const tree = [
  ["", "directory"],
  ["aux.c", "file"],
  ["Read.me", "file"],
  ["read.me", "file"],
  ["link", "symlink"],
  ["a\u0308", "file"],
  ["\u00e4", "file"]
] as const

describe("an export to a computer with other names", () => {
  it("names each path and each link that Windows cannot have, and two ways out", () => {
    on("win32")
    const error = refused(tree)
    assert.strictEqual(error?.detail, "this computer cannot have 3 paths of it")
    assert.deepStrictEqual(error?.paths, [
      "aux.c: aux is a device of Windows",
      "read.me: it is one file with Read.me on Windows",
      "link: pyro makes no links on Windows"
    ])
    assert.deepStrictEqual(error?.next?.map((step) => "option" in step ? step.option : ""), ["exclude", "output"])
  })

  it("names the forms of one name on macOS, which has links and devices' names", () => {
    on("darwin")
    assert.deepStrictEqual(refused(tree)?.paths, [
      "read.me: it is one file with Read.me on macOS",
      "ä: it is one file with a\u0308 on macOS"
    ])
  })

  it("has every name on Linux", () => {
    assert.isUndefined(refused(tree))
  })

  it("names the first 20, and counts all", () => {
    on("win32")
    const error = refused(Array.from({ length: 30 }, (_, at) => [`${at}:`, "file"]))
    assert.strictEqual(error?.detail, "this computer cannot have 30 paths of it")
    assert.strictEqual(error?.paths.length, 20)
  })
})
