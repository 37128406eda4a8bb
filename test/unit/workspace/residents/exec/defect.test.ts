import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema, Stream } from "effect"
import * as fs from "node:fs"
import { streamFromPull } from "../../../../../src/contract/rows/event-batches.ts"
import { ExecPayload } from "../../../../../src/contract/rows/workspace-exec.ts"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import { newRequestId } from "../../../../../src/system/processes/identity.ts"
import { folderOf, newWorkspaceId } from "../../../../../src/workspace/entry/record.ts"
import { openCommands } from "../../../../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../../../../src/workspace/residents/exec/exec.ts"
import { temporaryDirectory } from "../../../lib/disk/temporary-directory.ts"

describe("a defect of pyro", () => {
  it.live("a command whose start meets a defect ends with the defect", () =>
    Effect.gen(function*() {
      const folder = folderOf(yield* temporaryDirectory, newWorkspaceId())
      fs.mkdirSync(folder.directory, { recursive: true })
      const commands = yield* openCommands(folder)
      const channel = { launch: () => Effect.succeed(Effect.die(new Error("broken"))) } as unknown as GuestChannel
      const generation = { channel, scope: yield* Effect.scope, memoryMib: 1024 }
      const payload = Schema.decodeUnknownSync(ExecPayload())({
        workspace: "w",
        exec_id: newRequestId(),
        command: ["true"]
      })
      const run = Effect.flatMap(
        exec(commands, Effect.succeed(generation), payload, {}),
        (pull) => Stream.runDrain(streamFromPull(Effect.succeed(pull)))
      ).pipe(
        Effect.scoped,
        Effect.exit,
        Effect.timeout("5 seconds")
      )
      const exit = yield* run
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "it ended", "broken")
      // Who asks for the same command again is not left waiting either: whether the guest ran it is not known.
      assert.isTrue(Exit.isFailure(yield* run))
      assert.strictEqual(commands.running.size, 0)
    }))
})
