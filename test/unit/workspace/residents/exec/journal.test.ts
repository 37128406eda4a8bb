import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { CommandJournal } from "../../../../../src/workspace/residents/exec/journal.ts"
import { fillDisk } from "../../../../support/disk/full-disk.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-journal-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

let files = 0
const newFile = () => path.join(folder, `${files++}.jsonl`)
const idOf = (number: number) => number.toString(16).padStart(32, "0")
const start = (number: number, command = ["echo", "ä\n"]) => ({
  id: idOf(number),
  command,
  startedAt: "2026-01-01T00:00:00.000Z"
})
const end = (number: number) =>
  ({ id: idOf(number), outcome: "exited", status: number, durationMs: 1.5, stdoutBytes: 3, stderrBytes: 0 }) as const

const reopened = (file: string) => {
  const journal = new CommandJournal(file)
  const { commands } = journal
  journal.close()
  return commands
}

describe("the journal of commands", () => {
  it("a reopened journal has the sizes of a terminal, at most one for each position", () => {
    const file = newFile()
    const journal = new CommandJournal(file)
    const sizes = [{ at: 0, cols: 80, rows: 24 }]
    journal.started({ ...start(1), role: { _tag: "shell" }, sizes })
    journal.resized(idOf(1), { at: 7, cols: 100, rows: 30 })
    journal.resized(idOf(1), { at: 7, cols: 90, rows: 30 })
    journal.resized(idOf(2), { at: 7, cols: 90, rows: 30 })
    for (let n = 0; n < 300; n++) journal.resized(idOf(1), { at: 100 + n, cols: 80, rows: 2 + n % 2 })
    journal.close()
    const found = reopened(file)[0]?.start.sizes ?? []
    assert.lengthOf(found, 256)
    assert.deepStrictEqual(found.at(-1), { at: 399, cols: 80, rows: 3 })
  })

  it("a reopened journal has all commands in the order of their starts", () => {
    const file = newFile()
    const journal = new CommandJournal(file)
    for (const number of [3, 1, 2]) journal.started(start(number))
    journal.ended(end(1))
    journal.refused(idOf(2))
    const told = journal.commands
    journal.close()
    assert.deepStrictEqual(told, [{ start: start(3), end: undefined }, { start: start(1), end: end(1) }])
    assert.deepStrictEqual(reopened(file), told)
  })

  it("the journal writes a command's end with the next start or at its close", () => {
    const file = newFile()
    const journal = new CommandJournal(file)
    journal.started(start(1))
    journal.ended(end(1))
    assert.deepStrictEqual(reopened(file), [{ start: start(1), end: undefined }])
    journal.started(start(2))
    assert.deepStrictEqual(reopened(file), [{ start: start(1), end: end(1) }, { start: start(2), end: undefined }])
    journal.ended(end(2))
    journal.close()
    assert.deepStrictEqual(reopened(file), [{ start: start(1), end: end(1) }, { start: start(2), end: end(2) }])
  })

  it("the journal tells which commands have started and not ended", () => {
    const journal = new CommandJournal(newFile())
    for (const number of [1, 2, 3]) journal.started(start(number))
    journal.ended(end(1))
    journal.refused(idOf(2))
    const running = [1, 2, 3, 4].filter((number) => journal.isRunning(idOf(number)))
    journal.close()
    assert.deepStrictEqual(running, [3])
  })

  it("a journal that is cut at any byte keeps the lines before, and continues after them", () => {
    const file = newFile()
    const journal = new CommandJournal(file)
    const states = [{ size: 0, commands: journal.commands }]
    const steps = [
      () => journal.started(start(1)),
      () => journal.started(start(2)),
      () => journal.ended(end(1)),
      () => journal.refused(idOf(2))
    ]
    for (const step of steps) {
      step()
      journal.flush()
      states.push({ size: fs.statSync(file).size, commands: journal.commands })
    }
    journal.close()
    const whole = fs.readFileSync(file)
    for (let cut = 0; cut <= whole.length; cut++) {
      fs.writeFileSync(file, whole.subarray(0, cut))
      const { commands } = states.findLast(({ size }) => size <= cut)!
      const again = new CommandJournal(file)
      assert.deepStrictEqual(again.commands, commands, `cut at ${cut}`)
      again.started(start(9))
      again.close()
      assert.deepStrictEqual(reopened(file), [...commands, { start: start(9), end: undefined }], `cut at ${cut}`)
    }
  })

  for (const written of [0, 10]) {
    it(`a journal on a full disk (${written} bytes fit) starts no command, and records an end later`, () => {
      const file = newFile()
      const journal = new CommandJournal(file)
      journal.started(start(1))
      const makeRoom = fillDisk(written)
      assert.throws(() => journal.started(start(2)))
      assert.deepStrictEqual(journal.commands, [{ start: start(1), end: undefined }])
      journal.ended(end(1))
      journal.flush()
      makeRoom()
      assert.deepStrictEqual(journal.commands, [{ start: start(1), end: end(1) }])
      assert.deepStrictEqual(reopened(file), [{ start: start(1), end: undefined }])
      journal.started(start(3))
      journal.close()
      assert.deepStrictEqual(reopened(file), [{ start: start(1), end: end(1) }, { start: start(3), end: undefined }])
    })
  }

  it("the journal skips invalid lines", () => {
    const file = newFile()
    fs.writeFileSync(file, "{}\nnonsense\n\xff\n" + JSON.stringify({ started: start(1) }) + "\n")
    assert.deepStrictEqual(reopened(file), [{ start: start(1), end: undefined }])
  })

  it("the journal keeps the beginning of a long command only", () => {
    const file = newFile()
    const journal = new CommandJournal(file)
    journal.started(start(1, ["sh", "-c", "x".repeat(1_000_000), "more"]))
    journal.close()
    assert.isBelow(fs.statSync(file).size, 5_000)
    assert.deepStrictEqual(reopened(file)[0]?.start.command.map((word) => word.length), [2, 2, 4_091, 1])
  })
})
