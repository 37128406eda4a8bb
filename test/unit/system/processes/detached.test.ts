import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { startDetached } from "../../../../src/system/processes/detached.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-detached-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

const start = (directory: string, script: string) =>
  startDetached({ command: ["sh", "-c", script], env: {}, log: path.join(directory, "log") })

/** Polls until a value is there. */
const eventually = <A>(look: () => A | undefined) =>
  Effect.suspend(() => {
    const value = look()
    return value === undefined ? Effect.fail("not yet" as const) : Effect.succeed(value)
  }).pipe(Effect.retry(Schedule.spaced("5 millis")), Effect.orDie)

const parentOf = (pid: number) => Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

describe("a detached program", () => {
  it.live("is no descendant of its starter after the release", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const file = path.join(directory, "pid")
      const { release } = yield* start(
        directory,
        `echo $$ > "${file}.new"; mv "${file}.new" "${file}"; exec sleep 1000`
      )
      const pid = yield* eventually(() => fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8")) : undefined)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(pid, "SIGKILL")))
      const shell = parentOf(pid)
      assert.strictEqual(parentOf(shell), process.pid)
      yield* release
      const parent = yield* eventually(() => parentOf(pid) === shell ? undefined : parentOf(pid))
      assert.notStrictEqual(parent, process.pid)
    }))

  it.live.each([["exit 7", 7], ["exit 0", 0], ["kill -9 $$", "SIGKILL"]] as const)(
    "that does %s ends with %s",
    ([script, ended]) =>
      Effect.gen(function*() {
        const detached = yield* start(yield* folder, script)
        assert.strictEqual(yield* detached.ended, ended)
      })
  )
})
