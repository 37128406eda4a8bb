import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schema } from "effect"
import * as fs from "node:fs"
import { ExecPayload } from "../../../../../src/contract/rows/workspace-exec.ts"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import { folderOf, newWorkspaceId } from "../../../../../src/workspace/entry/record.ts"
import { openCommands } from "../../../../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../../../../src/workspace/residents/exec/exec.ts"
import { temporaryDirectory } from "../../../lib/disk/temporary-directory.ts"
import { makeProcess, PROCESS_ID } from "./fake-process.ts"

describe("the caller of a command", () => {
  it.live("a caller that leaves while the guest is prepared ends the command", () =>
    Effect.gen(function*() {
      const folder = folderOf(yield* temporaryDirectory, newWorkspaceId())
      fs.mkdirSync(folder.directory, { recursive: true })
      const [preparing, prepared] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const prepare = () =>
        Deferred.succeed(preparing, undefined).pipe(Effect.andThen(Deferred.await(prepared)), Effect.as({}))
      const commands = yield* openCommands(folder, undefined, undefined, [prepare])
      const { done, process } = yield* makeProcess(false)
      const channel = { launch: () => Effect.succeed(Effect.succeed(process)) } as unknown as GuestChannel
      const generation = { channel, scope: yield* Effect.scope, memoryMib: 1024 }
      const payload = Schema.decodeUnknownSync(ExecPayload())({
        workspace: "w",
        exec_id: PROCESS_ID,
        command: ["sleep"]
      })
      const caller = yield* Effect.forkChild(Effect.scoped(exec(commands, Effect.succeed(generation), payload, {})))
      yield* Deferred.await(preparing)
      const left = yield* Effect.forkChild(Fiber.interrupt(caller), { startImmediately: true })
      yield* Deferred.succeed(prepared, undefined)
      yield* Effect.timeout(Fiber.join(left), "5 seconds")
      assert.strictEqual(done[0], "SIGINT")
      assert.strictEqual(commands.running.size, 0)
    }))
})
