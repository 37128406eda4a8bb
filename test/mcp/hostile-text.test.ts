import { Effect, Result } from "effect"
import { assert, describe, it } from "vitest"
import { PatchRejected, type PyroError, WorkspaceNotFound } from "../../src/contract/errors/errors.ts"
import type { McpSurface } from "../../src/contract/rows/operation.ts"
import { type CallResult, callTool } from "../../src/mcp/call.ts"
import { makePending } from "../../src/mcp/pending.ts"
import { selectionNames } from "../../src/mcp/profile.ts"
import type { Done } from "../../src/mcp/request.ts"
import { makeTools } from "../../src/mcp/server.ts"
import { type ProfileTool, profileTools, selectedTools } from "../../src/mcp/tool-table.ts"
import { replaced, sampleOf, textsIn } from "../support/daemon/samples.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"
import { emptyProject } from "./fakes.ts"
import { argumentsFor, valueFor } from "./tool-arguments.ts"

/** A word of tags, both directions' overrides, a title for a terminal, a NUL, a space without a width, and half of a character. */
const HOSTILE = "a\0\u001b]0;t\u0007\u009d\u202e\u2066\u200b\u061c\ufeff\u2028\u{e0068}\u{e0069}\ud800z"
const SHOWN = "a\\x00\\x1b]0;t\\x07\\x9d\\u202e\\u2066\\u200b\\u061c\\ufeff\\u2028\\u{e0068}\\u{e0069}\\ud800z"

/** All that a reader would not see, of the Unicode database and not of pyro's own list. Joiners and what a language needs stay. */
const UNSEEN = /(?![\t\n\u00ad\u0600-\u0605\u06dd\u070f\u180e\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/** Paths of the host may be named. */
const project = { ...emptyProject, source: Result.succeed, destination: Result.succeed } as never as typeof emptyProject

/** The answer of a tool whose work ends so. */
const answered = (tool: ProfileTool, work: Effect.Effect<Done<unknown>, PyroError>): Promise<CallResult> =>
  Effect.runPromise(callTool(
    { ...tool, tool: { ...tool.tool, perform: () => work } },
    argumentsFor(tool),
    { pyro: Effect.succeed(unfakedPyro), project, pending: makePending(), report: () => {} }
  ))

const demandSeen = (result: CallResult) => {
  for (const [path, text] of textsIn(result)) assert.notMatch(text, UNSEEN, path)
}

describe.each(profileTools("full").map((tool) => [tool.listed.name, tool] as const))("%s", (_, tool) => {
  it("no half of a result has a character that a reader would not see", async () => {
    const result = sampleOf(tool.result, HOSTILE)
    const answer = await answered(tool, Effect.succeed({ result, text: HOSTILE }))
    assert.isUndefined(answer.isError, answer.content[0].text)
    assert.strictEqual(answer.content[0].text, SHOWN)
    assert.isObject(answer.structuredContent)
    demandSeen(answer)
    const { omits = [] }: McpSurface = tool.row.mcp
    const given = textsIn(result).filter(([path, text]) => text === HOSTILE && !omits.some((one) => path.includes(one)))
    if (given.length > 0) assert.include(JSON.stringify(answer.structuredContent), JSON.stringify(SHOWN))
  })

  it("no failure has a character that a reader would not see", async () => {
    const failures = [
      new WorkspaceNotFound({ workspace: HOSTILE, similar: [HOSTILE] }),
      new PatchRejected({ detail: HOSTILE, rejects: [{ path: HOSTILE, hunk: 1, reason: HOSTILE }] })
    ]
    for (const failure of failures) {
      const answer = await answered(tool, Effect.fail(failure))
      assert.isTrue(answer.isError)
      demandSeen(answer)
    }
    demandSeen(await answered(tool, Effect.die(new Error(HOSTILE))))
  })

  it("half of a character is refused in each text of each argument", async () => {
    for (const { fixed, name, schema } of tool.args) {
      if (fixed !== undefined) continue
      for (const wrong of replaced(valueFor(name, schema), "x\udc00")) {
        const answer = await Effect.runPromise(callTool(tool, argumentsFor(tool, { [name]: wrong }), {
          pyro: Effect.succeed(unfakedPyro),
          project,
          pending: makePending(),
          report: () => {}
        }))
        assert.isTrue(answer.isError)
        assert.match(answer.content[0].text, new RegExp(`^invalid_request: ${name}\\b`), name)
        demandSeen(answer)
      }
    }
  })

  it("an unknown argument is named without a character that a reader would not see", async () => {
    const answer = await Effect.runPromise(callTool(tool, { [HOSTILE]: HOSTILE }, {
      pyro: Effect.succeed(unfakedPyro),
      project,
      pending: makePending(),
      report: () => {}
    }))
    assert.isTrue(answer.isError)
    demandSeen(answer)
  })
})

it("an unknown tool is named without a character that a reader would not see, and its long name is cut", async () => {
  for (const profile of ["vm-run", "workspace-core", "workspace-full"] as const) {
    const { call } = makeTools({ profile, project, pyro: Effect.succeed(unfakedPyro) })
    demandSeen(await Effect.runPromise(call(HOSTILE, {})))
    const long = await Effect.runPromise(call("x".repeat(1_000_000), {}))
    assert.isBelow(long.content[0].text.length, 3_000)
  }
})

it("no listed tool has a character that a reader would not see", () => {
  for (const selection of selectionNames) {
    for (const [path, text] of textsIn(selectedTools(selection).map(({ listed }) => listed))) {
      assert.notMatch(text, UNSEEN, path)
    }
  }
})
