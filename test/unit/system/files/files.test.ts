import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { readJson, writeFileAtomic, writeJsonAtomic } from "../../../../src/system/files/atomic-file.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { fileHolds } from "../../../../src/system/processes/host.ts"
import {
  isAlive,
  ownIdentity,
  processesWithArgument,
  processIdentity
} from "../../../../src/system/processes/identity.ts"
import { connectUnix } from "../../../../src/system/processes/unix-socket.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-files-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)
const Point = Schema.Struct({ x: Schema.Int })

describe("atomic files", () => {
  it.effect("an atomic file reads back its content, and a missing one reads as nothing", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "point.json")
      assert.deepStrictEqual(yield* readJson(file, Point), Option.none())
      yield* writeJsonAtomic(file, Point, { x: 3 })
      assert.deepStrictEqual(yield* readJson(file, Point), Option.some({ x: 3 }))
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      fs.writeFileSync(file, "{\"x\": 1.5}")
      assert.strictEqual((yield* Effect.flip(readJson(file, Point)))._tag, "FileFailed")
    }))

  it.effect("a failed atomic write leaves nothing", () =>
    Effect.gen(function*() {
      const parent = yield* folder
      fs.mkdirSync(path.join(parent, "taken"))
      const failure = yield* Effect.flip(writeFileAtomic(path.join(parent, "taken"), "x"))
      assert.strictEqual(failure._tag, "FileFailed")
      assert.deepStrictEqual(fs.readdirSync(parent), ["taken"])
    }))
})

describe("process identity", () => {
  it("a process identity differs from that of another process with the same pid", () => {
    const own = ownIdentity()
    assert.isTrue(isAlive(own))
    assert.isFalse(isAlive({ ...own, startTicks: own.startTicks + 1 }))
    assert.isFalse(isAlive({ ...own, bootId: "another boot" }))
    assert.isUndefined(processIdentity(4_194_305))
  })

  it("a process is found by a whole argument", () => {
    const child = spawn("sleep", ["61.0625"])
    try {
      assert.deepStrictEqual(processesWithArgument("61.0625", "x").map(({ pid }) => pid), [child.pid])
      assert.deepStrictEqual(processesWithArgument("61.06"), [])
    } finally {
      child.kill()
    }
    assert.deepStrictEqual(processesWithArgument("no process has this argument"), [])
  })
})

describe("host look-ups", () => {
  it.effect("a search in a file finds bytes across the border of two pieces", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "big")
      const bytes = Buffer.alloc(9 * 1024 * 1024)
      const needle = Buffer.from("a needle of thirty-two characters")
      needle.copy(bytes, 4 * 1024 * 1024 - 7)
      fs.writeFileSync(file, bytes)
      assert.isTrue(fileHolds(file, needle))
      assert.isFalse(fileHolds(file, Buffer.from("a needle that is not there")))
    }))

  it.effect("a client connects to a socket whose path is longer than a socket address", () =>
    Effect.gen(function*() {
      const deep = path.join(yield* folder, "d".repeat(120))
      fs.mkdirSync(deep)
      const server = net.createServer((socket) => socket.end("hello"))
      const handle = fs.openSync(deep, "r")
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((resolve) => server.listen(`/proc/self/fd/${handle}/s`, resolve))),
        () => Effect.sync(() => (server.close(), fs.closeSync(handle)))
      )
      const socket = yield* connectUnix(path.join(deep, "s"))
      const said = yield* Effect.promise(() => new Promise((resolve) => socket.once("data", resolve)))
      assert.strictEqual(String(said), "hello")
    }))
})

describe("paths", () => {
  const paths = (env: Record<string, string>) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    return Effect.provide(Paths, Paths.layer).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
  }

  it.effect("directories are private to their owner, with one memory directory per state directory", () =>
    Effect.gen(function*() {
      const root = yield* folder
      const one = yield* paths({
        PYRO_STATE_DIR: path.join(root, "a b"),
        PYRO_CACHE_DIR: path.join(root, "c"),
        PYRO_MEMORY_DIR: root
      })
      const other = yield* paths({
        PYRO_STATE_DIR: path.join(root, "d"),
        PYRO_CACHE_DIR: path.join(root, "c"),
        PYRO_MEMORY_DIR: root
      })
      assert.strictEqual(fs.statSync(one.stateDir).mode & 0o777, 0o700)
      assert.notStrictEqual(one.memoryDir, other.memoryDir)
    }))

  it.effect("an unusable directory is refused with the variable that names another", () =>
    Effect.gen(function*() {
      const root = yield* folder
      fs.writeFileSync(path.join(root, "file"), "")
      const failure = yield* Effect.flip(paths({ PYRO_STATE_DIR: path.join(root, "file", "state") }))
      assert.strictEqual(failure._tag, "StateDirectoryUnusable")
      assert.include(failure.message, "PYRO_STATE_DIR")
      const impossible = yield* Effect.flip(paths({ PYRO_STATE_DIR: "/proc/nowhere/state" }))
      assert.include(impossible.message, "/proc/nowhere")
    }))
})
