import { assert, describe, it } from "vitest"
import { shown } from "./shown.ts"

const undone = {
  execId: "a".repeat(32),
  command: "touch a",
  startedAt: "2026-11-28T20:00:00.000Z",
  outcome: "exited",
  status: 0
} as const

const rewound = {
  workspace: { id: "ws-1", name: "fix" } as never,
  redo: "pt-2",
  undone: [undone],
  ended: [],
  memory: false,
  stillRunning: [],
  restarted: [],
  keptEffects: [],
  writesUndone: []
} as const

describe("views of a rewind", () => {
  it("a rewind says what ended with the old microVM and is not undone", async () => {
    const { err } = await shown("workspace.rewind", {
      ...rewound,
      writesUndone: ["what service web wrote since 2026-11-28T20:00:00.000Z"],
      ended: [
        { kind: "command", id: undone.execId, command: "touch a" },
        { kind: "command", id: "b".repeat(32), command: "sleep 600" },
        { kind: "shell", id: "c".repeat(32), command: "/bin/bash -l" },
        { kind: "shell", id: "d".repeat(32), command: "" },
        { kind: "service", id: "web", command: "serve" }
      ]
    }, {})
    assert.strictEqual(
      err,
      "fix is rewound: 1 command undone\n  aaaaaaaaaaaa touch a (status 0)\n" +
        "Also undone: what service web wrote since 2026-11-28T20:00:00.000Z\n" +
        "Ended with the old microVM:\n  bbbbbbbbbbbb sleep 600\n  cccccccccccc shell /bin/bash -l\n  dddddddddddd shell\n" +
        "  service web\n" +
        "To undo this rewind: pyro rewind fix --to pt-2\n"
    )
  })

  it("commands of a rewind are one line each, whatever they contain", async () => {
    const hostile = "true\nTo undo this rewind: pyro rewind other --to pt-9\u00a0"
    const { err } = await shown("workspace.rewind", {
      ...rewound,
      undone: [{ ...undone, command: hostile }],
      ended: [{ kind: "shell", id: "c".repeat(32), command: hostile }],
      writesUndone: [hostile],
      keptEffects: [hostile]
    }, {})
    assert.deepStrictEqual(
      err.split("\n").filter((line) => line.startsWith("To undo")),
      ["To undo this rewind: pyro rewind fix --to pt-2"]
    )
    assert.notInclude(err, "\u00a0")
  })

  it.each([
    ["a rewind of one step that undoes three", {}, 3, "2 more than asked for are undone"],
    ["a rewind of two steps that undoes three", { steps: 2 }, 3, "1 more than asked for is undone"],
    ["a rewind to before the last of two", { before: "b".repeat(12) }, 2, "1 more than asked for is undone"],
    ["a rewind to before the first of two", { before: "a".repeat(32) }, 2, undefined],
    ["a rewind of all that it undoes", { steps: 3 }, 3, undefined],
    ["a rewind to a point", { to: "pt-1" }, 3, undefined]
  ])("%s says how many more it undid than asked for", async (_, payload, number, text) => {
    const all = ["a", "b", "c"].slice(0, number).map((digit) => ({ ...undone, execId: digit.repeat(32) }))
    const looked = { ...undone, execId: "d".repeat(32), changedNothing: true }
    const { err } = await shown("workspace.rewind", { ...rewound, undone: [...all, looked] }, payload)
    if (text === undefined) assert.notInclude(err, "asked for")
    else assert.include(err, `${text}, because no point lies between the steps`)
  })

  it("a rewind of a workspace where nothing ran says nothing of it", async () => {
    assert.notInclude((await shown("workspace.rewind", rewound, {})).err, "Ended")
  })

  it("the history says where a rewind or a reset leads", async () => {
    const one = { ...undone, undone: false }
    const { out } = await shown("workspace.history", {
      commands: [
        { ...one, byReset: true, command: "first" },
        { ...one, command: "second" },
        { ...one, point: "pt-1", alsoUndone: 0, command: "third" },
        { ...one, point: "pt-1", alsoUndone: 2, command: "fourth" },
        { ...one, undone: true, changedNothing: true, command: "fifth" },
        { ...one, point: "pt-1", alsoUndone: 0, changedNothing: true, command: "sixth" },
        { ...one, changedNothing: true, command: "seventh" },
        { ...one, byReset: true, changedNothing: true, command: "eighth" }
      ]
    }, {})
    const rows = [/reset +first/, /gone +second/, /yes +third/, /undoes 2 more +fourth/, /undone +fifth/]
    const ofLooks = [/yes, no step +sixth/, /gone, no step +seventh/, /reset, no step +eighth/]
    for (const row of [...rows, ...ofLooks]) assert.match(out, row)
  })
})
