import { Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { CandidateResult } from "../../src/contract/rows/workspace-try-fields.ts"
import { call, fakePyro } from "./fakes.ts"
import { fails, info, succeeds } from "./results.ts"

describe("workspace_try", () => {
  const asked: Array<unknown> = []
  const result: CandidateResult = {
    name: "one",
    outcome: "failed",
    step: "check",
    status: 1,
    durationMs: 5,
    tail: "1 failed\n",
    truncated: false,
    reason: "the guest had no memory left for it"
  }
  const pyro = fakePyro({
    try: (payload) => {
      asked.push(payload)
      return Stream.make(
        { _tag: "Started" as const, candidate: "one" },
        { _tag: "Tried" as const, result },
        {
          _tag: "Done" as const,
          candidates: [result],
          best: "one",
          bestReason: "no other candidate ran to its end",
          keepable: ["one"],
          workspace: info
        }
      )
    },
    keep: (payload) => {
      asked.push(payload)
      return Stream.make({ _tag: "Kept" as const, kept: payload.candidate, undo: "pt-1", workspace: info })
    }
  })
  const attempt = (given: object) => call(pyro, "workspace_try", { workspace_id: "fix", ...given })

  it("candidates are patches and commands, and the check is a shell command", async () => {
    const candidates = [{ name: "one", patch: "p" }, { command: "make" }]
    const told: Readonly<Record<string, unknown>> = succeeds(
      "workspace_try",
      await attempt({ candidates, check: "npm test", keep: "best" })
    ) as never
    assert.deepInclude(asked[0], { workspace: "fix", candidates, checkScript: "npm test", check: [], keep: "best" })
    const [first] = told["candidates"] as ReadonlyArray<object>
    assert.deepInclude(first, { name: "one", outcome: "failed", status: 1, tail: "1 failed\n", reason: result.reason })
    assert.deepInclude(told, { best: "one", best_reason: "no other candidate ran to its end", kept: null })
    assert.deepStrictEqual(told["keepable"], ["one"])
  })

  it("a candidate of a finished try is kept by its name", async () => {
    const told: Readonly<Record<string, unknown>> = succeeds(
      "workspace_keep",
      await call(pyro, "workspace_keep", { workspace_id: "fix", candidate: "one" })
    ) as never
    assert.deepStrictEqual(asked.at(-1), { workspace: "fix", candidate: "one" })
    assert.deepInclude(told, { kept: "one", undo: "pt-1" })
    fails(
      await call(pyro, "workspace_keep", { workspace_id: "fix", candidate: "../one" }),
      "invalid_request: candidate"
    )
    fails(await call(pyro, "workspace_keep", { workspace_id: "fix" }), "invalid_request: candidate: is missing")
  })

  it("candidates that are none are named", async () => {
    fails(await attempt({}), "invalid_request: candidates: is missing")
    fails(await attempt({ candidates: [] }), "invalid_request: candidates: must be 1 to 16 candidates")
    fails(await attempt({ candidates: "patch" }), "invalid_request: candidates")
    fails(await attempt({ candidates: [{ name: "a b", command: "x" }] }), "invalid_request: candidates")
  })
})
