import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { changesOf } from "../../src/workspace/diff/changes.ts"
import { withMounts } from "./agent.ts"
import { said, workspace } from "./diff-workspace.ts"
import { collect, start } from "./run.ts"

withMounts("a diff of a workspace in which the guest has mounted something", (it) => {
  it.scoped("diff names what is mounted over, is incomplete, and has no digest", () =>
    Effect.gen(function*() {
      const { channel, diff, live, trees } = yield* workspace("mounted", (tree) => {
        for (const name of ["src/a.txt", "src/deep/b.txt", "file", "same", "other/c"]) {
          fs.mkdirSync(path.dirname(path.join(tree, name)), { recursive: true })
          fs.writeFileSync(path.join(tree, name), `${name}\n`)
        }
      })
      const shell = (script: string) =>
        Effect.gen(function*() {
          const { exit, stderr } = yield* collect(yield* start(channel, ["sh", "-ec", `cd ${live}; ${script}`]))
          assert.strictEqual(exit.code, 0, stderr)
        })
      // What is beneath is another file than before, and what is seen is the old content.
      yield* shell("cp file copy; echo evil > file; mount --bind copy file; mount --bind same same; rm copy")
      yield* shell("mkdir ../seen; cp -a src/. ../seen; echo evil > src/deep/b.txt; mount --bind ../seen src")
      yield* shell("mount -t tmpfs tmpfs other; mkdir new; mount -t tmpfs tmpfs new; echo hidden > new/x")
      for (const verified of [false, true]) {
        const found = yield* diff({ verified })
        assert.deepStrictEqual(said(found.files), [
          "mounted file",
          "mounted new",
          "mounted other",
          "mounted same",
          "mounted src"
        ])
        assert.deepStrictEqual([found.mountedCount, found.digest], [5, undefined])
        const refused = yield* Effect.flip(changesOf(channel, { trees, verified }))
        assert.include(
          refused.message,
          "the guest mounted something over it (and 4 more paths), so the diff is incomplete"
        )
      }
      const named = (...paths: ReadonlyArray<string>) => Effect.map(diff({ paths }), ({ files }) => said(files))
      assert.deepStrictEqual(yield* named("src/deep/b.txt"), ["mounted src"])
      yield* shell("umount file same src other new")
      const { digest, files, mountedCount } = yield* diff()
      assert.deepStrictEqual(said(files), ["modified file", "modified src/deep/b.txt"])
      assert.isString(digest)
      assert.isUndefined(mountedCount)
    }))
})
