import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { makeResultDisk, resultsFolder, takeResult } from "../../../../src/lib/disk/result-disk.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-result-test-")
afterAll(remove)

const paths = { stateDir: folder, cacheDir: folder, memoryDir: folder }
const target = path.join(folder, "taken")
const base = path.join(folder, "base")
fs.writeFileSync(base, "base", { mode: 0o444 })
const left = () => fs.readdirSync(resultsFolder(folder)).filter((name) => name !== ".lock")

describe("a disk for a result", () => {
  it.effect("begins with a copy of its base, and its first bytes become the result", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const disk = yield* makeResultDisk(1, base)
        assert.strictEqual(fs.readFileSync(disk.file, "utf8"), "base")
        fs.appendFileSync(disk.file, " and more")
        yield* takeResult(disk, 8, target)
      }))
      assert.strictEqual(fs.readFileSync(target, "utf8"), "base and")
      assert.strictEqual(fs.readFileSync(base, "utf8"), "base")
      assert.strictEqual(fs.statSync(target).mode & 0o777, 0o444)
      assert.deepStrictEqual(left(), [])
    }).pipe(Effect.provideService(Paths, paths)))

  it.effect("is not taken while a microVM has it, and goes with its Scope", () =>
    Effect.gen(function*() {
      fs.rmSync(target, { force: true })
      const refusal = yield* Effect.scoped(Effect.gen(function*() {
        const disk = yield* makeResultDisk(1)
        fs.linkSync(disk.file, path.join(folder, "in-a-vm"))
        return yield* Effect.flip(takeResult(disk, 1, target))
      }))
      assert.include(refusal.message, "a microVM still has it")
      assert.isFalse(fs.existsSync(target))
      assert.deepStrictEqual(left(), [])
    }).pipe(Effect.provideService(Paths, paths)))
})
