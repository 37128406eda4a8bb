import { assert } from "@effect/vitest"
import { Effect, Exit, Schema, Scope, Stream } from "effect"
import * as fs from "node:fs"
import { streamFromPull } from "../../src/contract/rows/event-batches.ts"
import type { RunInput } from "../../src/contract/rows/run-input.ts"
import { ExecPayload } from "../../src/contract/rows/workspace-exec.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { folderOf, newWorkspaceId } from "../../src/workspace/entry/record.ts"
import { openCommands } from "../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../src/workspace/residents/exec/exec.ts"
import { Agent, processesMarked, withAgent } from "./agent.ts"

const workspace = Effect.gen(function*() {
  const { folder: home, mark } = yield* Agent
  const channel = yield* Agent.connect()
  const folder = folderOf(home, newWorkspaceId())
  fs.mkdirSync(folder.directory, { recursive: true })
  const commands = yield* openCommands(folder)
  const generation = Effect.succeed({ channel, scope: yield* Effect.scope, memoryMib: 1024 })
  const [name = "", value] = mark.split("=")
  /** The events of a request for a command. The Scope ends the request. */
  const ask = (id: string, more: object, input: RunInput) => {
    const fields = { workspace: "w", exec_id: id, cwd: "/", env: { [name]: value }, ...more }
    const payload = Schema.decodeUnknownSync(ExecPayload())(fields)
    return Effect.map(
      exec(commands, generation, payload, input),
      (pull) => streamFromPull(Effect.succeed(pull))
    )
  }
  const tags = (id: string, more: object, input: RunInput) =>
    Effect.scoped(Effect.flatMap(ask(id, more, input), Stream.runCollect)).pipe(
      Effect.map((events) => events.map(({ _tag }) => _tag))
    )
  return { ask, tags, left: () => processesMarked(mark) }
})

const withoutOutput = { withoutOutput: true }

withAgent("a request for a command without its output", (it) => {
  it.effect("it gives the start and the end, and the output stays for other requests", () =>
    Effect.gen(function*() {
      const { tags } = yield* workspace
      const id = newRequestId()
      const script = { script: "echo out; echo err >&2" }
      assert.deepStrictEqual(yield* tags(id, script, withoutOutput), ["Started", "Exited"])
      // The same of a command that has ended.
      assert.deepStrictEqual(yield* tags(id, {}, withoutOutput), ["Started", "Exited"])
      assert.include(yield* tags(id, { cursor: 0 }, {}), "Output")
    }))

  it.effect("its end ends the command that it has started, and no command of another request", () =>
    Effect.gen(function*() {
      const { ask, left, tags } = yield* workspace
      const id = newRequestId()
      const scope = Scope.makeUnsafe()
      const started = yield* Scope.provide(ask(id, { script: "sleep 600" }, withoutOutput), scope)
      assert.strictEqual((yield* Stream.runCollect(Stream.take(started, 1)))[0]?._tag, "Started")
      yield* Effect.scoped(
        Effect.flatMap(ask(id, {}, withoutOutput), (events) => Stream.runDrain(Stream.take(events, 1)))
      )
      assert.isNotEmpty(left())
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(left(), [])
      assert.deepStrictEqual(yield* tags(id, {}, withoutOutput), ["Started", "Exited"])
    }))

  it.effect("a request that detaches the command lets it outlive the request that has started it", () =>
    Effect.gen(function*() {
      const { ask, left, tags } = yield* workspace
      const id = newRequestId()
      const scope = Scope.makeUnsafe()
      assert.isDefined(yield* Scope.provide(ask(id, { script: "sleep 600" }, withoutOutput), scope))
      assert.deepStrictEqual(yield* tags(id, { detach: true }, withoutOutput), ["Started", "Detached"])
      yield* Scope.close(scope, Exit.void)
      assert.isNotEmpty(left())
    }))
})
