import { Cause, Effect, Exit } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { makeOwnership } from "../../../../../src/lib/vm/driver/ownership.ts"
import { newRecord, type VmId, vmPaths, writeRecord } from "../../../../../src/lib/vm/model/record.ts"
import { unmount } from "../../../../support/files/mounts.ts"

const mountPoint = fs.mkdtempSync("/var/tmp/pyro-space-")
const id = "vm-0123456789ab" as VmId
const paths = vmPaths({ stateDir: mountPoint, cacheDir: mountPoint, memoryDir: mountPoint }, id)

describe("the record of a VM on a disk that is full", () => {
  beforeAll(() => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", mountPoint])
  })
  afterAll(async () => {
    await unmount(mountPoint)
    fs.rmdirSync(mountPoint)
  })

  it("a VM's record stays unchanged if the disk is full", async () => {
    fs.mkdirSync(paths.directory, { recursive: true })
    const record = newRecord({
      createdAt: "1970-01-01T00:00:00.000Z",
      id,
      purpose: "run",
      memoryMib: 256,
      vcpuCount: 1,
      uid: 0
    })
    await Effect.runPromise(writeRecord(paths, record))
    const before = fs.readFileSync(paths.record, "utf8")
    try {
      fs.writeFileSync(path.join(mountPoint, "filler"), Buffer.alloc(65_536))
    } catch { /* to the last page */ }
    const ownership = await Effect.runPromise(makeOwnership(paths, record))
    const exit = await Effect.runPromiseExit(ownership.update((now) => ({ ...now, memoryMib: 512 })))
    assert.isTrue(Exit.isFailure(exit))
    const failure = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    assert.strictEqual((failure as { readonly _tag?: string })._tag, "NoSpace")
    assert.strictEqual(fs.readFileSync(paths.record, "utf8"), before)
    assert.strictEqual((await Effect.runPromise(ownership.record)).memoryMib, 256)
    assert.deepStrictEqual(fs.readdirSync(paths.directory), ["record.json"])
  })
})
