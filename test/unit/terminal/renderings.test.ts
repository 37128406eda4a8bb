import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import type { SizeAt } from "../../../src/workspace/exec/journal.ts"
import { logLimits, LogStore } from "../../../src/workspace/exec/log-store.ts"
import { Renderings } from "../../../src/workspace/shell/renderings.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-renderings-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

let made = 0

/** A shell whose output is written by the test. */
const shellOf = (limits = logLimits) => {
  const id = String(made++).padStart(32, "0")
  const log = new LogStore(path.join(folder, id), limits, []).create(id)
  const sizes: Array<SizeAt> = [{ at: 0, cols: 40, rows: 5 }]
  const renderings = new Renderings()
  const write = async (text: string) => {
    await Effect.runPromise(log.append("stdout", Buffer.from(text)))
    return log.position
  }
  const from = (cursor: number) =>
    Effect.runPromise(
      renderings.withScreen(
        { id, log, start: { id, command: [], startedAt: "", sizes }, end: undefined },
        cursor,
        (one) => ({
          ...one.textFrom(cursor),
          position: one.position
        })
      )
    )
  const lines = async (cursor: number) => (await from(cursor)).lines
  return { from, lines, log, sizes, write } as const
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
})
