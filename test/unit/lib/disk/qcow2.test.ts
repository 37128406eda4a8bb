import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { openVerifiedQcow2, qcow2Header, type Qcow2Options } from "../../../../src/lib/disk/qcow2.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024
const sizes = [1 * mib, 512 * mib, 513 * mib, 16 * 1024 * mib, 4 * 1024 * 1024 * mib, 5 * 1024 * 1024 * mib]

const image = (tool: string, ...args: Array<string>) => execFileSync(tool, args, { encoding: "utf8" })

const verifyQcow2Header = (file: string, expected: Qcow2Options) => Effect.scoped(openVerifiedQcow2(file, expected))

describe("empty qcow2 overlays", () => {
  for (const virtualBytes of sizes) {
    it.live(`qemu-img finds no error in an empty overlay of ${virtualBytes / mib} MiB`, () =>
      Effect.gen(function*() {
        const file = path.join(yield* temporaryDirectory, "disk.qcow2")
        fs.writeFileSync(file, qcow2Header({ virtualBytes }))
        assert.include(image("qemu-img", "check", file), "No errors were found")
        const info = JSON.parse(image("qemu-img", "info", "--output=json", file))
        assert.strictEqual(info["virtual-size"], virtualBytes)
        assert.isUndefined(info["backing-filename"])
        assert.isUndefined(info["format-specific"].data["data-file"])
      }))
  }

  it.live("an overlay's header stays the same while QEMU writes, discards and flushes", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = path.join(directory, "disk.qcow2")
      const virtualBytes = 16 * 1024 * mib
      fs.writeFileSync(file, qcow2Header({ virtualBytes }))
      const writes = Array.from({ length: 40 }, (_, index) => ["-c", `write -P ${index + 1} ${index * 401}M 3M`]).flat()
      image("qemu-io", "-f", "qcow2", ...writes, "-c", "discard 401M 2M", "-c", "flush", file)
      yield* verifyQcow2Header(file, { virtualBytes })
      assert.include(image("qemu-img", "check", file), "No errors were found")
    }))

  it.live("an overlay whose header names another file is damaged", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = path.join(directory, "disk.qcow2")
      const virtualBytes = 512 * mib
      fs.writeFileSync(file, qcow2Header({ virtualBytes }))
      fs.writeFileSync(path.join(directory, "secret"), "of the host")
      image("qemu-img", "rebase", "-u", "-b", path.join(directory, "secret"), "-F", "raw", file)
      const failure = yield* Effect.flip(verifyQcow2Header(file, { virtualBytes }))
      assert.strictEqual(failure._tag, "ImageDamaged")
    }))

  it.live("an overlay with a changed byte of its header, a short one, a symlink and a missing one are damaged", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = path.join(directory, "disk.qcow2")
      const virtualBytes = 512 * mib
      const good = qcow2Header({ virtualBytes })
      for (const at of [0, 7, 15, 23, 31, 36, 47, 60, 79, 103, 104, 111, 4096, 65_535]) {
        const bad = good.slice()
        bad[at]! ^= 1
        fs.writeFileSync(file, bad)
        const failure = yield* Effect.flip(verifyQcow2Header(file, { virtualBytes }))
        assert.include(failure.message, `byte ${at} of its header`)
      }
      fs.writeFileSync(file, good.subarray(0, 100))
      assert.include((yield* Effect.flip(verifyQcow2Header(file, { virtualBytes }))).message, "ends after 100 bytes")
      fs.writeFileSync(path.join(directory, "real"), good)
      fs.rmSync(file)
      fs.symlinkSync("real", file)
      yield* Effect.flip(verifyQcow2Header(file, { virtualBytes }))
      fs.rmSync(file)
      yield* Effect.flip(verifyQcow2Header(file, { virtualBytes }))
      fs.writeFileSync(file, good)
      yield* verifyQcow2Header(file, { virtualBytes })
    }))
})
