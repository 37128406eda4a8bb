import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { onSmallDisk, packDriver, processesOf } from "../support/environment/process.ts"

let pack: Awaited<ReturnType<typeof packDriver>>

beforeAll(async () => {
  pack = await packDriver()
})

afterAll(() => pack.remove())

// test/guest/environment.test.ts has a disk that is full before a build, in `npm test`.
describe.skipIf(process.getuid!() !== 0)("a full disk", () => {
  it("a disk that fills up during a build fails with NoSpace and leaves nothing", async () => {
    const folder = path.join(pack.home, "small")
    const driver = onSmallDisk(pack.program, folder, 1000, ["ensure", "debian:12-base"])
    await driver.reaches("installing the base system")
    // The same file system, seen through the driver's own eyes.
    const inside = `/proc/${driver.pid}/root${folder}/cache`
    fill(path.join(inside, "filler"))
    const left = () => fs.readdirSync(path.join(inside, "environments", "tmp")).filter((entry) => entry !== ".lock")
    assert.isAbove(left().length, 0)
    const { error } = await driver.ended
    assert.strictEqual(error?.tag, "NoSpace")
    assert.deepStrictEqual(processesOf(folder), [])
  })
})

/** Writes until there is no room. */
const fill = (file: string) => {
  const handle = fs.openSync(file, "w")
  try {
    for (;;) fs.writeSync(handle, Buffer.alloc(1024 * 1024))
  } catch (cause) {
    assert.strictEqual((cause as NodeJS.ErrnoException).code, "ENOSPC")
  } finally {
    fs.closeSync(handle)
  }
}
