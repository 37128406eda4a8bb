import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { withMounts } from "./agent.ts"
import { said, workspace } from "./diff-workspace.ts"
import { collect, start } from "./run.ts"
import { changesOf } from "./whole-changes.ts"

/** open_tree(2) and move_mount(2) on links themselves. */
const MOUNT_LINK = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
tree = libc.syscall(428, -100, sys.argv[1].encode(), 0x101)
over = os.open(sys.argv[2], os.O_PATH | os.O_NOFOLLOW)
sys.exit(0 if tree >= 0 and libc.syscall(429, tree, b"", over, b"", 0x44) == 0 else 1)`

withMounts("a diff of a workspace in which the guest has mounted something", (it) => {
  it.effect("diff names what is mounted over, is incomplete, and has no digest", () =>
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

  it.effect("a mount is named also where it shows the file or the link of the baseline", () =>
    Effect.gen(function*() {
      const { baseline, channel, diff, live } = yield* workspace("mounted-unchanged", (tree) => {
        fs.mkdirSync(path.join(tree, "src"))
        for (const name of ["src/a", "src/b"]) fs.writeFileSync(path.join(tree, name), `${name}\n`)
        fs.symlinkSync("good", path.join(tree, "link"))
      })
      const shell = (script: string) =>
        Effect.gen(function*() {
          const { exit, stderr } = yield* collect(yield* start(channel, ["sh", "-ec", `cd ${live}; ${script}`]))
          assert.strictEqual(exit.code, 0, stderr)
        })
      // In a microVM, both trees have the same inodes.
      yield* shell(`rm -r src; cp -al ${baseline}/src src`)
      // They are untouched: only the directory above them has another name, in what no diff shows.
      yield* shell(
        "mkdir .git; mv src .git/src; mkdir src; cp .git/src/b src/b; echo evil > src/a; mount --bind .git/src/a src/a"
      )
      // mount(8) follows links: a program mounts one over the other.
      yield* shell(
        `ln -sfn evil link; ln -s good .git/link; python3 -c '${MOUNT_LINK}' .git/link link; readlink link | grep good`
      )
      for (const verified of [false, true]) {
        assert.deepStrictEqual(said((yield* diff({ verified })).files), ["mounted link", "mounted src/a"])
      }
      yield* shell(`umount src/a; python3 -c 'import ctypes; ctypes.CDLL(None).umount2(b"link", 8)'`)
      assert.deepStrictEqual(said((yield* diff()).files), ["modified link", "modified src/a"])
    }))
})
