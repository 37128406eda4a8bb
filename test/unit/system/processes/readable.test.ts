import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { once } from "node:events"
import { setImmediate } from "node:timers/promises"
import { spawnTool } from "../../../../src/system/processes/child.ts"
import { readableBytes } from "../../../../src/system/processes/readable.ts"

describe("the bytes of one of Node's streams", () => {
  it.live("the bytes of a program's output that nobody had read when the program ended are not lost", () =>
    Effect.gen(function*() {
      const child = spawnTool("sh", ["-c", "printf first; read -r line; printf second"], { input: "" })
      const exited = once(child, "exit")
      const pieces = yield* readableBytes(child.stdout!).pipe(
        Stream.tap((piece) =>
          Effect.promise(async () => {
            if (piece.toString() !== "first") return
            child.stdin!.end("go\n")
            await exited
            // Node resumes the output of an ended program, which drops the bytes of an output without a reader.
            for (let turn = 0; turn < 10; turn++) await setImmediate()
          })
        ),
        Stream.runCollect
      )
      assert.strictEqual(Buffer.concat([...pieces]).toString(), "firstsecond")
    }))
})
