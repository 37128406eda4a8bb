import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { applyPatchIn } from "../../src/workspace/content/patch/apply.ts"
import { wholePatch } from "../support/workspace/whole-patch.ts"
import { makeCase, Random } from "../unit/lib/patch/cases.ts"
import { changed, described, readTree, writeTree } from "../unit/lib/patch/trees.ts"
import { Agent, withAgent } from "./agent.ts"

const seed = Number(process.env["PYRO_TEST_SEED"] ?? 7)

withAgent("a patch", (it) => {
  it.effect(`patch apply turns a tree into the edited one and leaves no other file (PYRO_TEST_SEED=${seed})`, () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      for (let index = 0; index < 40; index++) {
        const { before, changes } = makeCase(new Random(seed + index))
        const root = `${folder}/case${index}`
        fs.mkdirSync(root)
        writeTree(root, before)
        const patchBytes = yield* wholePatch(changes)
        const checked = yield* applyPatchIn(channel, { patchBytes, check: true }, { root })
        assert.deepStrictEqual(described(readTree(root)), described(before))
        const applied = yield* applyPatchIn(channel, { patchBytes, check: false }, { root })
        assert.deepStrictEqual(described(readTree(root)), described(changed(before, changes)), `case ${index}`)
        assert.deepStrictEqual(applied, { ...checked, applied: true })
      }
    }))

  it.effect("patch apply keeps modes that git does not know, and reports its changes", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/modes`
      fs.mkdirSync(root)
      fs.writeFileSync(`${root}/secret`, "a\nb\n", { mode: 0o600 })
      const patch =
        "--- a/secret\n+++ b/secret\n@@ -5,1 +5,1 @@\n-b\n+c\n--- /dev/null\n+++ b/d/new\n@@ -0,0 +1 @@\n+n\n"
      const applied = yield* applyPatchIn(channel, { patch, check: false }, { root })
      assert.deepStrictEqual(applied, {
        applied: true,
        filesChanged: 2,
        files: [{ path: "secret", change: "modified" }, { path: "d/new", change: "added" }],
        notes: [{ path: "secret", hunk: 1, offsetLines: -3, loose: false }]
      })
      assert.strictEqual(fs.statSync(`${root}/secret`).mode & 0o7777, 0o600)
      assert.strictEqual(fs.statSync(`${root}/d/new`).mode & 0o7777, 0o644)
    }))

  it.effect("patch apply refuses a patch that changes nothing, for every reason", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/nothing`
      fs.mkdirSync(root)
      fs.writeFileSync(`${root}/f`, "a\nb\n")
      const context = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n b\n"
      const same = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+b\n"
      const mode = "diff --git a/f b/f\nold mode 100755\nnew mode 100644\n"
      for (const patch of [context, same, mode]) {
        for (const check of [true, false]) {
          const error = yield* Effect.flip(applyPatchIn(channel, { patch, check }, { root }))
          assert.include(error.message, "it changes nothing", patch)
        }
      }
      for (
        const patch of [
          "",
          "\n",
          "diff --git a/f b/f\nindex 1234567..89abcde 100644\n",
          "*** Begin Patch\n*** End Patch\n"
        ]
      ) {
        const error = yield* Effect.flip(applyPatchIn(channel, { patch, check: false }, { root }))
        assert.strictEqual(error._tag, "PatchRejected", patch)
      }
      assert.strictEqual(fs.readFileSync(`${root}/f`, "utf8"), "a\nb\n")
    }))

  it.effect("patch apply follows no link out of the tree, and refuses a missing patch", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/links`
      fs.mkdirSync(`${root}/inside`, { recursive: true })
      fs.writeFileSync(`${folder}/outside`, "a\n")
      fs.symlinkSync("..", `${root}/up`)
      fs.symlinkSync("../outside", `${root}/out`)
      for (const path of ["up/outside", "out", "./up/outside", "/workspace/out"]) {
        const patch = `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-a\n+b\n`
        const failure = yield* Effect.flip(applyPatchIn(channel, { patch, check: false }, { root }))
        assert.strictEqual(failure._tag, "PatchRejected")
      }
      assert.strictEqual(fs.readFileSync(`${folder}/outside`, "utf8"), "a\n")
      const none = yield* Effect.flip(applyPatchIn(channel, { check: false }, { root }))
      assert.strictEqual(none._tag, "InvalidRequest")
    }))
})
