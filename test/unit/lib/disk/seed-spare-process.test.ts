import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { runTool } from "../../../../src/system/processes/child.ts"
import { nativeTool } from "../../../../src/system/processes/native.ts"
import { until } from "../../../support/until.ts"
import { withSeeds } from "./seeds.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

/** Processes of this one that wait for what they are to do. */
const waiting = () =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const [, parent] = /\) . (\d+) /.exec(fs.readFileSync(`/proc/${pid}/stat`, "latin1")) ?? []
      const [program = "", flag] = fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
      const isOurs = Number(parent) === process.pid && path.basename(program) === "pyro-seed"
      return isOurs && flag === "--await" ? [Number(pid)] : []
    } catch {
      return [] // it ended meanwhile
    }
  })

const oneWaits = Effect.map(until(() => waiting().length === 1), () => waiting()[0] ?? 0)
const noneWaits = until(() => waiting().length === 0)

const tree = Effect.map(temporaryDirectory, (directory) => {
  const tree = path.join(directory, "tree")
  fs.mkdirSync(tree)
  fs.writeFileSync(path.join(tree, "one"), "1\n")
  fs.writeFileSync(path.join(tree, "two"), "2\n")
  return { directory, tree }
})

// One after the other: whose process it is that waits could not be told apart.
describe("a process of pyro-seed that waits", { concurrent: false }, () => {
  it.live("a process of pyro-seed waits after the first seed, does the next one, and ends with the service", () =>
    Effect.gen(function*() {
      const { directory, tree: source } = yield* tree
      const options = { path: source, virtualMib: 64 }
      yield* withSeeds(
        directory,
        Effect.gen(function*() {
          const seeds = yield* SeedImages
          assert.deepStrictEqual(waiting(), [])
          const first = yield* seeds.fromPath(options)
          const pid = yield* oneWaits
          const again = yield* seeds.fromPath(options)
          assert.isFalse(fs.existsSync(`/proc/${pid}`), "it did not do the second look")
          assert.deepStrictEqual(again, first)
          // Made by one that waited, from a list, which comes behind its arguments.
          yield* oneWaits
          const listed = yield* seeds.fromPath({ ...options, list: Buffer.from("two\0") })
          assert.strictEqual(listed.report.files, 1)
          assert.notStrictEqual(listed.image.digest, first.image.digest)
          yield* oneWaits
          fs.writeFileSync(path.join(source, "three ü"), "3\n")
          assert.strictEqual((yield* seeds.fromPath(options)).report.files, 3)
          yield* oneWaits
          const refused = yield* Effect.flip(seeds.fromPath({ ...options, path: path.join(source, "one") }))
          assert.strictEqual(refused._tag, "SeedRejected")
          yield* oneWaits
        })
      )
      yield* noneWaits
    }))

  it.live("a seed works after the waiting process of pyro-seed was killed", () =>
    Effect.gen(function*() {
      const { directory, tree: source } = yield* tree
      yield* withSeeds(
        directory,
        Effect.gen(function*() {
          const seeds = yield* SeedImages
          yield* seeds.fromPath({ path: source, virtualMib: 64 })
          process.kill(yield* oneWaits, "SIGKILL")
          // Before this process has heard of it.
          const { report } = yield* seeds.fromPath({ path: source, virtualMib: 65 })
          assert.strictEqual(report.files, 2)
        })
      )
      yield* noneWaits
    }))

  it.live("the waiting process of pyro-seed ends with its stdin, and refuses arguments that are cut or too many", () =>
    Effect.gen(function*() {
      const tool = yield* nativeTool("pyro-seed")
      const ends = (input: Uint8Array) =>
        Effect.map(
          runTool(tool, ["--await"], { input, okCodes: [0, 2] }),
          ({ code, stdout }) => [code, stdout.toString()]
        )
      assert.deepStrictEqual(yield* ends(Buffer.alloc(0)), [0, ""])
      assert.deepStrictEqual(yield* ends(Buffer.from([0, 0])), [0, ""])
      assert.deepStrictEqual(yield* ends(Buffer.from([0, 0, 0, 9, 0x2d])), [
        2,
        "error\0usage\0the arguments end before their length\0"
      ])
      assert.deepStrictEqual(yield* ends(Buffer.from([0xff, 0, 0, 0])), [
        2,
        "error\0usage\0arguments of 4278190080 bytes\0"
      ])
    }))
})
