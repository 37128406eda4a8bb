import { assert, describe, it } from "vitest"
import { warningsOf, writesUndone } from "../../../../src/workspace/operations/rewind.ts"

const rewound = {
  undone: [],
  ended: [],
  memory: false,
  stillRunning: [],
  restarted: [],
  keptEffects: [],
  writesUndone: [],
  redo: "pt-2"
}
const undone = { execId: "a", command: "touch a", startedAt: "2026-11-28T20:00:00.000Z", outcome: "lost" } as const
const command = { kind: "command", id: "b", command: "sleep 600" } as const

describe("writes of programs that a rewind undoes", () => {
  const sinceMs = Date.parse("2026-11-28T19:59:57.900Z")
  const first = { start: { id: "a", command: ["touch", "a"], startedAt: undone.startedAt }, end: undefined }

  it("they begin at the last look at the workspace, which may be before the first command that is undone", () => {
    const by = ["service db", "SSH connections"]
    const text = "what service db, SSH connections wrote since 2026-11-28T19:59:57.900Z"
    assert.deepStrictEqual(writesUndone({ by, sinceMs }, first), [`${text}, 2.1 s before the first of these commands`])
    assert.deepStrictEqual(writesUndone({ by, sinceMs: sinceMs + 2_080 }, first), [
      "what service db, SSH connections wrote since 2026-11-28T19:59:59.980Z"
    ])
    assert.deepStrictEqual(writesUndone({ by, sinceMs }, undefined), [text])
  })

  it("without programs there are none", () => {
    assert.deepStrictEqual(writesUndone({ by: [], sinceMs }, first), [])
  })
})

describe("warnings of a reset to before a command", () => {
  it("they name what is undone and what ended with the old microVM, each command once", () => {
    const ended = [
      { kind: "command", id: "a", command: "touch a" },
      command,
      { kind: "shell", id: "c", command: "/bin/bash -l" },
      { kind: "service", id: "web", command: "serve" }
    ] as const
    assert.deepStrictEqual(
      warningsOf({ ...rewound, undone: [undone], writesUndone: ["what service web wrote"], ended }),
      [
        "undone: “touch a”",
        "also undone: what service web wrote",
        "ended with the old microVM: “sleep 600”; shell c; service web",
        "before \"pt-2\" brings back what is undone"
      ]
    )
  })

  it("long lists are cut, and what did not happen has no warning", () => {
    const ended = Array.from({ length: 7 }, () => command)
    assert.match(
      warningsOf({ ...rewound, ended })[1]!,
      /^ended with the old microVM: (“sleep 600”; ){4}“sleep 600” and 2 more$/
    )
    assert.deepStrictEqual(warningsOf(rewound), ["no command is undone", "before \"pt-2\" brings back what is undone"])
  })
})
