import { Effect, Exit, Fiber, Scope } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { makeOwnership } from "../../../../../src/lib/vm/driver/ownership.ts"
import { startVmm } from "../../../../../src/lib/vm/driver/vmm-process.ts"
import { chooseVmUid, type ConfinementLevel } from "../../../../../src/lib/vm/model/confinement.ts"
import { newRecord, newVmId, processName, type VmId, vmPaths } from "../../../../../src/lib/vm/model/record.ts"
import { processesWithArgument, type ProcessIdentity } from "../../../../../src/system/processes/identity.ts"
import { killIdentity } from "../../../../../src/system/processes/kill-identity.ts"
import { lapsed } from "../../../../support/until.ts"

const level: ConfinementLevel = process.getuid?.() === 0 ? "namespaces+uid" : "namespaces"

let folder: string
let id: VmId
let scope: Scope.Closeable

/** Starts a shell that waits in the place of a VMM, as the VMs of a pool are started. */
const start = (program = "sh") =>
  Effect.gen(function*() {
    const paths = vmPaths({ stateDir: folder, cacheDir: folder, memoryDir: folder }, id)
    fs.mkdirSync(paths.directory, { recursive: true })
    const record = newRecord({
      createdAt: "1970-01-01T00:00:00.000Z",
      id,
      purpose: "pool",
      memoryMib: 256,
      vcpuCount: 1,
      uid: chooseVmUid(level)
    })
    return yield* startVmm({
      vmm: "the shell",
      // The `:` keeps the shell, which has the name, above the sleep.
      command: [program, "-c", "sleep 1000; :", processName(id)],
      ownership: yield* makeOwnership(paths, record),
      record,
      level,
      files: [],
      usesKvm: false,
      dieWithParent: false,
      started: (now) => now
    })
  }).pipe(Scope.provide(scope))

/** The launchers and the shell. */
const processes = () => processesWithArgument(processName(id))

const programOf = ({ pid }: ProcessIdentity) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0]!
  } catch {
    return "" // it ended meanwhile
  }
}

/** The outer bubblewrap, which is this process's child. */
const killLauncher = () => {
  const parentOf = ({ pid }: ProcessIdentity) =>
    /^PPid:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
  process.kill(processes().find((one) => parentOf(one) === String(process.pid))!.pid, "SIGKILL")
}

/** Waits without a turn of the event loop, as a busy host makes a process wait. */
const waitBusily = (isReached: () => boolean) => {
  while (!isReached()) execFileSync("sleep", ["0.005"])
}

const end = (fiber: Fiber.Fiber<unknown, unknown>) =>
  Effect.runPromise(Effect.andThen(Fiber.interrupt(fiber), Scope.close(scope, Exit.void)))

describe("the start of a VMM in namespaces", () => {
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-start-"))
    id = newVmId()
    scope = Scope.makeUnsafe()
  })
  afterEach(async () => {
    for (const identity of processes()) await Effect.runPromise(killIdentity(identity))
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it("a start that is interrupted before anything was read from bubblewrap leaves no process", async () => {
    const fiber = Effect.runFork(start())
    waitBusily(() => processes().some((one) => programOf(one) === "sh"))
    await end(fiber)
    assert.deepStrictEqual(processes().map(programOf), [])
  })

  it.each([0, 2, 4, 6, 8, 10, 12, 15, 20, 30])(
    "a start that is interrupted after %i ms leaves no process",
    async (ms) => {
      const fiber = Effect.runFork(start())
      await lapsed(ms)
      await end(fiber)
      assert.deepStrictEqual(processes().map(programOf), [])
    }
  )

  it("a start whose launcher was killed by another process leaves no process", async () => {
    const fiber = Effect.runFork(start())
    waitBusily(() => processes().some((one) => programOf(one) === "sh"))
    killLauncher()
    await end(fiber)
    assert.deepStrictEqual(processes().map(programOf), [])
  })

  it("a VMM that runs ends with its scope, also without its launcher", async () => {
    const { identity } = await Effect.runPromise(start())
    killLauncher()
    assert.include(processes().map(({ pid }) => pid), identity.pid)
    await Effect.runPromise(Scope.close(scope, Exit.void))
    assert.deepStrictEqual(processes().map(programOf), [])
  })
})
