import { assert, describe, it } from "vitest"
import { rewoundText } from "../../../apps/web/src/tree/rewound.ts"

const undone = {
  execId: "a".repeat(32),
  command: "make",
  startedAt: "2026-01-01T00:00:00.000Z",
  outcome: "running" as const
}
const nothing = {
  ended: [],
  stillRunning: [],
  memory: false,
  keptEffects: [],
  restarted: [],
  undone: [],
  writesUndone: []
}

describe("a rewind in sentences", () => {
  it("a rewind where nothing ran says that alone", () => {
    assert.strictEqual(rewoundText(nothing), "No command is undone.")
  })

  it("what ended beside the undone commands is named, as `pyro rewind` does", () => {
    const text = rewoundText({
      ...nothing,
      undone: [undone],
      writesUndone: ["what service api wrote since 2026-01-01T00:00:00.000Z"],
      ended: [
        { kind: "command", id: undone.execId, command: "make" },
        { kind: "command", id: "b".repeat(32), command: `sleep ${"9".repeat(100)}` },
        { kind: "shell", id: "c".repeat(32), command: "bash" },
        { kind: "service", id: "web", command: "node server.js" }
      ],
      restarted: ["api"],
      keptEffects: ["1 file was exported"]
    })
    assert.strictEqual(
      text,
      "1 command undone. Also undone: what service api wrote since 2026-01-01T00:00:00.000Z. " +
        `Ended with the old microVM: sleep ${"9".repeat(54)}…, shell cccccccccccc, service web. ` +
        "Services that start again: api. Not undone: 1 file was exported."
    )
  })

  it("what goes on in the memory of the point is named, and a long list is cut", () => {
    const stillRunning = Array.from({ length: 9 }, (_, at) => `shell ${at}`)
    assert.include(
      rewoundText({ ...nothing, memory: true, stillRunning }),
      "shell 0, shell 1, shell 2, shell 3, shell 4, shell 5 and 3 more."
    )
  })
})
