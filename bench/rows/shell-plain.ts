import headless from "@xterm/headless"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { logLimits, LogStore } from "../../src/lib/output-log/store.ts"
import { Renderings } from "../../src/workspace/residents/shell/renderings.ts"
import { type Plan, side, timed } from "../measure.ts"

const bytes = 10 * 1024 * 1024
const pieceBytes = 32_768
const size = { cols: 80, rows: 24 }

/** Output such as a test runner's: colours, a progress line, words in other scripts, long lines. */
const lines = [
  "\u001b[32m✓\u001b[0m test/unit/lib/terminal/screen.test.ts \u001b[2m(49 tests)\u001b[0m 1511ms\r\n",
  "src/workspace/residents/exec/follow.ts(12,3): error TS2345: Argument of type 'string' is not assignable to parameter of type 'number'.\r\n",
  ...Array.from({ length: 4 }, (_, n) => `\rdownloaded ${n * 25} %`),
  "\r\u001b[K漢字 and plain words\r\n"
]
const output = Buffer.from(lines.join("").repeat(Math.ceil(bytes / Buffer.byteLength(lines.join(""))))).subarray(
  0,
  bytes
)
const pieces = Array.from(
  { length: bytes / pieceBytes },
  (_, n) => output.subarray(n * pieceBytes, (n + 1) * pieceBytes)
)

export const shellPlain: Plan = {
  name: "shell-plain",
  unit: "ms",
  about: "10 MiB of a terminal's output read from the log, rendered as plain text; floor: xterm's own time for it",
  budget: { kind: "ratio", atMost: 2 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 2,
  floor: async () =>
    side(() =>
      timed(() => {
        const terminal = new headless.Terminal({ ...size, scrollback: 10_000, allowProposedApi: true })
        return new Promise<void>((resolve) => {
          for (const piece of pieces) terminal.write(piece)
          terminal.write("", resolve)
        })
      })
    ),
  ours: async ({ room }) => {
    const id = "0".repeat(32)
    const folder = fs.mkdtempSync(path.join(room.disk, "shell-plain-"))
    const store = new LogStore(folder, logLimits, [])
    const log = store.create(id)
    for (const piece of pieces) await Effect.runPromise(log.append("stdout", piece))
    const start = { id, command: [], startedAt: "", sizes: [{ at: 0, ...size }] }
    return side(() =>
      timed(async () => {
        const text = await Effect.runPromise(
          new Renderings().withScreen({ id, log, start, end: undefined }, 0, (rendering) => rendering.textFrom(0))
        )
        if (text.lines.length < 1_000) throw new Error(`${text.lines.length} lines of the output were rendered`)
      })
    )
  }
}
