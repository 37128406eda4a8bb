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
  goesOn: [],
  startedAgain: [],
  notUndone: [],
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
      notUndone: [hostile]
    }, {})
    assert.deepStrictEqual(
      err.split("\n").filter((line) => line.startsWith("To undo")),
      ["To undo this rewind: pyro rewind fix --to pt-2"]
    )
    assert.notInclude(err, "\u00a0")
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
        { ...one, undone: true, command: "fifth" }
      ]
    }, {})
    for (const row of [/reset +first/, /gone +second/, /yes +third/, /undoes 2 more +fourth/, /undone +fifth/]) {
      assert.match(out, row)
    }
  })
})
