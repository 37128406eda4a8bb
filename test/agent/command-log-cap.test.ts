import { assert } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { streamFromPull } from "../../src/contract/rows/event-batches.ts"
import { ExecPayload } from "../../src/contract/rows/workspace-exec.ts"
import { LogsPayload, type LogsResult } from "../../src/contract/rows/workspace-logs.ts"
import { folderOf, newWorkspaceId } from "../../src/workspace/entry/record.ts"
import { openCommands } from "../../src/workspace/residents/exec/command-registry.ts"
import { exec } from "../../src/workspace/residents/exec/exec.ts"
import { logs } from "../../src/workspace/residents/exec/logs.ts"
import { Agent, withAgent } from "./agent.ts"

/** Half a MiB and 2 MiB of one command, where there are 256 MiB and 1 GiB. */
const limits = { segmentBytes: 262_144, headSegments: 2, segments: 10, workspaceBytes: 8_388_608 }
const HEAD_BYTES = limits.headSegments * limits.segmentBytes
const KEPT_BYTES = limits.segments * limits.segmentBytes
const LINES = 1_000_000
const PRINTED = LINES * 8
const expected = () => {
  const hash = createHash("sha256")
  for (let number = 0; number < LINES; number++) hash.update(`${String(number).padStart(7, "0")}\n`)
  return hash.digest("hex")
}

const workspace = Effect.gen(function*() {
  const channel = yield* Agent.connect()
  const folder = folderOf((yield* Agent).folder, newWorkspaceId())
  fs.mkdirSync(folder.directory, { recursive: true })
  const commands = yield* openCommands(folder, limits)
  const generation = Effect.map(Effect.scope, (scope) => ({ channel, scope, memoryMib: 1024 }))
  const environment = yield* Agent.environment
  return { commands, generation: yield* generation, environment }
})

const counting = `seq -f %07.0f 0 ${LINES - 1}`

withAgent("a command that prints more than its log may have", (it) => {
  it.effect("a client gets all output of a long command, and the log has beginning, end and the dropped count", () =>
    Effect.gen(function*() {
      const { commands, generation } = yield* workspace
      const execId = "a".repeat(32)
      const payload = Schema.decodeUnknownSync(ExecPayload())({
        workspace: "w",
        exec_id: execId,
        command: ["sh", "-c", counting],
        cwd: "/"
      })
      const hash = createHash("sha256")
      let [bytes, dropped, notices] = [0, 0, 0]
      yield* streamFromPull(exec(commands, Effect.succeed(generation), payload, {})).pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => {
            if (event._tag === "Output") {
              hash.update(event.bytes)
              bytes += event.bytes.length
            } else if (event._tag === "Exited") dropped = event.droppedBytes ?? 0
            else if (event._tag === "Notice") notices++
          })
        )
      )
      assert.deepStrictEqual([bytes, hash.digest("hex"), notices], [PRINTED, expected(), 0])
      // Heads of pieces count as well, so somewhat less than the limit is kept.
      assert.isAtLeast(dropped, PRINTED - KEPT_BYTES)
      assert.isBelow(dropped, PRINTED - KEPT_BYTES / 2)

      const page = (fields: object) =>
        logs(commands, Schema.decodeUnknownSync(LogsPayload())({ workspace: "w", exec_id: execId, ...fields }))
      let [text, skipped] = ["", 0]
      for (let cursor: number | undefined = 0; cursor !== undefined;) {
        const { commands: [told], nextCursor, output, skippedBytes }: LogsResult = yield* page({
          cursor,
          max_bytes: 100_000
        })
        assert.deepInclude(told, { outputBytes: PRINTED, droppedBytes: dropped })
        // What is missing stands between two pages, never within one.
        if (skippedBytes !== undefined) {
          assert.isAbove(text.length, HEAD_BYTES / 2)
          skipped += skippedBytes
        }
        text += output
        cursor = nextCursor
      }
      assert.strictEqual(skipped, dropped)
      assert.strictEqual(text.length + skipped, PRINTED)
      assert.isTrue(text.startsWith("0000000\n0000001\n"))
      assert.isTrue(text.endsWith(`\n${String(LINES - 1).padStart(7, "0")}\n`))

      // Who comes later hears what is kept, and how much is not.
      const later: Array<string> = []
      yield* streamFromPull(exec(commands, Effect.succeed(generation), { ...payload, command: [] }, {})).pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => {
            if (event._tag === "Notice") later.push(event.message)
          })
        )
      )
      assert.deepStrictEqual(later, [`${dropped} bytes of the command's output are no longer kept`])
    }))
})
