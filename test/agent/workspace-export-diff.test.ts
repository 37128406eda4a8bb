import { assert } from "@effect/vitest"
import { Effect, identity, Option, Ref, type Stream } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { PyroError } from "../../src/contract/errors/errors.ts"
import { typedTold } from "../../src/contract/rows/next-steps.ts"
import {
  type ExportEvent,
  type ExportPayload,
  type ExportResult,
  workspaceExport
} from "../../src/contract/rows/workspace-export.ts"
import { readPushed } from "../../src/lib/seeding/model/pushed.ts"
import { makeWorkLock } from "../../src/system/waits/work-lock.ts"
import { diffWorkspace } from "../../src/workspace/content/diff/diff.ts"
import { exportThrough } from "../../src/workspace/content/export/export.ts"
import type { Generation } from "../../src/workspace/entry/current-generation.ts"
import type { Entry } from "../../src/workspace/entry/entry.ts"
import { readableOf } from "../../src/workspace/entry/readable.ts"
import { payload, resultOf } from "../unit/workspace/content/export/fake-guest.ts"
import { withAgent } from "./agent.ts"
import { seeded, write } from "./pushed.ts"

const notesOf = ({ notes = [] }: ExportResult) => notes.map((one) => typedTold(one, workspaceExport.cli))

/** A seeded workspace, whose diff is exported as the operation does it. */
const exporting = (name: string) =>
  Effect.gen(function*() {
    const guest = yield* seeded(name)
    const { channel, host, state, trees } = guest
    // The parts of an entry that an export of a diff has.
    const parts = {
      record: readableOf(Ref.makeUnsafe({ seedPath: host })),
      folder: { directory: state, activity: path.join(state, "activity") },
      residents: readableOf(Ref.makeUnsafe(Option.none())),
      generation: readableOf(Ref.makeUnsafe(Option.some({ channel } as Generation))),
      pushLock: yield* makeWorkLock,
      pushedLock: yield* makeWorkLock
    }
    const entry = parts as unknown as Entry
    const take = (fields: Partial<ExportPayload>) => {
      const asked = payload({ output: host, ...fields })
      const events = exportThrough({ channel, explain: identity, trees }, entry, asked)
      return Effect.map(resultOf(asked, events as unknown as Stream.Stream<ExportEvent, PyroError>), ({ result }) =>
        result)
    }
    const reviewed = (includeIgnored: boolean) =>
      Effect.flatMap(readPushed(state), (pushed) =>
        diffWorkspace(channel, {
          paths: [],
          stat: false,
          nameOnly: false,
          includeIgnored,
          verified: false,
          maxBytes: 1_000_000
        }, { trees, pushed }))
    return { ...guest, reviewed, take }
  })

const git = (cwd: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", args, { cwd, env: { PATH: process.env["PATH"], HOME: "/nonexistent" }, stdio: "ignore" })

withAgent("an export of a diff", (it) => {
  it.effect("takes exactly a diff that was reviewed with ignored files, and none that was reviewed without", () =>
    Effect.gen(function*() {
      const { host, live, reviewed, state, take } = yield* exporting("ignored")
      write(live, { "edited": "2\n", "new.o": "ignored\n" })
      const [own, all] = [yield* reviewed(false), yield* reviewed(true)]
      assert.deepStrictEqual([own.summary.files, all.summary.files], [1, 2])
      const file = path.join(state, "all.patch")
      const refused = yield* Effect.flip(take({ patch: true, output: file, expect: all.digest! }))
      assert.include(refused.message, "its digest is")
      const written = yield* take({ patch: true, output: file, expect: all.digest!, includeIgnored: true })
      assert.deepStrictEqual([written.changedFiles, written.digest], [2, all.digest])
      assert.strictEqual(fs.readFileSync(file, "utf8"), all.patch)
      yield* take({ apply: true, expect: all.digest!, includeIgnored: true })
      assert.strictEqual(fs.readFileSync(path.join(host, "new.o"), "utf8"), "ignored\n")
    }))

  it.effect("names the repositories that it leaves out, and says afterwards that all was applied", () =>
    Effect.gen(function*() {
      const { live, state, take } = yield* exporting("nested")
      write(live, { "edited": "2\n", "vendor/copy/file": "v\n" })
      git(path.join(live, "vendor/copy"), "init", "-q")
      const left = "new files of 1 repository made in the workspace are left out (vendor/copy). Name one. " +
        "Export them too: --include-ignored"
      const first = yield* take({ apply: true })
      assert.deepStrictEqual([first.files, notesOf(first)], [1, [left]])
      const again = yield* take({ apply: true })
      assert.deepStrictEqual([again.changedFiles, again.warnings], [0, []])
      assert.deepStrictEqual(notesOf(again), [
        left,
        "nothing to export: all changes of the workspace were applied already"
      ])
      const patch = yield* take({ patch: true, output: path.join(state, "empty.patch") })
      assert.deepStrictEqual([patch.changedFiles, patch.warnings, patch.notes?.length], [0, [], 2])
      const named = yield* take({ apply: true, paths: ["vendor/copy"], check: true })
      assert.deepStrictEqual([named.files, named.notes], [1, undefined])
    }))

  it.effect("warns of a patch with files that git converts, by the attributes of the baseline", () =>
    Effect.gen(function*() {
      const { host, live, push, state, take } = yield* exporting("converted")
      write(host, { ".gitattributes": "edited filter=lfs\n" })
      yield* push()
      write(live, { "edited": "2\n", "both": "2\n" })
      const written = yield* take({ patch: true, output: path.join(state, "all.patch") })
      assert.strictEqual(written.warnings.length, 1)
      assert.include(written.warnings[0]?.message, "git apply may refuse this patch, because git converts a file in it")
      assert.match(written.warnings[0]?.message ?? "", /: edited$/)
      const plain = yield* take({ patch: true, output: path.join(state, "both.patch"), paths: ["both"] })
      assert.deepStrictEqual(plain.warnings, [])
      assert.deepStrictEqual((yield* take({ apply: true })).warnings, [])
    }))

  it.effect("refuses times, which changes do not have", () =>
    Effect.gen(function*() {
      const { state, take } = yield* exporting("times")
      for (const form of ["patch", "apply"] as const) {
        const refused = yield* Effect.flip(
          take({ [form]: true, output: path.join(state, "out"), preserveTimes: true })
        )
        assert.include(refused.message, `preserve_times: does not go with a${form === "apply" ? "n" : ""} ${form}`)
      }
    }))
})
