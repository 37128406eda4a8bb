import { assert, describe, it } from "vitest"
import { warningsOf } from "../../../../src/workspace/operations/rewind.ts"

const rewound = { undone: [], ended: [], memory: false, goesOn: [], startedAgain: [], notUndone: [], redo: "pt-2" }
const undone = { execId: "a", command: "touch a", startedAt: "2026-11-28T20:00:00.000Z", outcome: "lost" } as const
const command = { kind: "command", id: "b", command: "sleep 600" } as const

describe("warnings of a reset to before a command", () => {
  it("they name what is undone and what ended with the old microVM, each command once", () => {
    const ended = [
      { kind: "command", id: "a", command: "touch a" },
      command,
      { kind: "shell", id: "c", command: "/bin/bash -l" },
      { kind: "service", id: "web", command: "serve" }
    ] as const
    assert.deepStrictEqual(warningsOf({ ...rewound, undone: [undone], ended }), [
      "undone: “touch a”",
      "ended with the old microVM: “sleep 600”; shell c; service web",
      "before \"pt-2\" brings back what is undone"
    ])
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
