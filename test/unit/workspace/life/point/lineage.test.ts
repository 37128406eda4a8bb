import { assert, describe, it } from "vitest"
import {
  firstUndone,
  isBehind,
  isUnchanged,
  isUndone,
  pointBefore,
  undoneAfter
} from "../../../../../src/workspace/life/points/lineage.ts"

const point = (
  id: string,
  commands: number,
  undone: ReadonlyArray<{ readonly from: number; readonly to: number }> = []
) => ({
  id,
  record: { commands, undone }
})

describe("the history of a state", () => {
  it("a return to a point undoes the commands after it, and what was undone there", () => {
    assert.deepStrictEqual(undoneAfter({ undone: [] }, 1, 3), [{ from: 1, to: 3 }])
    assert.deepStrictEqual(undoneAfter({ undone: [] }, 3, 3), [])
    assert.deepStrictEqual(undoneAfter({ undone: [{ from: 1, to: 3 }] }, 3, 5), [{ from: 1, to: 5 }])
    assert.deepStrictEqual(undoneAfter({ undone: [{ from: 1, to: 3 }] }, 4, 6), [
      { from: 1, to: 3 },
      { from: 4, to: 6 }
    ])
  })

  it("a return to the state before a rewind undoes nothing", () => {
    const redo = { commands: 3, undone: [] }
    assert.deepStrictEqual(undoneAfter(redo, firstUndone(redo), 3), [])
    assert.isTrue(isBehind(redo, undoneAfter(redo, firstUndone(redo), 3)))
  })

  it("commands that changed nothing are known by the points of the present state before them", () => {
    const points = [{ record: { commands: 2, unchanged: 3, undone: [] } }, { record: { commands: 5, undone: [] } }]
    const unchanged = (now: ReadonlyArray<{ readonly from: number; readonly to: number }>) =>
      [1, 2, 4, 5].filter((place) => isUnchanged(points, now, place))
    assert.deepStrictEqual(unchanged([]), [2, 4])
    assert.deepStrictEqual(unchanged([{ from: 1, to: 2 }]), [], "the point is of another state")
  })

  it("commands that changed nothing after a point are not undone with the ones after them", () => {
    const quiet = { commands: 2, unchanged: 3 }
    assert.strictEqual(firstUndone(quiet), 5)
    assert.deepStrictEqual([2, 3, 5, 7].map((place) => firstUndone(quiet, place)), [2, 3, 5, 5])
    assert.deepStrictEqual([2, 7].map((place) => firstUndone({ commands: 2 }, place)), [2, 2])
  })

  it("a point that a rewind left is not in the history of the present state", () => {
    const now = undoneAfter({ undone: [] }, 1, 3)
    assert.isTrue(isBehind({ commands: 1, undone: [] }, now))
    assert.isFalse(isBehind({ commands: 2, undone: [] }, now))
    assert.isFalse(isBehind({ commands: 3, undone: [] }, now))
    assert.isTrue(isBehind({ commands: 3, undone: now }, now))
    assert.deepStrictEqual([0, 1, 2, 3].map((place) => isUndone(now, place)), [false, true, true, false])
  })

  it("the newest point before a command is chosen among those in the history of the present state", () => {
    const now = [{ from: 1, to: 3 }]
    const points = [point("a", 0), point("b", 1), point("c", 2), point("redo", 3), point("after", 3, now)]
    assert.strictEqual(pointBefore(points, now, 3)?.id, "after")
    assert.strictEqual(pointBefore(points, now, 0)?.id, "a")
    assert.strictEqual(pointBefore(points, [], 2)?.id, "c")
    assert.isUndefined(pointBefore(points.slice(1), now, 0))
  })
})
