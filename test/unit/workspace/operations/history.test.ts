import { assert, describe, it } from "vitest"
import { noStates } from "../../../../src/workspace/entry/resident.ts"
import type { PointRecord } from "../../../../src/workspace/life/records/point.ts"
import { beginsAtBaseline, historyOf, visitsOf } from "../../../../src/workspace/operations/history.ts"
import type { JournaledCommand } from "../../../../src/workspace/residents/exec/journal.ts"

const exec = (id: string): JournaledCommand => ({
  start: { id, command: ["make", id], startedAt: "2026-11-28T20:00:00.000Z" },
  end: { id, outcome: "exited", status: 0, durationMs: 5, stdoutBytes: 0, stderrBytes: 0 }
})

const point = (number: number, commands: number, more: Partial<PointRecord> = {}) => ({
  record: {
    format: 1,
    id: `pt-${number}`,
    number,
    commands,
    running: [],
    undone: [],
    writtenBytes: number * 100,
    captured: { takenAtMs: 0, layers: number, residents: noStates },
    ...more
  } satisfies PointRecord
})

describe("the history of a workspace", () => {
  const steps = ["a", "b", "c", "d"].map(exec)
  const doubted = new Set<string>()

  it("a command has the point before it, what it wrote, and the commands that a rewind undoes with it", () => {
    const points = [point(1, 1), point(2, 2), point(3, 4)]
    const { commands } = historyOf({ steps, points, undone: [], doubted, isFromBaseline: false }, 10)
    assert.deepStrictEqual(
      commands.map(({ alsoUndone, execId, point, writtenBytes }) => [execId, point, alsoUndone, writtenBytes]),
      [
        ["a", undefined, undefined, undefined],
        ["b", "pt-1", 0, 200],
        ["c", "pt-2", 0, undefined],
        ["d", "pt-2", 1, undefined]
      ]
    )
    assert.strictEqual(commands[1]!.command, "make b")
  })

  it("a command that changed nothing wrote nothing, and is not undone with the next", () => {
    const points = [point(1, 1, { unchanged: 2 }), point(2, 4)]
    const { commands } = historyOf({ steps, points, undone: [], doubted, isFromBaseline: false }, 10)
    assert.deepStrictEqual(
      commands.map(({ alsoUndone, execId, point, writtenBytes }) => [execId, point, alsoUndone, writtenBytes]),
      [
        ["a", undefined, undefined, undefined],
        ["b", "pt-1", 0, 0],
        ["c", "pt-1", 0, 0],
        ["d", "pt-1", 0, 200]
      ]
    )
    assert.deepStrictEqual(commands.map((one) => one.changedNothing), [undefined, true, true, undefined])
  })

  it("a look by its words is no step, unless git may have run other programs, and none that another undoes", () => {
    const look = (id: string): JournaledCommand => {
      const { end, start } = exec(id)
      return { start: { ...start, command: ["git", "status"] }, end }
    }
    const { commands } = historyOf({
      steps: [exec("a"), look("b"), look("c"), exec("d")],
      points: [point(1, 1)],
      undone: [],
      doubted: new Set(["c"]),
      isFromBaseline: false
    }, 10)
    assert.deepStrictEqual(commands.map((one) => [one.changedNothing, one.alsoUndone]), [
      [undefined, undefined],
      [true, 0],
      [undefined, 0],
      [undefined, 1]
    ])
  })

  it("a point names the SSH session that began after it, before the next point or command", () => {
    const from = Date.parse("2026-11-28T19:00:00.000Z")
    const at = (minutes: number) => new Date(from + minutes * 60_000).toISOString()
    const taken = (number: number, commands: number, minutes: number) =>
      point(number, commands, { captured: { takenAtMs: from + minutes * 60_000, layers: 1, residents: noStates } })
    // Each command starts after 60 minutes.
    const points = [taken(1, 0, 10), taken(2, 0, 20), taken(3, 0, 30), taken(4, 4, 70)]
    const visits = [{ user: "early", at: at(5) }, { user: "root", at: at(15) }, { user: "agent", at: at(65) }, {
      user: "last",
      at: at(80)
    }]
    const known = historyOf({ steps, points, undone: [], doubted, isFromBaseline: true, visits }, 10)
    assert.deepStrictEqual(known.points.map(({ beforeSsh }) => beforeSsh), ["root", undefined, undefined, "last"])
  })

  it("the sessions of SSH are those of the events and those that came later in their visits", () => {
    const [first, second, third] = ["19:00", "19:01", "20:00"].map((time) => `2026-11-28T${time}:00.000Z`) as [
      string,
      string,
      string
    ]
    const events = [first, third].map((at) => ({ _tag: "ssh_opened" as const, at, user: "root" }))
    const visits = visitsOf(events, [{ user: "agent", at: second }])
    assert.deepStrictEqual(visits.map(({ at, user }) => [at, user]), [[first, "root"], [second, "agent"], [
      third,
      "root"
    ]])
  })

  it("an undone command has no way back, and does not count as one that is undone with another", () => {
    const undone = [{ from: 1, to: 3 }]
    const { commands, points } = historyOf({
      steps,
      points: [point(1, 1), point(2, 2), point(3, 3)],
      undone,
      doubted,
      isFromBaseline: true
    }, 10)
    assert.deepStrictEqual(commands.map((one) => one.undone), [false, true, true, false])
    assert.deepStrictEqual([commands[3]!.point, commands[3]!.alsoUndone], ["pt-1", 0])
    assert.deepStrictEqual(points.map(({ current }) => current), [true, false, false])
  })

  it("a reset leads to before the first command of the present state, if no point does", () => {
    const places = (known: object) =>
      historyOf({ steps, points: [], undone: [], doubted, isFromBaseline: true, ...known }, 10).commands
        .flatMap(({ byReset, execId }) => byReset === true ? [execId] : [])
    assert.deepStrictEqual(places({}), ["a"])
    assert.deepStrictEqual(places({ undone: [{ from: 0, to: 2 }] }), ["c"], "the first two are undone")
    assert.deepStrictEqual(places({ points: [point(1, 0)] }), [], "a point is there")
    assert.deepStrictEqual(places({ isFromBaseline: false }), [])
  })

  it("a reset leads back to a creation and to an earlier reset, not to a fork or a snapshot", () => {
    const at = "2026-11-28T20:00:00.000Z"
    const created = { _tag: "created", at, environment: "debian:12" } as const
    const reset = { _tag: "reset", at } as const
    assert.isTrue(beginsAtBaseline([created, { _tag: "started", at }]))
    assert.isFalse(beginsAtBaseline([{ ...created, snapshot: "saved" }]))
    assert.isFalse(beginsAtBaseline([{ _tag: "forked", at, from: "ws-1" }]))
    assert.isTrue(beginsAtBaseline([{ _tag: "forked", at, from: "ws-1" }, reset]))
    assert.isFalse(beginsAtBaseline([created, { ...reset, snapshot: "green" }]))
    assert.isTrue(beginsAtBaseline([created, { ...reset, candidate: "1" }]), "a keep leaves the history")
    assert.isFalse(beginsAtBaseline([]), "the beginning of the log is gone")
  })

  it("the newest commands are listed", () => {
    const { commands } = historyOf({ steps, points: [], undone: [], doubted, isFromBaseline: false }, 2)
    assert.deepStrictEqual(commands.map(({ execId }) => execId), ["c", "d"])
  })
})
