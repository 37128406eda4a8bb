import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"

const program = (read: string) => `
  import { Effect, Stream } from "effect"
  import { layer } from "./src/cli/terminal/process.ts"
  import { Terminal } from "./src/cli/terminal/Terminal.ts"
  const content = Effect.flatMap(Terminal, (terminal) => Effect.scoped(${read}))
  const told = Effect.match(content, { onFailure: ({ detail }) => detail, onSuccess: ({ length }) => "pieces: " + length })
  console.log(await Effect.runPromise(Effect.provide(told, layer(undefined))))
`

/** What a program says whose stdin fails with EIO at its first byte. */
const said = (read: string) => {
  const broken = fs.openSync("/proc/self/mem", "r")
  try {
    const node = [process.execPath, "--input-type=module", "--eval", program(read)] as const
    const { stderr, stdout } = spawnSync(node[0], node.slice(1), { stdio: [broken, "pipe", "pipe"], encoding: "utf8" })
    return stdout.trim() || stderr
  } finally {
    fs.closeSync(broken)
  }
}

describe("a stdin that cannot be read", () => {
  it("is no content of a file: a part must not pass for the whole", () => {
    const read = "Effect.flatMap(terminal.openFile('-'), Stream.runCollect)"
    assert.strictEqual(said(read), "stdin cannot be read: EIO")
  })

  it("is an empty stdin of a command", () => {
    assert.strictEqual(said("Stream.runCollect(terminal.stdin)"), "pieces: 0")
  })
})
