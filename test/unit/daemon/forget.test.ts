import { Effect, Fiber, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, it } from "vitest"
import { DaemonRecord } from "../../../src/daemon/app/daemon-control.ts"
import { forgetDaemon } from "../../../src/daemon/serve.ts"
import { writeJsonAtomic } from "../../../src/system/files/atomic-file.ts"
import { withLock } from "../../../src/system/files/lock.ts"
import { daemonFiles, Paths } from "../../../src/system/files/Paths.ts"
import { ownIdentity } from "../../../src/system/processes/identity.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-forget-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const paths = Layer.succeed(Paths, { stateDir: folder, cacheDir: folder, memoryDir: folder })

it("a daemon that ends takes back its record, unless another one has the workspaces already", () =>
  Effect.gen(function*() {
    const { lock, record } = yield* daemonFiles
    yield* writeJsonAtomic(record, DaemonRecord, { process: ownIdentity(), version: "1", startedAt: "" })
    // The successor holds the lock, and may have written its own record since this one was read.
    yield* withLock(lock, { timeoutMs: 1_000 })(Effect.ignore(forgetDaemon))
    assert.isTrue(fs.existsSync(record))
    // As a signal ends it: the fiber that forgets has been interrupted.
    const daemon = yield* Effect.forkChild(Effect.ensuring(Effect.never, Effect.ignore(forgetDaemon)))
    yield* Effect.yieldNow
    yield* Fiber.interrupt(daemon)
    assert.isFalse(fs.existsSync(record))
  }).pipe(Effect.provide(paths), Effect.runPromise))
