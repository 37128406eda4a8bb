import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { admit, hasRoomFor } from "../../../../../../src/lib/vm/driver/admission.ts"
import { sharedMemoryAt, sharedMemoryOf } from "../../../../../../src/lib/vm/driver/memory.ts"
import { sealed } from "../../../../../../src/lib/vm/driver/qemu/shared-memory.ts"
import { newRecord, newVmId, vmPaths, type VmRecord, writeRecord } from "../../../../../../src/lib/vm/model/record.ts"
import { Paths } from "../../../../../../src/system/files/Paths.ts"
import { availableMemoryBytes } from "../../../../../../src/system/processes/host.ts"
import { processIdentity } from "../../../../../../src/system/processes/identity.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

const mib = 1024 * 1024

/** A process that stands for a QEMU with a shared memory. */
const holder = (descriptor: number) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn("sleep", ["1000"], {
          stdio: ["ignore", "ignore", "ignore", "ignore", "ignore", descriptor]
        })
      ),
      (child) =>
        Effect.promise(async () => {
          const ended = once(child, "exit")
          child.kill("SIGKILL")
          await ended
        })
    ),
    ({ pid }) => pid!
  )

const memoryOf = (bytes: number) =>
  Effect.gen(function*() {
    const file = path.join(yield* temporaryDirectory, "memory")
    fs.writeFileSync(file, randomBytes(bytes))
    fs.truncateSync(file, 64 * mib)
    return yield* sealed(file)
  })

const recordOf = (memoryMib: number, more: Partial<VmRecord> = {}) =>
  newRecord({
    createdAt: "1970-01-01T00:00:00.000Z",
    id: newVmId(),
    purpose: "workspace",
    uid: 0,
    memoryMib,
    vcpuCount: 1,
    ...more
  })

describe("a memory that VMs share", () => {
  it.effect("lives as long as a process that has it, and says what it takes", () =>
    Effect.gen(function*() {
      const pid = yield* Effect.scoped(Effect.gen(function*() {
        const { bytes, descriptor } = yield* memoryOf(3 * mib)
        assert.isTrue(bytes >= 3 * mib && bytes < 4 * mib, `${bytes}`)
        return yield* holder(descriptor).pipe(
          Effect.tap((pid) => Effect.sync(() => assert.strictEqual(sharedMemoryOf(pid)?.bytes, bytes)))
        )
      }))
      assert.isUndefined(sharedMemoryOf(pid))
      assert.isUndefined(sharedMemoryOf(process.pid))
      assert.strictEqual(sharedMemoryAt, 5)
    }))

  it.effect("only a copy of a regular file is shared", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.scoped(sealed(yield* temporaryDirectory)))
      assert.deepInclude(failure, { _tag: "VmFailed", step: "share memory" })
    }))

  it.live("admission counts once what it may grow by, beside what each VM may write", () =>
    Effect.gen(function*() {
      const { descriptor } = yield* memoryOf(mib)
      const folder = yield* temporaryDirectory
      const paths = { stateDir: folder, cacheDir: folder, memoryDir: folder } as Paths["Service"]
      const beside = (memoryMib: number, count: number) =>
        Effect.gen(function*() {
          for (let number = 0; number < count; number++) {
            const identity = processIdentity(yield* holder(descriptor))!
            const record = recordOf(memoryMib, { sharedBytes: mib, process: identity })
            const place = vmPaths(paths, record.id)
            fs.mkdirSync(place.directory, { recursive: true })
            yield* writeRecord(place, record)
          }
          const room = yield* hasRoomFor(1)
          return { room, admitted: yield* Effect.result(admit([recordOf(1)])) }
        }).pipe(
          Effect.ensuring(Effect.sync(() => fs.rmSync(path.join(folder, "vms"), { recursive: true, force: true }))),
          Effect.scoped,
          Effect.provideService(Paths, paths)
        )
      const available = availableMemoryBytes() / mib
      const small = yield* beside(Math.floor(available / 8), 2)
      assert.deepStrictEqual([small.room, small.admitted._tag], [true, "Success"])
      // Two VMs and the memory: three times, where two would fit.
      const large = yield* beside(Math.floor(available * 0.4), 2)
      assert.deepStrictEqual([large.room, large.admitted._tag], [false, "Failure"])
    }))
})
