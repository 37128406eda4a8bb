import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { nativeDirectory } from "../../../../src/system/processes/native.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024
const tool = path.join(nativeDirectory(), "pyro-copy")

/** Path of a sealed copy of a file, as long as the Scope is open. */
const sealed = (file: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const child = spawn(tool, ["--seal", file], { stdio: ["ignore", "pipe", "inherit"] })
        const [report] = await once(child.stdout, "data") as [Buffer]
        return { child, report: report.toString() }
      }),
      ({ child }) =>
        Effect.promise(async () => {
          const ended = once(child, "exit")
          child.kill("SIGKILL")
          await ended
        })
    ),
    ({ child, report }) => {
      const [, number] = /^sealed (\d+)\n$/.exec(report)!
      return `/proc/${child.pid}/fd/${number}`
    }
  )

describe("pyro-copy --seal", () => {
  it.effect("a sealed copy has the bytes and the holes of its file, and outlives the file", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryDirectory, "file")
      const data = randomBytes(3 * mib)
      fs.writeFileSync(file, data)
      fs.truncateSync(file, 64 * mib)
      const copy = yield* sealed(file)
      fs.rmSync(file)
      const content = fs.readFileSync(copy)
      assert.isTrue(content.subarray(0, data.length).equals(data))
      assert.isTrue(content.subarray(data.length).every((byte) => byte === 0))
      assert.isBelow(fs.statSync(copy).blocks * 512, 4 * mib)
    }))

  it.effect("no process can change a sealed copy, whatever its rights", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryDirectory, "file")
      fs.writeFileSync(file, randomBytes(mib))
      const copy = yield* sealed(file)
      // QEMU opens the memory so.
      const fd = fs.openSync(copy, "r+")
      assert.throws(() => fs.writeSync(fd, "x"), /EPERM/)
      for (const size of [0, 2 * mib]) assert.throws(() => fs.ftruncateSync(fd, size), /EPERM/)
      fs.closeSync(fd)
      // What a QEMU does when a guest gives back a page.
      const { status, stderr } = spawnSync("fallocate", ["--punch-hole", "--offset", "0", "--length", "4096", copy])
      assert.notStrictEqual(status, 0)
      assert.include(stderr.toString(), "Operation not permitted")
      assert.isTrue(fs.readFileSync(copy).equals(fs.readFileSync(file)))
    }))

  it.effect("only a regular file is sealed", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      fs.symlinkSync("/etc/passwd", path.join(directory, "link"))
      for (const odd of ["link", ".", "missing"]) {
        assert.strictEqual(spawnSync(tool, ["--seal", path.join(directory, odd)]).status, 1)
      }
    }))
})
