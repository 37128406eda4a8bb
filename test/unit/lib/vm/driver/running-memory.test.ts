import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { copySparse, memoryOfRunning, touchedMemory } from "../../../../../src/lib/vm/driver/memory.ts"
import { newRecord, newVmId, type VmPaths } from "../../../../../src/lib/vm/model/record.ts"
import { processIdentity } from "../../../../../src/system/processes/identity.ts"
import { temporaryDirectory } from "../../disk/temporary-directory.ts"

const mib = 1024 * 1024

/** A VMM that has its memory file open, and the file. */
const running = (content: Buffer, memoryMib = 1) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const memory = path.join(directory, "mem")
    fs.writeFileSync(memory, content)
    fs.truncateSync(memory, mib)
    const fd = fs.openSync(memory, "r+")
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn("sleep", ["1000"], { stdio: ["ignore", "ignore", "ignore", fd] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    fs.closeSync(fd)
    const uid = process.getuid!()
    const record = newRecord({
      createdAt: "1970-01-01T00:00:00.000Z",
      id: newVmId(),
      purpose: "workspace",
      uid,
      memoryMib,
      vcpuCount: 1
    })
    const paths = { memory } as VmPaths
    return { directory, paths, record: { ...record, process: processIdentity(child.pid!)! } }
  })

describe("the memory file of a running VM", () => {
  const content = Buffer.alloc(4 * 4096, "memory")

  it.live("a memory that has lost its name is copied and counted by the descriptor of its VMM", () =>
    Effect.gen(function*() {
      const { directory, paths, record } = yield* running(content)
      assert.strictEqual(yield* memoryOfRunning(paths, record), paths.memory)
      const touched = touchedMemory(paths, record)
      fs.rmSync(paths.memory)
      assert.strictEqual(touchedMemory(paths, record), touched)
      const copy = path.join(directory, "copy")
      yield* copySparse(yield* memoryOfRunning(paths, record), copy, record.uid)
      assert.strictEqual(fs.statSync(copy).size, mib)
      assert.isTrue(fs.readFileSync(copy).subarray(0, content.length).equals(content))
    }))

  it.live("a file of another size, or one with a name, is not taken for the memory", () =>
    Effect.gen(function*() {
      const other = yield* running(content, 2)
      fs.rmSync(other.paths.memory)
      assert.strictEqual(yield* memoryOfRunning(other.paths, other.record), other.paths.memory)
      const moved = yield* running(content)
      fs.renameSync(moved.paths.memory, `${moved.paths.memory}-elsewhere`)
      assert.strictEqual(yield* memoryOfRunning(moved.paths, moved.record), moved.paths.memory)
    }))
})
