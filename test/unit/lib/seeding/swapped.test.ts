import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { callerProject } from "../../../../src/contract/wire/caller-project.ts"
import { listHost } from "../../../../src/lib/seeding/sync/host-tree.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, hostServices, names, repository, seeded, userGit, write } from "./support.ts"

/** A project with a repository `sub`, and a private repository beside the project. Files and ignored files differ by content and name. */
const prepared = Effect.map(temporaryDirectory, (folder) => {
  const made = (name: string, mark: string) => {
    const tree = repository(folder, name)
    write(tree, { "file": `${mark}\n`, ".gitignore": "*.log\n", [`${mark}.log`]: "" })
    return { tree, head: commit(tree, mark) }
  }
  return { folder, sub: made("project/sub", "mine").tree, secret: made("secret", "private") }
})

/**
 * Has pyro find a bwrap that runs `script` for each program that pyro confines, one at a time: `real "$@"` runs it, `away` puts a link in the
 * place of `victim`, and `back` undoes that. The script runs when git is about to open its directories.
 */
const meanwhile = (folder: string, victim: string, target: string, script: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env["PATH"]!
      const bwrap = execFileSync("sh", ["-c", "command -v bwrap"], { encoding: "utf8" }).trim()
      write(folder, {
        "bin/bwrap": `#!/bin/sh\nexec flock --close ${folder}/bin/swap ${folder}/bin/swap "$@"\n`,
        "bin/swap": `#!/bin/sh
real() { ${bwrap} "$@"; }
away() { mv ${victim} ${folder}/was && ln -s ${target} ${victim}; }
back() { rm ${victim} && mv ${folder}/was ${victim}; }
${script}
`
      })
      for (const name of ["bwrap", "swap"]) fs.chmodSync(path.join(folder, "bin", name), 0o755)
      process.env["PATH"] = `${folder}/bin:${before}`
      return before
    }),
    (before) => Effect.sync(() => void (process.env["PATH"] = before))
  )

const messageOf = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message)

describe("a seed while another process swaps a directory for a link", () => {
  it.live("gives no guest the history of another repository", () =>
    Effect.gen(function*() {
      const { folder, secret, sub } = yield* prepared
      // Away while git and pyro read what is to be copied, back while pyro copies the files, and away for the packing of objects.
      yield* meanwhile(
        folder,
        sub,
        secret.tree,
        `case "$*" in
*" config --file "*) away; real "$@" ;;
*" ls-files "*) real "$@"; status=$?; mkdir ${folder}/first 2>${folder}/second || back; exit $status ;;
*"-objects "* | *" rev-list "*) away; real "$@"; status=$?; back; exit $status ;;
*) real "$@" ;;
esac`
      )
      assert.include(
        yield* messageOf(seeded({ seedPath: sub })),
        `${sub}/.git/objects was replaced while pyro read it`
      )
    }))

  it.live("gives no guest objects that a link in the repository leads to", () =>
    Effect.gen(function*() {
      const { folder, secret, sub } = yield* prepared
      fs.writeFileSync(path.join(sub, ".git/refs/heads/main"), `${secret.head}\n`)
      yield* meanwhile(
        folder,
        `${sub}/.git/objects`,
        `${secret.tree}/.git/objects`,
        `case "$*" in
*"-objects "* | *" rev-list "*) away; real "$@"; status=$?; back; exit $status ;;
*) real "$@" ;;
esac`
      )
      assert.include(
        yield* messageOf(seeded({ seedPath: sub })),
        `${sub}/.git/objects was replaced while pyro read it`
      )
    }))

  it.live("is refused without namespaces too, once the link is there", () =>
    Effect.gen(function*() {
      const { folder, secret, sub } = yield* prepared
      const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim()
      yield* meanwhile(folder, sub, secret.tree, "")
      const wrapper = path.join(folder, "bin/git")
      fs.writeFileSync(
        wrapper,
        `#!/bin/sh
case "$*" in *" config --file "*) mv ${sub} ${folder}/was && ln -s ${secret.tree} ${sub} ;; esac
exec ${git} "$@"
`
      )
      fs.chmodSync(wrapper, 0o755)
      assert.include(
        yield* messageOf(seeded({ seedPath: sub }, { namespaces: false })),
        `${sub} was replaced while pyro read it`
      )
    }))

  it.live("takes no bare repository outside of the caller's directories", () =>
    Effect.gen(function*() {
      const { folder, secret, sub } = yield* prepared
      const [bare, other] = [path.join(sub, "bare.git"), path.join(folder, "other.git")]
      userGit(folder, "clone", "-q", "--bare", sub, bare)
      userGit(folder, "clone", "-q", "--bare", secret.tree, other)
      yield* meanwhile(folder, bare, other, `[ -e ${folder}/was ] || away; real "$@"`)
      const places = { reading: [sub], writing: [sub] }
      assert.include(
        yield* messageOf(
          seeded({ seedPath: bare }).pipe(Effect.provideService(callerProject, { project: sub, all: false, places }))
        ),
        `${other} leads out of the directories that this server may use`
      )
    }))

  it.live("lists no names of another repository for a push", () =>
    Effect.gen(function*() {
      const { folder, secret, sub } = yield* prepared
      const listed = Effect.provide(listHost(sub, [], ""), hostServices)
      assert.deepStrictEqual((yield* listed).left, ["mine.log"])
      yield* meanwhile(
        folder,
        sub,
        secret.tree,
        `case "$*" in
*" --directory"*) away; real "$@"; status=$?; back; exit $status ;;
*) real "$@" ;;
esac`
      )
      assert.include(yield* messageOf(listed), `${sub} was replaced while pyro read it`)
    }))
})

it.live("a repository behind a symlink in the place of a submodule stays on the host", () =>
  Effect.gen(function*() {
    const { secret, sub } = yield* prepared
    userGit(sub, "update-index", "--add", "--cacheinfo", `160000,${secret.head},module`)
    fs.symlinkSync(secret.tree, path.join(sub, "module"))
    const { report, workspace } = yield* seeded({ seedPath: sub })
    assert.deepStrictEqual(names(workspace), [".git", ".gitignore", "file", "module"])
    assert.strictEqual(fs.readlinkSync(path.join(workspace, "module")), secret.tree)
    assert.deepStrictEqual(report.skipped, [])
    assert.throws(() => userGit(workspace, "cat-file", "-e", secret.head))
  }))
