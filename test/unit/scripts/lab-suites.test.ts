import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const root = path.resolve(import.meta.dirname, "../../..")
const checks = path.join(root, "test/lab/checks")
type Driver = "qemu" | "firecracker"

const { filesOf } = await import(path.join(checks, "suites.mjs")) as {
  readonly filesOf: (options: { readonly driver: Driver }) => ReadonlyArray<string>
}
const { leftOut } = await import(path.join(checks, "left-out.mjs")) as {
  readonly leftOut: (root: string, driver: Driver, run: ReadonlyArray<string>) => ReadonlyArray<string>
}

describe("the lab's suites", () => {
  it.each(["qemu", "firecracker"] as const)(
    "%s: each file of test/guest is run, or left out with a reason",
    (driver) => {
      const run = filesOf({ driver })
      assert.deepStrictEqual(run.filter((file) => !fs.existsSync(path.join(root, file))), [])
      const names = leftOut(root, driver, run).flatMap((line) =>
        /^test\/guest: (.*): .+$/.exec(line)?.[1]?.split(", ") ?? []
      )
      const ofGuest = [
        ...run.filter((file) => file.startsWith("test/guest/")),
        ...names.map((name) => `test/guest/${name}.test.ts`)
      ]
      const all = fs.readdirSync(path.join(root, "test/guest")).filter((name) => name.endsWith(".test.ts"))
      assert.deepStrictEqual([...new Set(ofGuest)].sort(), all.map((name) => `test/guest/${name}`).sort())
    }
  )

  it("a list that leaves out what is run, or what does not exist, is refused", () => {
    const run = filesOf({ driver: "firecracker" })
    assert.throws(() => leftOut(root, "firecracker", [...run, "test/guest/pool.test.ts"]), "pool")
    assert.throws(() => leftOut(checks, "firecracker", run), /ENOENT/)
  })
})
