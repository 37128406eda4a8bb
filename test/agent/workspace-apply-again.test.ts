import { assert } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import type { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import { type TransferPayload, workspaceTransferRead } from "../../src/contract/rows/workspace-transfer.ts"
import { exportChanges } from "../../src/lib/exporting/apply.ts"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { keepContent } from "../../src/lib/seeding/model/kept.ts"
import { copyPushed, readPushed, returnPushed, writePushed } from "../../src/lib/seeding/model/pushed.ts"
import { replayPushed } from "../../src/lib/seeding/push.ts"
import { carrying } from "../../src/remote/carry.ts"
import { rememberSource } from "../../src/remote/model/sources.ts"
import { sha256Hex } from "../../src/system/files/digest.ts"
import { makeWorkLock } from "../../src/system/waits/work-lock.ts"
import { movingBaseline } from "../../src/workspace/content/export/applied.ts"
import { changesEvents } from "../../src/workspace/content/export/transfer.ts"
import { type Generation, noGeneration } from "../../src/workspace/entry/current-generation.ts"
import { makeTransfers } from "../../src/workspace/entry/transfers.ts"
import { wholePatch } from "../support/workspace/whole-patch.ts"
import { payload, resultOf } from "../unit/workspace/content/export/fake-guest.ts"
import { withAgent } from "./agent.ts"
import { seeded, write } from "./pushed.ts"
import { changesOf } from "./whole-changes.ts"

/** A workspace in a state directory, whose VM has this channel. */
const entryOf = (state: string, channel: GuestChannel) =>
  Effect.gen(function*() {
    const generation = noGeneration()
    yield* generation.install({ channel } as Generation)
    return {
      folder: { directory: state, activity: path.join(state, "activity") },
      generation,
      pushLock: yield* makeWorkLock,
      pushedLock: yield* makeWorkLock
    }
  })

type Way = "on one machine" | "over a context"

const event = Schema.toCodecJson(workspaceTransferRead.event())

/** A workspace whose changes are applied to the directory of its seed. */
const applied = (name: string, way: Way) =>
  Effect.gen(function*() {
    const guest = yield* seeded(name)
    const { channel, host, live, state } = guest
    const entry = { ...yield* entryOf(state, channel), transfers: makeTransfers() }
    const compared = { channel, trees: guest.trees }
    const request = (fields: Partial<ExportPayload>) => payload({ apply: true, output: host, ...fields })
    const onOneMachine = (fields: Partial<ExportPayload>, meanwhile: Effect.Effect<unknown>) =>
      Effect.gen(function*() {
        const all = yield* changesOf(channel, { trees: guest.trees, pushed: yield* readPushed(state) })
        const moveBaseline = yield* movingBaseline(entry, channel)
        const bounds = { moveBaseline, consent: () => Effect.asVoid(meanwhile) }
        return exportChanges(all, sha256Hex(yield* wholePatch(all)), request(fields), bounds)
      })
    const of = { stateDir: path.join(state, "here"), context: { name: "bench", url: "ssh://bench" } }
    const overContext = (fields: Partial<ExportPayload>, meanwhile: Effect.Effect<unknown>) =>
      Effect.gen(function*() {
        yield* rememberSource(of, "ws-0123456789", host)
        const pyro = {
          workspace: {
            status: () => Effect.succeed({ id: "ws-0123456789" }),
            transfer: {
              read: (asked: TransferPayload) =>
                Stream.map(
                  changesEvents(compared, entry, { payload: asked, secrets: undefined, consent: undefined }),
                  (sent) => Schema.decodeSync(event)(Schema.encodeSync(event)(sent))
                ),
              applied: ({ transfer }: { readonly transfer: string }) =>
                Effect.andThen(
                  meanwhile,
                  Effect.map(entry.transfers.make(transfer), (baselineMoved) => ({ baselineMoved }))
                )
            }
          }
        } as unknown as PyroService
        return carrying(pyro, of).workspace.export(request(fields))
      })
    const events = way === "on one machine" ? onOneMachine : overContext
    /** `meanwhile` happens between the reading of the changes and the move of the baseline. */
    const apply = (fields: Partial<ExportPayload> = {}, meanwhile: Effect.Effect<unknown, unknown> = Effect.void) =>
      Effect.map(
        resultOf(request(fields), Stream.unwrap(events(fields, meanwhile as Effect.Effect<unknown>))),
        ({ result }) => result
      )
    const onHost = (file: string) => fs.readFileSync(path.join(host, file), "utf8")
    return { ...guest, apply, entry, live, onHost }
  })

for (const way of ["on one machine", "over a context"] as const) {
  withAgent(`a second round of changes, ${way}`, (it) => {
    it.effect("what was applied is the baseline of the next diff, of the next apply, of a push and of a reset", () =>
      Effect.gen(function*() {
        const { apply, channel, disk, host, live, names, onHost, push, read, state } = yield* applied("rounds", way)
        write(live, { "edited": "guest 1\n", "new/file": "n\n" })
        fs.chmodSync(path.join(live, "same"), 0o755)
        fs.rmSync(path.join(live, "gone"))
        fs.rmSync(path.join(live, "link"))
        fs.symlinkSync("edited", path.join(live, "link"))
        assert.deepInclude(yield* apply(), { files: 3, symlinks: 1, removedFiles: 1, baselineMoved: true })
        assert.deepStrictEqual(yield* names, [])

        write(live, { "edited": "guest 2\n", "gone": "back\n" })
        fs.rmSync(path.join(live, "new"), { recursive: true })
        assert.deepStrictEqual([...(yield* names)].sort(), ["added gone", "deleted new/file", "modified edited"])
        // The person has changed nothing, so a push brings nothing, and no file is in its way.
        assert.deepInclude(yield* push({ delete: true }), { filesPushed: 0, conflictCount: 0, equalCount: 0 })
        assert.deepInclude(yield* apply(), { files: 2, removedFiles: 1, equalFiles: 0, baselineMoved: true })
        assert.deepStrictEqual([onHost("edited"), onHost("gone")], ["guest 2\n", "back\n"])
        assert.isFalse(fs.existsSync(path.join(host, "new")))
        assert.deepStrictEqual(yield* names, [])

        fs.rmSync(live, { recursive: true })
        execFileSync("cp", ["-a", path.join(disk, "workspace"), live])
        yield* replayPushed(channel, yield* readPushed(state), { root: live, path: "" })
        assert.deepStrictEqual([read("edited"), read("gone"), yield* names], ["guest 2\n", "back\n", []])
        assert.strictEqual(fs.readlinkSync(path.join(live, "link")), "edited")
        assert.notStrictEqual(fs.statSync(path.join(live, "same")).mode & 0o100, 0)
      }))

    it.effect("the person's own change between two rounds refuses the second, and a push brings it", () =>
      Effect.gen(function*() {
        const { apply, host, live, onHost, push, read } = yield* applied("between", way)
        write(live, { "edited": "guest 1\n", "both": "guest 1\n" })
        yield* apply()
        write(host, { "edited": "mine\n" })
        write(live, { "both": "guest 2\n", "edited": "guest 2\n" })
        const refused = yield* Effect.flip(apply())
        assert.include(refused.message, "edited: it has changed")
        assert.strictEqual(onHost("both"), "guest 1\n")
        assert.deepStrictEqual((yield* push()).conflicts.map((conflict) => conflict.path), ["edited"])
        assert.deepInclude(yield* push({ force: true }), { filesPushed: 1 })
        assert.strictEqual(read("edited"), "mine\n")
        assert.deepInclude(yield* apply(), { files: 1, equalFiles: 0 })
        assert.strictEqual(onHost("both"), "guest 2\n")
      }))

    it.effect("a workspace that returns to the state before an apply differs by what the host has, and the next apply takes it back", () =>
      Effect.gen(function*() {
        const { apply, host, live, names, onHost, push, state } = yield* applied("returns", way)
        write(host, { "both": "pushed\n" })
        yield* push()
        const point = path.join(state, "point")
        fs.mkdirSync(point)
        yield* copyPushed(state, point)
        write(live, { "edited": "guest 1\n", "new": "n\n", "both": "guest\n" })
        yield* apply()
        write(host, { "both": "pushed later\n" })
        yield* push({ force: true })
        // The disk of the point has neither the later push nor what was applied.
        write(live, { "edited": "1\n", "both": "pushed\n" })
        fs.rmSync(path.join(live, "new"))
        yield* returnPushed(point, state)
        assert.deepStrictEqual([...(yield* names)].sort(), ["deleted new", "modified edited"])
        write(live, { "edited": "guest 2\n" })
        assert.deepInclude(yield* apply(), { files: 1, removedFiles: 1, equalFiles: 0 })
        assert.deepStrictEqual([onHost("edited"), fs.existsSync(path.join(host, "new"))], ["guest 2\n", false])
        assert.deepStrictEqual([onHost("both"), yield* names], ["pushed later\n", []])
      }))

    it.effect("a check, a refusal and a reset meanwhile leave the baseline as it was", () =>
      Effect.gen(function*() {
        const { apply, channel, entry, host, live, names, onHost, state } = yield* applied("stays", way)
        write(live, { "edited": "guest\n" })
        const record = path.join(state, "pushed.json")
        assert.notProperty(yield* apply({ check: true }), "baselineMoved")
        write(host, { "edited": "mine\n" })
        yield* Effect.flip(apply())
        assert.isFalse(fs.existsSync(record))
        write(host, { "edited": "1\n" })
        const other = { channel: { ...channel } } as Generation
        const meanwhile = (change: Effect.Effect<unknown>) => apply({}, change)
        assert.deepInclude(yield* meanwhile(entry.generation.install(other)), { files: 1, baselineMoved: false })
        assert.strictEqual(onHost("edited"), "guest\n")
        assert.isFalse(fs.existsSync(record))
        yield* entry.generation.install({ channel } as Generation)
        assert.deepInclude(yield* meanwhile(entry.generation.detach), { files: 0, equalFiles: 1, baselineMoved: false })
        assert.deepStrictEqual(yield* names, ["modified edited"])
        // A workspace at rest has no VM all along.
        assert.deepInclude(yield* apply(), { files: 0, equalFiles: 1, baselineMoved: true })
        assert.deepStrictEqual(yield* names, [])
      }))

    it.effect("a state directory that takes no contents refuses before a file of the host changes", () =>
      Effect.gen(function*() {
        const { apply, live, onHost, state } = yield* applied("no-state", way)
        write(live, { "edited": "guest\n" })
        write(state, { "pushed": "in the way" })
        const failure = yield* Effect.flip(apply())
        assert.strictEqual(failure._tag, "StateDirectoryUnusable")
        assert.strictEqual(onHost("edited"), "1\n")
      }))
  })
}

withAgent("changes that are made on another computer", (it) => {
  it.effect("an apply whose line breaks before the baseline moves is made good by the next one", () =>
    Effect.gen(function*() {
      const { apply, live, names, onHost } = yield* applied("broken", "over a context")
      write(live, { "edited": "guest\n" })
      const broken = yield* apply({}, Effect.fail("the line broke"))
      assert.deepInclude(broken, { files: 1, baselineMoved: false })
      assert.strictEqual(onHost("edited"), "guest\n")
      assert.deepStrictEqual(yield* names, ["modified edited"])
      assert.deepInclude(yield* apply(), { files: 0, equalFiles: 1, baselineMoved: true })
      assert.deepStrictEqual(yield* names, [])
    }))

  it.effect("a push of one of the files meanwhile leaves the baseline to the push", () =>
    Effect.gen(function*() {
      const { apply, entry, live, names, state } = yield* applied("pushed", "over a context")
      write(live, { "edited": "guest\n" })
      const other = Effect.gen(function*() {
        const kept = yield* keepContent(state, Buffer.from("pushed\n"))
        const pushed = yield* readPushed(state)
        const file = { _tag: "file", mode: 0o100644, sha256: kept.sha256, size: kept.size, mtimeNs: "1" } as const
        yield* writePushed(state, { ...pushed, entries: new Map([["edited", file]]) })
      })
      assert.deepInclude(yield* apply({}, other), { files: 1, baselineMoved: false })
      assert.deepStrictEqual(yield* names, ["modified edited"])
      assert.isFalse(yield* entry.transfers.make("0".repeat(16)))
    }))
})
