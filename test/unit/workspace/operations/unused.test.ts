import { Effect, Option, Ref, Result } from "effect"
import { assert, describe, it } from "vitest"
import { AdmissionRefused, memoryStore, NoSpace, type PyroError } from "../../../../src/contract/errors/errors.ts"
import { typedMessage } from "../../../../src/contract/rows/next-steps.ts"
import type { Entry } from "../../../../src/workspace/entry/entry.ts"
import { readableOf } from "../../../../src/workspace/entry/readable.ts"
import type { Registry } from "../../../../src/workspace/entry/registry.ts"
import { namingUnused, UNUSED_MS } from "../../../../src/workspace/operations/unused.ts"

interface Workspace {
  readonly id: string
  readonly unusedMs?: number
  readonly record?: object
  readonly uses?: number
  readonly isRunning?: boolean
  readonly described?: object
}

/** A workspace as far as a look at its use goes. */
const entryOf = ({ described, id, isRunning = true, record, unusedMs = 2 * UNUSED_MS, uses = 0 }: Workspace) => {
  const usedMs = Date.now() - unusedMs
  return {
    id,
    record: readableOf(
      Ref.makeUnsafe({ id, environment: {}, createdAt: new Date(usedMs).toISOString(), disk: 0, ...record })
    ),
    state: readableOf(Ref.makeUnsafe({ state: isRunning ? "running" : "stopped", detail: "" })),
    generation: readableOf(Ref.makeUnsafe(isRunning ? Option.some({}) : Option.none())),
    residents: readableOf(Ref.makeUnsafe(
      described === undefined ? Option.none() : Option.some({
        commands: {},
        secrets: { names: [], commandNames: [] },
        headerSecrets: { texts: () => [] },
        describe: Effect.succeed(described)
      })
    )),
    uses: { count: uses, lastMs: usedMs },
    folder: { activity: "/nowhere/activity", disk: () => "/nowhere/disk" },
    consents: { waiting: () => [], pendingLogins: () => [] }
  } as unknown as Entry
}

const refused = (failure: PyroError, ...workspaces: ReadonlyArray<Workspace>) => {
  const registry = { reachable: { entries: Effect.succeed(workspaces.map(entryOf)) } } as unknown as Registry
  const result = Effect.runSync(Effect.result(namingUnused(registry)(Effect.fail(failure))))
  return Result.isFailure(result) ? result.failure : assert.fail("it succeeded")
}

const memory = new AdmissionRefused({ resource: "memory", detail: "the host is full", fits: 2 })
const unusedOf = (...workspaces: ReadonlyArray<Workspace>) => {
  const failure = refused(memory, ...workspaces)
  return failure._tag === "AdmissionRefused" ? failure.unused : assert.fail(failure._tag)
}

describe("a refusal for memory", () => {
  it("names running workspaces without a name that nothing has used for long, the longest unused first", () => {
    assert.deepStrictEqual(
      unusedOf({ id: "ws-b" }, { id: "ws-a", unusedMs: 3 * UNUSED_MS }, { id: "ws-c", described: { shells: 0 } }),
      ["ws-a", "ws-b", "ws-c"]
    )
  })

  it.each<readonly [string, Omit<Workspace, "id">]>([
    ["has a name", { record: { name: "fix" } }],
    ["was used a moment ago", { unusedMs: 1_000 }],
    ["is used", { uses: 1 }],
    ["runs a command", { described: { runningCommands: 1 } }],
    ["has a shell", { described: { shells: 1 } }],
    ["has a service", { described: { services: { running: 1 } } }],
    ["has a published port", { described: { ports: [{}] } }],
    ["is stopped", { isRunning: false }],
    ["is a candidate of a try", { record: { tryOf: "t" } }],
    ["is a builder", { record: { builder: "debian:12" } }]
  ])("names no workspace that %s", (_, workspace) => {
    assert.isUndefined(unusedOf({ id: "ws-a", ...workspace }))
  })

  it("keeps its fields, and says how to delete the workspaces", () => {
    const failure = refused(memory, { id: "ws-a" }, { id: "ws-b", unusedMs: 3 * UNUSED_MS })
    assert.deepInclude(failure, { resource: "memory", detail: "the host is full", fits: 2 })
    assert.include(failure.message, "; running without a name and unused: ws-b, ws-a.")
    assert.include(typedMessage(failure), "Delete those that you do not need: pyro delete ws-b ws-a. Stop")
    const store = new NoSpace({ where: memoryStore, path: "/dev/shm", neededMib: 2, availableMib: 1 })
    assert.deepInclude(refused(store, { id: "ws-a" }), { where: memoryStore, neededMib: 2, unused: ["ws-a"] })
  })

  it("names eight at most, and another failure names none", () => {
    const many = Array.from({ length: 20 }, (_, at) => ({ id: `ws-${at}` }))
    assert.lengthOf(unusedOf(...many)!, 8)
    const disk = new NoSpace({ where: "cache", path: "/var", neededMib: 2, availableMib: 1 })
    assert.notProperty(refused(disk, { id: "ws-a" }), "unused")
  })
})
