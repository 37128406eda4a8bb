import { Option, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { UnknownFailure, WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { command } from "../../../src/contract/errors/next-step.ts"
import { readGreeting } from "../../../src/contract/wire/greeting.ts"
import { DaemonLeaves, RequestError } from "../../../src/contract/wire/request-errors.ts"

const form = Schema.toCodecJson(RequestError)
const read = Schema.decodeUnknownSync(form)
const sent = Schema.encodeUnknownSync(form)

const later = {
  _tag: "MoonTooFar",
  kilometers: 384_400,
  code: "moon_too_far",
  fact: "the moon is 384400 km away",
  next: [{ label: "Wait for a closer moon", command: "date" }]
}

describe("the errors of a daemon of another version", () => {
  it("say their code and their fact beside their fields", () => {
    const failure = new WorkspaceNotFound({ workspace: "fix", similar: [] })
    assert.deepInclude(sent(failure), {
      _tag: "WorkspaceNotFound",
      workspace: "fix",
      code: "workspace_not_found",
      fact: failure.fact
    })
    assert.deepEqual(read(sent(failure)), failure)
    assert.deepEqual(sent(new DaemonLeaves()), { _tag: "DaemonLeaves" })
  })

  it("become one with their code, fact and steps if this version does not know their class", () => {
    const failure = read(later)
    assert.instanceOf(failure, UnknownFailure)
    assert.deepInclude(failure, { code: "unknown_failure", failedAs: later.code, detail: later.fact })
    assert.deepEqual(failure.next, [command("Wait for a closer moon", "date")])
    assert.match(failure.message, /^the moon is 384400 km away \(moon_too_far, .*\)\. Wait for a closer moon: date$/)
    const line = `pyro-serve-1 ${JSON.stringify({ error: later })}\n`
    const greeted = readGreeting(Buffer.from(line))
    assert.deepEqual(greeted._tag === "Greeted" && greeted.greeting.error, failure)
  })

  it("become the same if their class has other fields there", () => {
    const failure = read({ _tag: "WorkspaceNotFound", code: "workspace_not_found", fact: "there is no fix" })
    assert.deepInclude(failure, { failedAs: "workspace_not_found", detail: "there is no fix" })
  })

  it("lose steps that cannot be read, and the end of endless texts", () => {
    const failure = read({ ...later, fact: "x".repeat(1_000_000), next: [{ label: 1 }] }) as UnknownFailure
    assert.deepEqual([failure.detail.length, failure.next], [
      4_096,
      new UnknownFailure({ failedAs: "", detail: "" }).next
    ])
  })

  it("are refused if they describe nothing", () => {
    for (
      const wrong of [null, "x", 1, [], {}, { _tag: "MoonTooFar" }, { ...later, fact: 1 }, { ...later, code: null }]
    ) {
      assert.isTrue(Option.isNone(Schema.decodeUnknownOption(form)(wrong)), JSON.stringify(wrong))
    }
  })
})
