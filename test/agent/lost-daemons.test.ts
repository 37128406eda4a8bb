import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { payloadOf } from "../../src/contract/rows/payload-of.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { makeBadLine } from "../support/daemon/bad-line.ts"
import { remoteClient } from "../support/daemon/served-pyro.ts"
import { outputOf } from "../support/lifecycle/remote-installation.ts"
import { bundled, bundleDialProgram, linkBuilt } from "../support/package/bundled.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { until, untilTrue } from "../support/until.ts"
import { sanitizedBuild } from "./agent.ts"

const { folder, remove } = temporaryFolder("pyro-lost-")
const state = path.join(folder, "state")
const portable = path.join(state, "daemon/portable")
const reports = path.join(folder, "reports")
const program = path.join(folder, "daemon-process.mjs")
let daemon: ChildProcess

/** Starts the next daemon of the state directory. */
const start = async () => {
  const env = {
    ...process.env,
    PYRO_STATE_DIR: state,
    PYRO_CACHE_DIR: path.join(folder, "cache"),
    PYRO_POOL_MEMBERS: "0"
  }
  daemon = spawn(process.execPath, [program, "0.1.0 (00000000)", sanitizedBuild, reports], { env, stdio: "ignore" })
  await untilTrue(() => fs.existsSync(portable))
}

const end = async (signal: NodeJS.Signals) => {
  const ended = new Promise((resolve) => daemon.once("close", resolve))
  daemon.kill(signal)
  await ended
  fs.rmSync(portable, { force: true })
}

const restart = Effect.promise(async () => {
  await end("SIGKILL")
  await start()
})

const line = makeBadLine(portable, path.join(folder, "line"))

beforeAll(async () => {
  await bundled(path.join(import.meta.dirname, "../support/local-agent/daemon-process.ts"), program)
  await bundleDialProgram(folder)
  linkBuilt(folder)
  fs.mkdirSync(reports)
  await start()
  await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const pyro = yield* remoteClient(portable)
    yield* Stream.runDrain(
      pyro.workspace.create(payloadOf("workspace.create", { name: "fix", memoryMib: 256, diskMib: 512 }))
    )
  })))
}, 120_000)

afterAll(async () => {
  await Effect.runPromise(Effect.scoped(Effect.flatMap(
    remoteClient(portable),
    (pyro) => pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [], all: true }))
  )))
  await end("SIGTERM")
  const said = fs.readdirSync(reports)
  remove()
  assert.deepStrictEqual(said, [], "a sanitizer reported")
})

describe("a daemon that is killed", () => {
  it.live("leaves a command to the next daemon, with its whole output and once", () =>
    Effect.gen(function*() {
      const { path: socket } = yield* line
      const pyro = yield* remoteClient(socket)
      let shown = ""
      let status: number | undefined
      const script =
        "echo x >> /tmp/ran; seq 1 30000; until [ -e /tmp/go ]; do sleep 0.02; done; seq 30001 60000; exit 4"
      const running = yield* Effect.forkChild(Stream.runForEach(
        pyro.workspace.exec(payloadOf("workspace.exec", { workspace: "fix", command: ["sh", "-ec", script] })),
        (event) =>
          Effect.sync(() => {
            if (event._tag === "Output") shown += Buffer.from(event.bytes).toString()
            if (event._tag === "Exited") ({ status } = event)
          })
      ))
      yield* until(() => shown.endsWith("30000\n"))
      yield* restart
      yield* outputOf(pyro, "fix", "touch /tmp/go")
      yield* Fiber.join(running)
      assert.strictEqual(status, 4)
      assert.strictEqual(shown, Array.from({ length: 60_000 }, (_, at) => `${at + 1}\n`).join(""))
      assert.strictEqual(yield* outputOf(pyro, "fix", "wc -l < /tmp/ran"), "1")
    }), 60_000)

  it.live("leaves a creation that is found by its id, or that is undone", () =>
    Effect.gen(function*() {
      const { path: socket } = yield* line
      const pyro = yield* remoteClient(socket)
      const names = Effect.map(
        pyro.workspace.list(payloadOf("workspace.list", {})),
        ({ workspaces }) => workspaces.map(({ name }) => name)
      )
      const folders = () => fs.readdirSync(path.join(state, "workspaces")).length
      for (const name of ["early", "late"]) {
        const before = folders()
        let isSeen = false
        const made = yield* Effect.forkChild(Effect.exit(Stream.runForEach(
          pyro.workspace.create(payloadOf("workspace.create", { name, memoryMib: 256, diskMib: 512 })),
          () => Effect.sync(() => void (isSeen = true))
        )))
        yield* until(() => name === "early" ? folders() > before : isSeen)
        yield* restart
        const exit = yield* Fiber.join(made)
        const count = (yield* names).filter((one) => one === name).length
        assert.strictEqual(count, Exit.isSuccess(exit) ? 1 : 0, `${name}: ${String(exit)}`)
      }
    }), 60_000)

  it.live(
    "leaves no change that is made twice: its client says that it may have been done",
    () =>
      Effect.gen(function*() {
        const { path: socket } = yield* line
        const pyro = yield* remoteClient(socket)
        for (const at of [0, 1]) {
          const file = `/tmp/log-${newRequestId().slice(0, 8)}`
          const written = yield* Effect.forkChild(Effect.exit(pyro.workspace.file.write(
            payloadOf("workspace.file.write", { workspace: "fix", path: file, text: "a line\n", append: true })
          )))
          if (at === 1) yield* Effect.yieldNow
          yield* restart
          const exit = yield* Fiber.join(written)
          const lines = Number(yield* outputOf(pyro, "fix", `cat ${file} 2>/dev/null | wc -l`))
          assert.isAtMost(lines, 1)
          if (Exit.isSuccess(exit)) assert.strictEqual(lines, 1)
        }
      }),
    60_000
  )
})
