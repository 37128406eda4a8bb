import { assert } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema, Scope, Stream } from "effect"
import * as fs from "node:fs"
import { streamFromPull } from "../../src/contract/rows/event-batches.ts"
import type { RunInput } from "../../src/contract/rows/run-input.ts"
import { ExecPayload } from "../../src/contract/rows/workspace-exec.ts"
import { CancelPayload, LogsPayload } from "../../src/contract/rows/workspace-logs.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { folderOf, newWorkspaceId } from "../../src/workspace/entry/record.ts"
import { cancel } from "../../src/workspace/residents/exec/cancel.ts"
import { openCommands } from "../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../src/workspace/residents/exec/exec.ts"
import { logs } from "../../src/workspace/residents/exec/logs.ts"
import { Agent, processesMarked, until, withAgent } from "./agent.ts"

/** A test that waits for a grace of this length to pass fails by its own time. */
const NEVER_SECONDS = 600

const workspace = Effect.gen(function*() {
  const { folder: home, mark } = yield* Agent
  const channel = yield* Agent.connect()
  const folder = folderOf(home, newWorkspaceId())
  fs.mkdirSync(folder.directory, { recursive: true })
  const commands = yield* openCommands(folder)
  const generation = { channel, scope: yield* Effect.scope, memoryMib: 1024 }
  const [name = "", value] = mark.split("=")
  const start = (script: string, more: object = {}, input: RunInput = {}) =>
    Effect.gen(function*() {
      const id = newRequestId()
      const payload = Schema.decodeUnknownSync(ExecPayload())({
        workspace: "w",
        exec_id: id,
        command: ["sh", "-c", script],
        cwd: "/",
        env: { [name]: value },
        ...more
      })
      const scope = yield* Scope.make()
      const telling = yield* Scope.provide(exec(commands, Effect.succeed(generation), payload, input), scope)
      yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
      yield* until("its first line", () => (commands.logs.get(id)?.position ?? 0) > 0)
      const events = Stream.runCollect(streamFromPull(Effect.succeed(telling)))
      return { id, events, ended: Effect.asVoid(events), leave: Scope.close(scope, Exit.void) }
    })
  const log = (id: string) =>
    Effect.map(
      logs(commands, Schema.decodeUnknownSync(LogsPayload())({ workspace: "w", exec_id: id })),
      ({ commands: [entry], output }) => ({ entry, output })
    )
  const end = (id: string, more: object = {}) =>
    cancel(commands, Schema.decodeUnknownSync(CancelPayload())({ workspace: "w", exec_id: id, ...more }))
  const detach = (id: string) => {
    const payload = Schema.decodeUnknownSync(ExecPayload())({ workspace: "w", exec_id: id, detach: true })
    return Effect.scoped(exec(commands, Effect.succeed(generation), payload, {}))
  }
  const isEnding = (id: string) => commands.running.get(id)?.isEnding === true
  return { start, log, end, detach, isEnding, left: () => processesMarked(mark) }
})

/** Ends with 3 after it was asked to. */
const handling = (signal: string) => `trap 'echo ${signal}; exit 3' ${signal}; echo up; while :; do sleep 0.01; done`
/** Heeds no signal but SIGKILL. */
const deaf = "trap '' INT TERM HUP; echo up; while :; do sleep 0.01; done"

withAgent("a command that looks for the network", (it) => {
  it.effect("the first command that looks for the network is told before its end", () =>
    Effect.gen(function*() {
      const { start } = yield* workspace
      const look = Effect.flatMap(
        start("echo 'curl: (6) Could not resolve host: x.org' >&2; exit 6"),
        ({ events }) => Effect.map(events, (all) => all.map(({ _tag }) => _tag).slice(-2))
      )
      assert.deepStrictEqual(yield* look, ["Notice", "Exited"])
      assert.deepStrictEqual(yield* look, ["Output", "Exited"])
    }))
})

withAgent("a command that is ended", (it) => {
  it.effect("a cancel runs the command's SIGINT handler, and its output and status are kept", () =>
    Effect.gen(function*() {
      const { end, left, log, start } = yield* workspace
      const { id } = yield* start(handling("INT"), { grace_seconds: NEVER_SECONDS })
      assert.deepStrictEqual(yield* end(id), { execId: id, cancelled: true })
      const { entry, output } = yield* log(id)
      assert.deepInclude(entry, { outcome: "exited", status: 3 })
      assert.strictEqual(output, "up\nINT\n")
      assert.deepStrictEqual(left(), [])
    }))

  it.effect("a timeout runs the command's SIGTERM handler, and the outcome is a timeout", () =>
    Effect.gen(function*() {
      const { log, start } = yield* workspace
      for (const status of [0, 3]) {
        const { id, ended } = yield* start(handling("TERM").replace("exit 3", `exit ${status}`), {
          timeout_seconds: 0.3,
          grace_seconds: NEVER_SECONDS
        })
        yield* ended
        const { entry, output } = yield* log(id)
        assert.deepInclude(entry, { outcome: "timed_out", status: 124 })
        assert.match(output ?? "", /^up\n(Terminated\n)?TERM\n$/)
      }
    }))

  it.effect("the end of a client runs the handler of its command", () =>
    Effect.gen(function*() {
      const { log, start } = yield* workspace
      const { id, leave } = yield* start(handling("INT"), { grace_seconds: NEVER_SECONDS })
      yield* leave
      const { entry, output } = yield* log(id)
      assert.deepInclude(entry, { outcome: "exited", status: 3 })
      assert.strictEqual(output, "up\nINT\n")
    }))

  it.effect("a command ends with its caller's connection while the caller waits, and not once it was returned", () =>
    Effect.gen(function*() {
      const { end, log, start } = yield* workspace
      const alone = yield* start(handling("INT"), { wait_seconds: 600 })
      yield* alone.leave
      assert.strictEqual((yield* log(alone.id)).entry?.outcome, "running")
      const waitedFor = yield* start(handling("INT"), { wait_seconds: 600 }, { endsWithCaller: true })
      yield* waitedFor.leave
      assert.deepInclude((yield* log(waitedFor.id)).entry, { outcome: "exited", status: 3 })
      const detached = yield* start(handling("INT"), { wait_seconds: 0.3 }, { endsWithCaller: true })
      assert.strictEqual((yield* detached.events).at(-1)?._tag, "Detached")
      yield* detached.leave
      assert.strictEqual((yield* log(detached.id)).entry?.outcome, "running")
      yield* end(alone.id)
      yield* end(detached.id)
    }))

  it.effect("a command whose caller waits goes on without that caller once another has detached it", () =>
    Effect.gen(function*() {
      const { detach, end, log, start } = yield* workspace
      const { id, leave } = yield* start(handling("INT"), { wait_seconds: 600 }, { endsWithCaller: true })
      yield* detach(id)
      yield* leave
      assert.strictEqual((yield* log(id)).entry?.outcome, "running")
      yield* end(id)
      assert.deepInclude((yield* log(id)).entry, { outcome: "exited", status: 3 })
    }))

  it.effect("a command that ignores the signal is killed after its grace period", () =>
    Effect.gen(function*() {
      const { end, left, log, start } = yield* workspace
      const { id } = yield* start(deaf, { grace_seconds: 0.2 })
      yield* end(id)
      assert.deepInclude((yield* log(id)).entry, { outcome: "signaled", status: 137 })
      const late = yield* start(deaf, { grace_seconds: 0.2, timeout_seconds: 0.2 })
      yield* late.ended
      assert.deepInclude((yield* log(late.id)).entry, { outcome: "timed_out", status: 124 })
      yield* until("nothing left of them", () => left().length === 0)
    }))

  it.effect("a command without a grace period is killed at once", () =>
    Effect.gen(function*() {
      const { end, log, start } = yield* workspace
      const own = yield* start(handling("INT"), { grace_seconds: 0 })
      yield* end(own.id)
      const told = yield* start(handling("INT"), { grace_seconds: NEVER_SECONDS })
      yield* end(told.id, { grace_seconds: 0 })
      for (const { id } of [own, told]) {
        const { entry, output } = yield* log(id)
        assert.deepInclude(entry, { outcome: "signaled", status: 137 })
        assert.strictEqual(output, "up\n")
      }
    }))

  it.effect("a second cancel kills a command at once", () =>
    Effect.gen(function*() {
      const { end, isEnding, log, start } = yield* workspace
      const { id } = yield* start(deaf, { grace_seconds: NEVER_SECONDS })
      const first = yield* Effect.forkChild(end(id))
      yield* until("the first", () => isEnding(id))
      yield* end(id)
      yield* Fiber.join(first)
      assert.deepInclude((yield* log(id)).entry, { outcome: "signaled", status: 137 })
    }))

  it.effect("a background child does not delay the end of a cancelled command and is killed", () =>
    Effect.gen(function*() {
      const { end, left, log, start } = yield* workspace
      const child = "sh -c 'trap \"\" INT TERM; sleep 1000; sleep 1000' &"
      const { id } = yield* start(`${child} ${handling("INT")}`, { grace_seconds: NEVER_SECONDS })
      yield* end(id)
      assert.deepInclude((yield* log(id)).entry, { outcome: "exited", status: 3 })
      yield* until("nothing left of it", () => left().length === 0)
      const late = yield* start(`${child} ${handling("TERM")}`, { timeout_seconds: 0.3, grace_seconds: NEVER_SECONDS })
      yield* late.ended
      yield* until("nothing left of it", () => left().length === 0)
    }))

  it.effect("a timeout sends SIGHUP to a command on a terminal", () =>
    Effect.gen(function*() {
      const { end, log, start } = yield* workspace
      const { id } = yield* start("", {
        command: ["sh", "-i"],
        env: { PS1: "ready " },
        tty: true,
        grace_seconds: NEVER_SECONDS
      })
      yield* end(id)
      assert.notStrictEqual((yield* log(id)).entry?.status, 137)
    }))
})
