import { Cause } from "effect"
import { assert, describe, it } from "vitest"
import { reportFailure } from "../../../src/cli/output/report.ts"
import { DaemonUnavailable, UnknownFailure } from "../../../src/contract/errors/errors.ts"

const invocation = { command: "pyro list", family: "own", hint: () => undefined } as const

describe("the report of a failure", () => {
  it("shows people the beginning of a message without end, and gives programs all of it", () => {
    const failure = new UnknownFailure({ failedAs: "moon", detail: "\u001b[31m".repeat(1_000_000) })
    const { json, text } = reportFailure(Cause.fail(failure), invocation)
    assert.isBelow(text.length, 100_000)
    assert.match(text, /^pyro: \\x1b\[31m[^]*\n\.\.\. \([0-9]+ more characters\)\n$/)
    assert.notInclude(text, "\u001b")
    assert.strictEqual(json.error["message"], failure.message)
  })

  it("names steps for the machine that the command line has named", () => {
    const failure = new DaemonUnavailable({ detail: "x" })
    const textOf = (context?: string) => reportFailure(Cause.fail(failure), { ...invocation, context }).text
    assert.include(textOf("bench"), "pyro --context bench daemon logs")
    assert.include(textOf(), "pyro daemon logs")
  })
})
