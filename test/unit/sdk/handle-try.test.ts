import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { CandidateResult } from "../../../src/contract/rows/workspace-try-fields.ts"
import type { TryEvent } from "../../../src/contract/rows/workspace-try.ts"
import { Workspace } from "../../../src/sdk/handle.ts"
import { handleService, infoOf, rejection } from "./handle-service.ts"

const passed: CandidateResult = { name: "one", outcome: "passed", durationMs: 1, tail: "", truncated: false }
const done = { candidates: [passed], best: "one", kept: "one", workspace: infoOf("ws-0000000001") }

/** A service whose tries say the same, and which notes their requests and how they end. */
const tryService = () => {
  const asked: Array<unknown> = []
  const ended: Array<string> = []
  const events: ReadonlyArray<TryEvent> = [
    { _tag: "Started", candidate: "one" },
    { _tag: "Notice", level: "warning", message: "it was used meanwhile" },
    { _tag: "Notice", level: "progress", message: "copying" },
    { _tag: "Tried", result: passed },
    { _tag: "Done", ...done }
  ]
  const over: Partial<PyroService["workspace"]> = {
    try: (payload) =>
      Stream.unwrap(Effect.sync(() => {
        asked.push(payload)
        return Stream.ensuring(Stream.fromIterable(events), Effect.sync(() => ended.push("try")))
      }))
  }
  return { ...handleService(undefined, over), asked, ended }
}

const told: ReadonlyArray<unknown> = [
  { _tag: "Started", candidate: "one" },
  { _tag: "Tried", result: passed },
  { _tag: "Done", ...done, warnings: [{ message: "it was used meanwhile" }] }
]

describe("a try of a program", () => {
  it("the events come in order, with the warnings in the last one", async () => {
    const { asked, fix } = tryService()
    const ws = await fix()
    const events: Array<unknown> = []
    const candidates = [{ name: "one", patch: undefined, command: "true" }, { patch: "p" }]
    for await (const event of ws.try(candidates, { check: "npm test", keep: "best", timeoutMs: 1500 })) {
      events.push(event)
    }
    assert.deepStrictEqual<ReadonlyArray<unknown>>(events, told)
    assert.deepInclude(asked[0], {
      workspace: "ws-0000000001",
      candidates: [{ name: "one", command: "true" }, { patch: "p" }],
      checkScript: "npm test",
      check: [],
      keep: "best",
      timeoutSeconds: 1.5
    })
  })

  it("a candidate of a finished try is kept by its name, and warnings come with the result", async () => {
    const asked: Array<unknown> = []
    const kept = { kept: "one", undo: "p3", workspace: infoOf("ws-0000000001") }
    const { fix } = handleService(undefined, {
      keep: (payload) =>
        Stream.unwrap(Effect.sync(() => {
          asked.push(payload)
          return Stream.make(
            { _tag: "Notice" as const, level: "warning" as const, message: "it was used meanwhile" },
            { _tag: "Kept" as const, ...kept }
          )
        }))
    })
    assert.deepStrictEqual(await (await fix()).keep("one"), {
      ...kept,
      warnings: [{ message: "it was used meanwhile" }]
    })
    assert.deepStrictEqual<ReadonlyArray<unknown>>(asked, [{ workspace: "ws-0000000001", candidate: "one" }])
  })

  it("a list of words is the check as a command", async () => {
    const { asked, fix } = tryService()
    for await (const event of (await fix()).try([{ command: "true" }], { check: ["npm", "test"] })) void event
    assert.deepInclude(asked[0], { check: ["npm", "test"] })
    assert.notProperty(asked[0], "checkScript")
  })

  it("the end of the loop ends the try", async () => {
    const { ended, fix } = tryService()
    for await (const event of (await fix()).try([{ command: "true" }])) {
      if (event._tag === "Started") break
    }
    assert.deepStrictEqual(ended, ["try"])
  })

  it("candidates that are none are refused before any work", async () => {
    const { asked, fix } = tryService()
    const ws = await fix()
    const drained = async (candidates: Parameters<typeof ws.try>[0]) => {
      for await (const event of ws.try(candidates)) void event
    }
    assert.deepInclude(await rejection(drained([])), { _tag: "InvalidRequest", field: "candidates" })
    assert.deepStrictEqual(asked, [])
  })

  it("in Effect it is a Stream of the same events", async () => {
    const { layer } = tryService()
    const events = await Effect.gen(function*() {
      const ws = yield* Workspace.open("fix")
      return yield* Stream.runCollect(ws.try([{ command: "true" }]))
    }).pipe(Effect.scoped, Effect.provide(layer), Effect.runPromise)
    assert.deepStrictEqual<ReadonlyArray<unknown>>([...events], told)
  })
})
