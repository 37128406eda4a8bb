import { Effect, Layer, Option, Stream } from "effect"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { SavedNotFound } from "../../../src/contract/errors/errors.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { SavedExportEvent } from "../../../src/contract/rows/saved-archive.ts"
import { Workspace } from "../../../src/sdk/handle.ts"
import { connectTo } from "../../../src/sdk/promises/connect-to.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { handleService, infoOf, rejection } from "./handle-service.ts"

const warm = {
  name: "warm",
  kind: "memory" as const,
  createdAt: "",
  durable: true,
  environment: "debian:12",
  driver: "qemu" as const,
  vcpuCount: 1,
  memoryMib: 256,
  diskMib: 64,
  memoryBytes: 1,
  diskBytes: 1,
  holdsSecrets: false,
  runningCommands: 0
}

/** A service whose saved snapshots are in memory. */
const savedService = (names = ["warm"]) => {
  const asked: Array<unknown> = []
  const absent = (name: string) => new SavedNotFound({ saved: name, similar: [] })
  const service: PyroService = {
    ...unfakedPyro,
    saved: {
      ...unfakedPyro.saved,
      list: () => Effect.sync(() => ({ saved: names.map((name) => ({ ...warm, name })) })),
      inspect: ({ name }) =>
        names.includes(name) ? Effect.succeed({ ...warm, name, differences: [] }) : Effect.fail(absent(name)),
      delete: ({ names: [name = "", ...more] }) =>
        Effect.suspend(() => {
          assert.deepStrictEqual(more, [])
          if (!names.includes(name)) return Effect.fail(absent(name))
          names.splice(names.indexOf(name), 1)
          return Effect.succeed({ deleted: [name] })
        }),
      export: (payload) =>
        Stream.suspend((): Stream.Stream<SavedExportEvent, SavedNotFound> => {
          asked.push(payload)
          const { name, output } = payload
          if (!names.includes(name)) return Stream.fail(absent(name))
          return Stream.make({ ...exported, _tag: "Exported" as const, output })
        }),
      import: (payload) =>
        Stream.sync(() => {
          asked.push(payload)
          const { name = "warm" } = payload
          names.push(name)
          return { _tag: "Saved" as const, saved: { ...warm, name } }
        })
    }
  }
  return { asked, layer: Layer.succeed(Pyro, service) }
}

const exported = { kind: "disk" as const, bytes: 7, sha256: "0".repeat(64), replaced: false }

describe("what outlives a workspace that a program holds, and its changes", () => {
  it("saved snapshots are listed, shown and deleted, and an absent one is null", async () => {
    const { saved } = connectTo(savedService().layer)
    assert.deepStrictEqual(await saved.list(), [warm])
    assert.deepStrictEqual(await saved.get("warm"), { ...warm, differences: [] })
    assert.isUndefined(await saved.delete("warm"))
    assert.isUndefined(await saved.delete("warm"))
    assert.isNull(await saved.get("warm"))
    assert.deepStrictEqual(await saved.list(), [])
  })

  it("a saved snapshot moves by a file, whose relative path is that of this program", async () => {
    const { asked, layer } = savedService()
    const { saved } = connectTo(layer)
    const output = path.resolve("warm.pyro")
    const result = await saved.export("warm", "warm.pyro", { diskOnly: true, overwrite: true })
    assert.deepStrictEqual(result, { ...exported, name: "warm", output })
    assert.strictEqual((await saved.import("warm.pyro", { name: "copied", expect: exported.sha256 })).name, "copied")
    assert.strictEqual((await saved.get("copied"))?.name, "copied")
    assert.deepInclude(await rejection(saved.export("nope", "warm.pyro")), { _tag: "SavedNotFound" })
    assert.deepInclude(asked[0], { name: "warm", output, diskOnly: true, overwrite: true })
    assert.deepInclude(asked[1], { sourcePath: output, name: "copied", expect: exported.sha256 })
  })

  it("a call for saved snapshots ends with its signal", async () => {
    const silent = {
      ...unfakedPyro.saved,
      list: () => Effect.never,
      inspect: () => Effect.never,
      delete: () => Effect.never,
      export: () => Stream.never,
      import: () => Stream.never
    }
    const { saved } = connectTo(Layer.succeed(Pyro, { ...unfakedPyro, saved: silent }))
    const reason = new Error("enough")
    const calls = [
      (signal: AbortSignal) => saved.list({ signal }),
      (signal: AbortSignal) => saved.get("warm", { signal }),
      (signal: AbortSignal) => saved.delete("warm", { signal }),
      (signal: AbortSignal) => saved.export("warm", "/warm.pyro", { signal }),
      (signal: AbortSignal) => saved.import("/warm.pyro", { name: "other", signal })
    ]
    for (const call of calls) {
      const aborted = new AbortController()
      const failure = rejection(call(aborted.signal))
      aborted.abort(reason)
      assert.strictEqual(await failure, reason)
    }
  })

  it("in Effect, saved snapshots are the same, and None is an absent one", async () => {
    const seen = await Effect.gen(function*() {
      const before = yield* Workspace.saved.get("warm")
      yield* Workspace.saved.delete("warm")
      return [Option.isSome(before), yield* Workspace.saved.get("warm"), yield* Workspace.saved.list()] as const
    }).pipe(Effect.provide(savedService().layer), Effect.runPromise)
    assert.deepStrictEqual(seen, [true, Option.none(), []])
  })

  it("a workspace is saved, paused, resumed, renamed and updated by its id", async () => {
    const info = infoOf("ws-0000000001", "parser")
    const { asked, fix, note } = handleService(undefined, {
      rename: (payload) => note("rename", payload, info),
      update: (payload) => note("update", payload, info),
      pause: (payload) => Stream.fromEffect(note("pause", payload, { _tag: "Ready" as const, workspace: info })),
      resume: (payload) => Stream.fromEffect(note("resume", payload, { _tag: "Ready" as const, workspace: info })),
      snapshot: {
        ...unfakedPyro.workspace.snapshot,
        save: (payload) => Stream.fromEffect(note("save", payload, { _tag: "Saved" as const, saved: warm }))
      }
    })
    const ws = await fix()
    const workspace = "ws-0000000001"
    assert.deepStrictEqual(await ws.save("warm", { diskOnly: true }), warm)
    assert.strictEqual((await ws.pause()).name, "parser")
    assert.strictEqual((await ws.resume()).name, "parser")
    assert.strictEqual((await ws.rename("parser")).name, "parser")
    assert.strictEqual((await ws.update({ labels: { a: "1" }, ttlMs: 1500 })).name, "parser")
    await ws.update({ ttlMs: 0, pauseAfterMs: 1_200 })
    assert.strictEqual(ws.name, "fix")
    const [status, save, pause, resume, rename, update, forever] = asked
    assert.strictEqual(status?.[0], "status")
    assert.deepStrictEqual([save, pause, resume, rename], [
      ["save", { workspace, name: "warm", diskOnly: true }],
      ["pause", { workspace }],
      ["resume", { workspace }],
      ["rename", { workspace, name: "parser" }]
    ])
    assert.deepInclude(update?.[1], { workspace, labels: { a: "1" }, ttlSeconds: 2, clearLabels: [] })
    assert.deepInclude(forever?.[1], { workspace, ttlSeconds: 0, pauseAfterSeconds: 2 })
  })
})
