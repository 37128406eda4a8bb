import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { logLimits, LogStore } from "../../../../src/lib/output-log/store.ts"
import type { Rendering } from "../../../../src/lib/terminal/rendering.ts"
import type { SizeAt } from "../../../../src/workspace/residents/exec/journal.ts"
import { Renderings } from "../../../../src/workspace/residents/shell/renderings.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-renderings-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

let made = 0

/** A shell whose output is written by the test. */
const shellOf = (limits = logLimits, renderings = new Renderings()) => {
  const id = String(made++).padStart(32, "0")
  const log = new LogStore(path.join(folder, id), limits, []).create(id)
  const sizes: Array<SizeAt> = [{ at: 0, cols: 40, rows: 5 }]
  const write = async (text: string) => {
    await Effect.runPromise(log.append("stdout", Buffer.from(text)))
    return log.position
  }
  const rendered = <A>(cursor: number, use: (rendering: Rendering) => A) =>
    Effect.runPromise(
      renderings.withScreen({ id, log, start: { id, command: [], startedAt: "", sizes }, end: undefined }, cursor, use)
    )
  const from = (cursor: number) => rendered(cursor, (one) => ({ ...one.textFrom(cursor), position: one.position }))
  const lines = async (cursor: number) => (await from(cursor)).lines
  return { from, lines, log, rendered, sizes, write } as const
}

describe("renderings of shells", () => {
  it("each reader goes on at its own cursor, also at one from before", async () => {
    const { lines, write } = shellOf()
    const first = await write("one\r\n$ ")
    assert.deepStrictEqual(await lines(0), ["one", "$"])
    const second = await write("two\r\n$ ")
    assert.deepStrictEqual(await lines(first), ["$ two", "$"])
    await write("three\r\n$ ")
    assert.deepStrictEqual(await lines(second), ["$ three", "$"])
    assert.deepStrictEqual(await lines(first), ["$ two", "$ three", "$"])
    assert.deepStrictEqual(await lines(3), ["one", "$ two", "$ three", "$"])
    assert.deepStrictEqual(await lines(0), ["one", "$ two", "$ three", "$"])
  })

  it("a size holds from its place in the output on", async () => {
    const { lines, sizes, write } = shellOf()
    const at = await write("0123456789\r\n")
    sizes.push({ at, cols: 5, rows: 5 })
    await write("\x1b[999Cx\r\n")
    assert.deepStrictEqual(await lines(0), ["0123456789", "    x"])
  })

  it("output that the log no longer has leaves a cut screen, and the rest is shown", async () => {
    const { from, log, write } = shellOf()
    await write("before\r\n")
    log.lose("stdout", 1_000)
    await write("after\r\n")
    const { isCut, lines } = await from(0)
    assert.isTrue(isCut)
    assert.deepStrictEqual(lines, ["after"])
  })

  it("of much output the newest is rendered, and a cursor before it is told of the cut", async () => {
    const { from, log, write } = shellOf()
    for (let n = 0; n < 18; n++) await write(`${`${n} ${"x".repeat(30)}\r\n`.repeat(29_000)}`)
    await write("last\r\n")
    const { isCut, lines, position } = await from(0)
    assert.isTrue(isCut)
    assert.strictEqual(lines.at(-1), "last")
    assert.strictEqual(position, log.position)
  })

  it("a screen that the emulator is slow at shows the newest output in bounded time", async () => {
    const { from, sizes, write } = shellOf()
    sizes[0] = { at: 0, cols: 1_000, rows: 500 }
    for (let n = 0; n < 40; n++) await write("\x1b[2147483647L".repeat(10_000))
    await write("\x1b[H\x1b[2Jlast\r\n")
    assert.strictEqual((await from(0)).lines.at(-1), "last")
  }, 60_000)

  /** Reads each shell twice, and says which of them had kept their renderings. */
  const kept = async (shells: ReadonlyArray<ReturnType<typeof shellOf>>) => {
    const whole = (one: Rendering) => one
    const first: Array<Rendering> = []
    for (const { rendered } of shells) first.push(await rendered(0, whole))
    const bytes = first.map((one) => one.bytes)
    const second = await Promise.all(shells.toReversed().map(({ rendered }) => rendered(0, whole)))
    return { bytes, kept: second.toReversed().map((one, n) => one === first[n]) }
  }

  it("sixteen shells that are read in turn keep their renderings", async () => {
    const renderings = new Renderings()
    const shells = Array.from({ length: 17 }, () => shellOf(logLimits, renderings))
    for (const [n, { write }] of shells.entries()) await write(`${n}\r\n`)
    assert.deepStrictEqual((await kept(shells)).kept, [false, ...Array<boolean>(16).fill(true)])
  })

  it.each([[400, 18, 16], [2_000, 12, 5], [11_000, 6, 4]])(
    "shells of %i lines, of which %i are read in turn, leave %i renderings in memory",
    async (count, read, expected) => {
      const renderings = new Renderings()
      const shells = Array.from({ length: read }, () => shellOf(logLimits, renderings))
      for (const { sizes, write } of shells) {
        sizes[0] = { at: 0, cols: 80, rows: 24 }
        await write("line\r\n".repeat(count))
      }
      const { bytes, kept: are } = await kept(shells)
      const cells = 80 * (Math.min(count + 1, 10_024) + 24)
      for (const one of bytes) assert.closeTo(one, 12 * cells, 400_000)
      assert.deepStrictEqual(are, Array.from({ length: read }, (_, n) => n >= read - expected))
    }
  )
})
