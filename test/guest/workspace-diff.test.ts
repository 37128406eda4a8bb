import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import { diffWorkspace } from "../../src/workspace/content/diff/diff.ts"
import { warmBaseline } from "../../src/workspace/life/guest/baseline.ts"
import { acquireWorkspace } from "../../src/workspace/life/guest/boot.ts"
import { basics, diskMib, finish, guestServices, memoryMib, script } from "../support/guest.ts"

const request = {
  paths: [],
  stat: false,
  nameOnly: false,
  includeIgnored: false,
  verified: false,
  maxBytes: 1_000_000
}

const FILES = 5_000

/** A repository with 5,000 files in 50 directories. */
const project = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-diff-"))
    for (let i = 0; i < FILES; i++) {
      const directory = path.join(folder, `d${i % 50}`)
      if (i < 50) fs.mkdirSync(directory)
      fs.writeFileSync(path.join(directory, `f${i}`), `line\n${i}\n`)
    }
    fs.writeFileSync(path.join(folder, ".gitignore"), "build/\n")
    fs.symlinkSync("d0/f0", path.join(folder, "link"))
    return folder
  }),
  (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
)

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("the diff of a real workspace", (it) => {
  it.effect("diff shows exactly the changes, and its patch makes the same files on the host", () =>
    Effect.gen(function*() {
      const { images, placeholder } = yield* basics
      const folder = yield* project
      const { image: seed } = yield* (yield* SeedImages).fromPath({ path: folder, virtualMib: diskMib })
      const workspace = yield* acquireWorkspace({
        purpose: "run",
        images,
        vcpuCount: 1,
        memoryMib,
        seed,
        placeholder,
        hostname: "test",
        dieWithParent: true
      })
      const { channel } = workspace.guest
      const shell = (text: string) =>
        Effect.scoped(Effect.flatMap(channel.spawn(script(text)), finish)).pipe(Effect.map(({ stdout }) => stdout))
      assert.strictEqual((yield* Effect.flatMap(workspace.claim(script("true")), finish)).exit.code, 0)

      yield* warmBaseline(channel)
      assert.strictEqual((yield* diffWorkspace(channel, request)).summary.files, 0)
      // Nothing of the guest's sees the baseline mounted.
      assert.notInclude(yield* shell("cat /proc/1/mountinfo /proc/mounts"), "vdc")
      // Its disk cannot be written, not even by root.
      const writing = "dd if=/dev/zero of=/dev/vdc count=1 conv=fsync 2>/dev/null && echo written || echo refused"
      assert.strictEqual(yield* shell(writing), "refused\n")

      yield* shell(`
        echo more >> d1/f1; printf 'LINE\\n2\\n' > d2/f2; touch -r d3/f3 /tmp/t; printf 'lime\\n3\\n' > d3/f3; touch -r /tmp/t d3/f3
        touch d4/f4; chmod +x d5/f5; mv d6/f6 moved; rm d7/f7; mkdir -p build new; echo x > build/o; echo y > new/file
        rm link; ln -s d8 link; ln d8/f8 hard; : > empty; mkdir mounted; mount -t tmpfs tmpfs mounted; echo z > mounted/z`)
      // A mount hides changes, of the whole workspace too.
      yield* shell(
        "mkdir /tmp/seen; cp -a d9 d10/f10 /tmp/seen; echo evil > d9/f9; mount --bind /tmp/seen/d9 d9; echo evil > d10/f10; mount --bind /tmp/seen/f10 d10/f10"
      )
      const incomplete = yield* diffWorkspace(channel, { ...request, paths: ["d9", "d10", "mounted"] })
      assert.deepStrictEqual(incomplete.files.map(({ path, status }) => `${status} ${path}`), [
        "mounted d10/f10",
        "mounted d9",
        "mounted mounted"
      ])
      assert.isUndefined(incomplete.digest)
      yield* shell(
        "umount d9 d10/f10 mounted; cp -a /tmp/seen/d9/f9 d9; cp -a /tmp/seen/f10 d10; mount --bind d9 /workspace"
      )
      assert.include((yield* Effect.flip(diffWorkspace(channel, request))).message, "EXDEV")
      yield* shell("cd /; umount /workspace; mount -t tmpfs tmpfs /workspace")
      assert.include((yield* Effect.flip(diffWorkspace(channel, request))).message, "EXDEV")
      yield* shell("cd /; umount /workspace; rmdir /workspace/mounted")

      const result = yield* diffWorkspace(channel, request)
      assert.deepStrictEqual(result.files.map(({ path, status }) => `${status} ${path}`), [
        "modified d1/f1",
        "modified d2/f2",
        "modified d3/f3",
        "modified d5/f5",
        "deleted d7/f7",
        "added empty",
        "added hard",
        "modified link",
        "renamed moved",
        "added new/file"
      ])
      assert.strictEqual(result.ignoredCount, 1)
      const verified = yield* diffWorkspace(channel, { ...request, verified: true })
      assert.deepStrictEqual(verified, { ...result, verified: true })

      const env = { PATH: process.env["PATH"], GIT_CEILING_DIRECTORIES: path.dirname(folder) }
      execFileSync("git", ["apply", "-"], { cwd: folder, env, input: result.patch ?? "" })
      assert.strictEqual(fs.readFileSync(path.join(folder, "d3/f3"), "utf8"), "lime\n3\n")
      assert.strictEqual(fs.readlinkSync(path.join(folder, "link")), "d8")
      assert.isTrue(fs.existsSync(path.join(folder, "moved")) && !fs.existsSync(path.join(folder, "d6/f6")))

      // It can be let go, and is there again when it is needed.
      yield* channel.call.baseline({ device: "" })
      assert.deepStrictEqual(yield* diffWorkspace(channel, request), result)
      const times: Array<number> = []
      for (let i = 0; i < 5; i++) {
        const started = performance.now()
        yield* diffWorkspace(channel, request)
        times.push(performance.now() - started)
      }
      assert.isBelow(Math.min(...times), 5_000, `${times}`)
    }))
})
