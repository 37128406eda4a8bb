import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import stringWidth from "string-width"
import { OutputOptions } from "../../../src/cli/output/print.ts"
import { makeProgress } from "../../../src/cli/output/progress.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
import { EnvironmentBuildFailed } from "../../../src/contract/errors/errors.ts"

/** What a terminal of `cols` columns gets for progress with a message. */
const drawn = (message: string, cols: number) => {
  let written = ""
  const terminal = {
    stderrIsTerminal: true,
    size: Effect.succeed({ rows: 24, cols }),
    writeStderr: (text: string) => Effect.sync(() => void (written += text))
  }
  return Effect.gen(function*() {
    const { show } = yield* makeProgress()
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

describe("the error of a build", () => {
  const failure = (levels: ReadonlyArray<readonly ["output" | "progress", string]>, quiet = false) =>
    Effect.gen(function*() {
      const { show, unprinted } = yield* makeProgress()
      for (const [level, message] of levels) yield* show({ _tag: "Notice", level, message })
      const detail = "the build failed:\nSTEP 3/3: RUN b\nout\nput\nexit status 3"
      const shown = unprinted(new EnvironmentBuildFailed({ environment: "e", step: "dockerfile", detail }))
      return shown._tag === "EnvironmentBuildFailed" ? shown.detail.split("\n") : []
    }).pipe(
      Effect.provideService(OutputOptions, { quiet, switches: new Set<string>() }),
      Effect.provideService(
        Terminal,
        { stderrIsTerminal: false, writeStderr: () => Effect.void } as unknown as Terminal["Service"]
      )
    )
  const printed = [["progress", "step 3 of 3"], ["output", "out"], ["output", "put"], ["progress", "packing"]] as const

  it.effect("has no line that the failed step has printed above", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* failure(printed), ["the build failed:", "STEP 3/3: RUN b", "exit status 3"])
    }))

  it.effect("has the lines that were not printed", () =>
    Effect.gen(function*() {
      const earlier = yield* failure([["output", "out"], ["progress", "step 3"], ["output", "other"]])
      assert.includeMembers(earlier, ["out", "put"])
      assert.includeMembers(yield* failure(printed, true), ["out", "put"])
    }))
})
