import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import * as fs from "node:fs"
import { ChannelFailed, WorkspaceNotReady } from "../../../../../src/contract/errors/errors.ts"
import { streamFromPull } from "../../../../../src/contract/rows/event-batches.ts"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import { ExecPayload } from "../../../../../src/contract/rows/workspace-exec.ts"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import { newRequestId } from "../../../../../src/system/processes/identity.ts"
import { folderOf, newWorkspaceId } from "../../../../../src/workspace/entry/record.ts"
import type { GuestLost } from "../../../../../src/workspace/entry/resident.ts"
import { openCommands } from "../../../../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../../../../src/workspace/residents/exec/exec.ts"
import { temporaryDirectory } from "../../../lib/disk/temporary-directory.ts"

const id = newRequestId()
const channel = { launch: () => Effect.succeed(Effect.never) } as unknown as GuestChannel

/** The failure of a command's caller whose workspace comes to rest for `why`. */
const failureAfter = (why: GuestLost) =>
  Effect.gen(function*() {
    const folder = folderOf(yield* temporaryDirectory, newWorkspaceId())
    fs.mkdirSync(folder.directory, { recursive: true })
    const commands = yield* openCommands(folder)
    const generation = { channel, scope: yield* Effect.scope, memoryMib: 1024 }
    const payload = Schema.decodeUnknownSync(ExecPayload())({ workspace: "w", exec_id: id, command: ["true"] })
    const events = exec(commands, Effect.succeed(generation), payload, {})
    const caller = yield* Effect.forkChild(
      Effect.scoped(Effect.flatMap(events, (pull) => Stream.runDrain(streamFromPull(Effect.succeed(pull)))))
    )
    while (!commands.running.has(id)) yield* Effect.yieldNow
    yield* commands.rest(why)
    return yield* Effect.flip(Fiber.join(caller))
  })

describe("a command whose workspace is paused", () => {
  it.effect("its caller gets the id of the command, and how to find it again", () =>
    Effect.gen(function*() {
      const failure = yield* failureAfter(new WorkspaceNotReady({ workspace: "fix", state: "paused", detail: "still" }))
      assert.deepInclude(failure, { _tag: "WorkspaceNotReady", state: "paused", detail: "still", execId: id })
      assert.include(typedMessage(failure), `pyro exec fix --exec-id ${id}`)
    }))

  it.effect("another reason of the rest stays as it is", () =>
    Effect.gen(function*() {
      const why = new ChannelFailed({ detail: "gone" })
      assert.strictEqual(yield* failureAfter(why), why)
    }))
})
