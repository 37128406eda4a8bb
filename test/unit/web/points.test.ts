import { assert, describe, it } from "@effect/vitest"
import { firstByReset, MOST_COMMANDS, namedPoints } from "../../../apps/web/src/tree/points.ts"
import type { HistoryResult } from "../../../src/contract/rows/workspace-rewind.ts"

type Given = Pick<HistoryResult["commands"][number], "command"> & {
  readonly undone?: boolean
  readonly point?: string
  readonly byReset?: boolean
}

const command = ({ undone = false, ...given }: Given): HistoryResult["commands"][number] => ({
  execId: given.command,
  startedAt: "2026-01-01T00:00:00.000Z",
  outcome: "exited",
  undone,
  ...given
})

const point = (
  id: string,
  commands: number,
  more: { readonly current?: boolean; readonly memory?: boolean; readonly beforeSsh?: string } = {}
) => ({
  id,
  createdAt: "2026-01-01T00:00:00.000Z",
  commands,
  running: [],
  memory: false,
  current: true,
  ...more
})

const says = (history: HistoryResult) => namedPoints(history).map(({ id, says }) => [id, says])

describe("points of rewind on the page", () => {
  it("a point has the text of the command after it, as in `pyro history`", () => {
    const commands = [{ command: "make" }, { command: "rm -rf /usr" }].map(command)
    assert.deepStrictEqual(says({ commands, points: [point("a", 0), point("b", 1), point("c", 2)] }), [
      ["a", "before make"],
      ["b", "before rm -rf /usr"],
      ["c", "after rm -rf /usr"]
    ])
  })

  it("a point before an SSH session says so, and not the command that came later", () => {
    const commands = [{ command: "make" }, { command: "ls" }].map(command)
    const points = [point("a", 1, { beforeSsh: "root" }), point("b", 1)]
    assert.deepStrictEqual(says({ commands, points }), [["a", "before an SSH session of root"], ["b", "before ls"]])
  })

  it("points at one place differ in their words", () => {
    const commands = [{ command: "make" }].map(command)
    assert.deepStrictEqual(says({ commands, points: [point("a", 0), point("b", 0, { memory: true })] }), [
      ["a", "before make, an earlier state"],
      ["b", "before make, with memory"]
    ])
  })

  it("an undone command names no point of the present state", () => {
    const commands = [{ command: "keep" }, { command: "undone", undone: true }, { command: "next" }].map(command)
    const points = [point("a", 1), point("left", 2, { current: false }), point("b", 3)]
    assert.deepStrictEqual(says({ commands, points }), [
      ["a", "before next"],
      ["left", "after undone"],
      ["b", "after next"]
    ])
  })

  it("a point before every command says so", () => {
    assert.deepStrictEqual(says({ commands: [], points: [point("a", 0)] }), [["a", "before the first command"]])
  })

  it("the first command that a reset alone returns to is named", () => {
    const commands = [{ command: "gone", undone: true }, { command: "first", byReset: true }, { command: "next" }]
      .map(command)
    assert.strictEqual(firstByReset({ commands, points: [] }), "first")
    assert.isUndefined(firstByReset({ commands: commands.slice(2), points: [] }))
  })

  it("a list that is cut names the points of its own commands alone", () => {
    const commands = Array.from({ length: MOST_COMMANDS }, (_, at) => command({ command: `c${at}` }))
    commands[5] = command({ command: "c5", point: "a" })
    assert.deepStrictEqual(says({ commands, points: [point("a", 5_000), point("b", 5_003)] }), [
      ["a", "before c5"],
      ["b", ""]
    ])
  })
})
