import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import { exportChanges } from "../../src/lib/exporting/apply.ts"
import type { ExportBounds } from "../../src/lib/exporting/bounds.ts"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { copyPushed, readPushed, returnPushed } from "../../src/lib/seeding/model/pushed.ts"
import { replayPushed } from "../../src/lib/seeding/push.ts"
import { sha256Hex } from "../../src/system/files/digest.ts"
import { makeWorkLock } from "../../src/system/waits/work-lock.ts"
import { movingBaseline } from "../../src/workspace/content/export/applied.ts"
import { type Generation, noGeneration } from "../../src/workspace/entry/current-generation.ts"
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

/** A workspace whose changes are applied to the directory of its seed. */
const applied = (name: string) =>
  Effect.gen(function*() {
    const guest = yield* seeded(name)
    const { channel, host, live, state } = guest
    const entry = yield* entryOf(state, channel)
    const apply = (fields: Partial<ExportPayload> = {}, bounds: ExportBounds = {}) =>
      Effect.gen(function*() {
        const all = yield* changesOf(channel, { trees: guest.trees, pushed: yield* readPushed(state) })
        const request = payload({ apply: true, output: host, ...fields })
        const moveBaseline = yield* movingBaseline(entry, channel)
        const events = exportChanges(all, sha256Hex(yield* wholePatch(all)), request, { moveBaseline, ...bounds })
        return (yield* resultOf(request, events)).result
      })
    const onHost = (file: string) => fs.readFileSync(path.join(host, file), "utf8")
    return { ...guest, apply, entry, live, onHost }
  })

withAgent("a second round of changes", (it) => {
  it.effect("what was applied is the baseline of the next diff, of the next apply, of a push and of a reset", () =>
    Effect.gen(function*() {
      const { apply, channel, disk, host, live, names, onHost, push, read, state } = yield* applied("rounds")
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
      const { apply, host, live, onHost, push, read } = yield* applied("between")
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
      const { apply, host, live, names, onHost, push, state } = yield* applied("returns")
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
      const { apply, channel, entry, host, live, names, onHost, state } = yield* applied("stays")
      write(live, { "edited": "guest\n" })
      const record = path.join(state, "pushed.json")
      assert.notProperty(yield* apply({ check: true }), "baselineMoved")
      write(host, { "edited": "mine\n" })
      yield* Effect.flip(apply())
      assert.isFalse(fs.existsSync(record))
      write(host, { "edited": "1\n" })
      const other = { channel: { ...channel } } as Generation
      const meanwhile = (change: Effect.Effect<unknown>) => apply({}, { consent: () => Effect.asVoid(change) })
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
      const { apply, live, onHost, state } = yield* applied("no-state")
      write(live, { "edited": "guest\n" })
      write(state, { "pushed": "in the way" })
      const failure = yield* Effect.flip(apply())
      assert.strictEqual(failure._tag, "StateDirectoryUnusable")
      assert.strictEqual(onHost("edited"), "1\n")
    }))
})
