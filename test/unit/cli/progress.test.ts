import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import stringWidth from "string-width"
import { OutputOptions } from "../../../src/cli/output/print.ts"
import { makeProgress } from "../../../src/cli/output/progress.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"

/** What a terminal of `cols` columns gets for progress with a message. */
const drawn = (message: string, cols: number) => {
  let written = ""
  const terminal = {
    stderrIsTerminal: true,
    size: Effect.succeed({ rows: 24, cols }),
    writeStderr: (text: string) => Effect.sync(() => void (written += text))
  }
  return Effect.gen(function*() {
    const { show } = yield* makeProgress
    yield* show({ _tag: "Notice", level: "progress", message, fraction: 0.5 })
    return written.replace("\r\u001b[2K", "")
  }).pipe(
    Effect.provideService(OutputOptions, { quiet: false, switches: new Set<string>() }),
    Effect.provideService(Terminal, terminal as unknown as Terminal["Service"])
  )
}

describe("progress on a terminal", () => {
  it.effect("a line that fits is whole", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* drawn("unpacking", 80), "[############            ]  50% unpacking")
    }))

  it.effect.each(["x".repeat(500), "中".repeat(100), "e\u0301".repeat(300)])(
    "a longer line is cut before the terminal would wrap the line: %#",
    (message) =>
      Effect.gen(function*() {
        for (const cols of [20, 60, 80]) {
          const line = yield* drawn(message, cols)
          assert.isBelow(stringWidth(line), cols)
          assert.isTrue(line.endsWith("…"))
        }
      })
  )
})
