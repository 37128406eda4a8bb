import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { prepareSeed } from "../../src/lib/seeding/prepare.ts"
import { acquireWorkspace } from "../../src/workspace/life/guest/boot.ts"
import { basics, diskMib, finish, guestServices, memoryMib, script } from "../support/guest.ts"

const env = {
  ...process.env,
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@x",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@x"
}
const hostGit = (cwd: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", args, { cwd, env, encoding: "utf8" })

const question = `
  git status --porcelain=v2 --branch --untracked-files=all
  git --no-pager diff
  git --no-pager diff --cached
  git --no-pager log --format='%H %s'
  git ls-files --stage`

/** A repository with one commit and every kind of change to it. */
const tree = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-seed-git-"))
    const write = (name: string, content: string) => fs.writeFileSync(path.join(folder, name), content)
    hostGit(folder, "init", "-q", "-b", "work")
    for (const name of ["same", "edited", "staged", "both", "deleted", "mode"]) write(name, `${name}\n`)
    write(".gitignore", "*.o\n")
    hostGit(folder, "add", "-A")
    hostGit(folder, "commit", "-q", "-m", "first")
    for (const name of ["edited", "staged", "both"]) write(name, `${name} again\n`)
    hostGit(folder, "add", "staged", "both")
    write("both", "and again\n")
    write("untracked", "u\n")
    write("x.o", "o\n")
    fs.rmSync(path.join(folder, "deleted"))
    fs.chmodSync(path.join(folder, "mode"), 0o755)
    return folder
  }),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

layer(guestServices, { excludeTestServices: true })("a workspace seeded from a git work tree", (it) => {
  it.effect("git in the guest shows the same state as on the host and takes a commit", () =>
    Effect.gen(function*() {
      const folder = yield* tree
      const { images, placeholder } = yield* basics
      const { image, report } = yield* prepareSeed({
        seedPath: folder,
        git: "shallow",
        includeIgnored: [],
        virtualMib: diskMib
      })
      assert.deepStrictEqual(report.skipped, [])
      const workspace = yield* acquireWorkspace({
        purpose: "run",
        images,
        vcpuCount: 1,
        memoryMib,
        seed: image,
        placeholder,
        hostname: "test",
        dieWithParent: true
      })
      const shown = yield* finish(yield* workspace.claim(script(question)))
      const expected = execFileSync("sh", ["-c", question], { cwd: folder, env, encoding: "utf8" })
      assert.strictEqual(shown.stdout, expected, shown.stderr)
      assert.strictEqual(shown.stderr, "")
      const committed = yield* finish(
        yield* workspace.guest.channel.spawn(script(`
          git -c user.name=B -c user.email=b@x commit -q -a -m second && git log --format=%s && git fsck --strict --no-dangling
          git status --porcelain; ls`))
      )
      assert.strictEqual(
        committed.stdout,
        "second\nfirst\n?? untracked\nboth\nedited\nmode\nsame\nstaged\nuntracked\n",
        committed.stderr
      )
    }))
})
