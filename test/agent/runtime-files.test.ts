import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { Agent, withAgent } from "./agent.ts"

/** Paths beneath a directory, with type, mode and the target of a link. */
const listed = (folder: string) =>
  execFileSync("find", [folder, "-mindepth", "1", "-printf", "%P %y %m %l\n"], { encoding: "utf8" })
    .split("\n").filter((line) => line !== "").map((line) => line.replace(/ l 777 /, " -> ").trim()).sort()

withAgent("runtime files", (it) => {
  const copy = Effect.gen(function*() {
    const { folder } = yield* Agent
    const [from, to] = [fs.mkdtempSync(join(folder, "from-")), fs.mkdtempSync(join(folder, "to-"))]
    const { call } = yield* Agent.connect()
    return { folder, from, to, copied: Effect.map(call.runtimeFiles({ from, to }), () => listed(to)) }
  })
  const make = (folder: string, name: string, mode: number) => {
    fs.mkdirSync(join(folder, name), { recursive: true })
    fs.chmodSync(join(folder, name), mode)
  }

  it.effect("directories, small files and links of an image's /run come to the new /run, with their modes", () =>
    Effect.gen(function*() {
      const { copied, from, to } = yield* copy
      make(from, "server/deep", 0o2770)
      make(from, "lock", 0o1777)
      make(to, "lock", 0o755)
      fs.writeFileSync(join(from, "server/file"), "text")
      fs.chmodSync(join(from, "server/file"), 0o640)
      fs.symlinkSync("server", join(from, "link"))
      assert.deepStrictEqual(yield* copied, [
        "link -> server",
        "lock d 1777",
        "server d 755",
        "server/deep d 2770",
        "server/file f 640"
      ])
      assert.strictEqual(fs.readFileSync(join(to, "server/file"), "utf8"), "text")
    }))

  it.effect("an image's /run never reaches pyro's own directory, and its links lead no copy elsewhere", () =>
    Effect.gen(function*() {
      const { copied, folder, from, to } = yield* copy
      make(folder, "outside", 0o755)
      fs.symlinkSync(join(folder, "outside"), join(from, "pyro"))
      fs.symlinkSync(join(folder, "outside"), join(from, "pyro-secrets"))
      // What lies in the new directory already is a link, and the image has a directory of this name.
      fs.symlinkSync(join(folder, "outside"), join(to, "server"))
      make(from, "server", 0o777)
      fs.writeFileSync(join(from, "server/file"), "text")
      assert.deepStrictEqual(yield* copied, [`server -> ${join(folder, "outside")}`])
      assert.deepStrictEqual([
        fs.readdirSync(join(folder, "outside")),
        fs.statSync(join(folder, "outside")).mode & 0o777
      ], [
        [],
        0o755
      ])
    }))

  it.effect("a large /run of an image is copied as far as its bounds go, and the guest goes on", () =>
    Effect.gen(function*() {
      const { copied, from } = yield* copy
      fs.writeFileSync(join(from, "huge"), "")
      fs.truncateSync(join(from, "huge"), 8 * 2 ** 40)
      fs.writeFileSync(join(from, "small"), "text")
      make(from, Array.from({ length: 40 }, () => "d").join("/"), 0o755)
      const found = yield* copied
      assert.deepStrictEqual([found[0], found.at(-1), found.length], ["d d 755", "small f 644", 17])
      make(from, "many", 0o755)
      for (let at = 0; at < 1_100; at++) fs.symlinkSync("../small", join(from, "many", `entry-${at}`))
      fs.rmSync(join(from, "small"))
      assert.lengthOf(yield* copied, found.length + 1_000)
    }))

  it.effect("an image without /run, or with a link in its place, is no error", () =>
    Effect.gen(function*() {
      const { copied, folder, from } = yield* copy
      make(folder, "other", 0o755)
      fs.writeFileSync(join(folder, "other/file"), "text")
      fs.rmSync(from, { recursive: true })
      assert.deepStrictEqual(yield* copied, [])
      fs.symlinkSync("other", from)
      assert.deepStrictEqual(yield* copied, [])
    }))
})
