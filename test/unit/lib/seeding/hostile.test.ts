import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, names, repository, seeded, status, userGit, write } from "./support.ts"

/** A program that would leave a mark, and where. */
const trap = (folder: string) => {
  const mark = path.join(folder, "it-ran")
  const program = path.join(folder, "trap.sh")
  fs.writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${mark}\nexit 1\n`, { mode: 0o755 })
  return { mark, program }
}

/** A repository and a trap outside of it. */
const prepared = Effect.map(temporaryDirectory, (folder) => {
  const tree = repository(folder)
  write(tree, { "file.txt": "one\n", "other.bin": "1\n", ".gitignore": "ignored\n" })
  commit(tree, "first")
  return { folder, tree, ...trap(folder) }
})

const config = (tree: string, name: string, value: string) => userGit(tree, "config", name, value)

/** Each sets a trap that springs for a user's git; `sprung` is the command that shows that it does. */
const traps: ReadonlyArray<{
  readonly name: string
  readonly set: (place: { readonly folder: string; readonly tree: string; readonly program: string }) => void
  readonly sprung?: ReadonlyArray<string>
}> = [
  {
    name: "core.fsmonitor",
    set: ({ program, tree }) => config(tree, "core.fsmonitor", program),
    sprung: ["status"]
  },
  {
    name: "hooks",
    set: ({ folder, program, tree }) => {
      const hooks = path.join(folder, "hooks")
      fs.mkdirSync(hooks)
      for (const place of [hooks, path.join(tree, ".git/hooks")]) {
        for (const hook of ["post-index-change", "post-checkout", "reference-transaction", "pre-commit"]) {
          fs.rmSync(path.join(place, hook), { force: true })
          fs.copyFileSync(program, path.join(place, hook))
        }
      }
      config(tree, "core.hooksPath", hooks)
    },
    sprung: ["update-index", "--refresh", "--force-write-index"]
  },
  {
    name: "clean and smudge filters",
    set: ({ program, tree }) => {
      write(tree, { ".gitattributes": "* filter=evil\n" })
      for (const kind of ["clean", "smudge", "process"]) config(tree, `filter.evil.${kind}`, program)
      write(tree, { "file.txt": "two\n" })
    },
    sprung: ["status"]
  },
  {
    name: "external diff and text conversion",
    set: ({ program, tree }) => {
      write(tree, { ".gitattributes": "*.txt diff=evil\n", "file.txt": "two\n" })
      config(tree, "diff.external", program)
      config(tree, "diff.evil.textconv", program)
      config(tree, "diff.evil.command", program)
    },
    sprung: ["diff"]
  },
  {
    name: "settings included from elsewhere",
    set: ({ folder, program, tree }) => {
      fs.writeFileSync(path.join(folder, "more"), `[core]\n\tfsmonitor = ${program}\n`)
      config(tree, `includeIf.gitdir:${tree}/.path`, path.join(folder, "more"))
      config(tree, "include.path", path.join(folder, "more"))
    },
    sprung: ["status"]
  },
  {
    name: "pagers, editors and aliases",
    set: ({ program, tree }) => {
      for (const name of ["core.pager", "core.editor", "pager.ls-files", "core.askPass", "credential.helper"]) {
        config(tree, name, program)
      }
      config(tree, "alias.ls-files", `!${program}`)
      config(tree, "alias.probe", `!${program}`)
    },
    sprung: ["probe"]
  },
  {
    name: "a promisor whose objects are fetched by a program",
    set: ({ program, tree }) => {
      const blob = userGit(tree, "rev-parse", "HEAD:file.txt").trim()
      config(tree, "remote.origin.url", `ext::${program}`)
      config(tree, "remote.origin.promisor", "true")
      config(tree, "protocol.ext.allow", "always")
      config(tree, "extensions.partialClone", "origin")
      config(tree, "core.repositoryformatversion", "1")
      fs.rmSync(path.join(tree, ".git/objects", blob.slice(0, 2), blob.slice(2)))
      write(tree, { "file.txt": "one" })
    },
    sprung: ["cat-file", "-p", "HEAD:file.txt"]
  },
  {
    name: "URLs of submodules",
    set: ({ program, tree }) => {
      const head = userGit(tree, "rev-parse", "HEAD").trim()
      userGit(tree, "update-index", "--add", "--cacheinfo", `160000,${head},sub`)
      write(tree, {
        ".gitmodules": `[submodule "sub"]\n\tpath = sub\n\turl = ext::${program}\n\tupdate = !${program}\n`
      })
      config(tree, "submodule.sub.url", `ext::${program}`)
      config(tree, "submodule.sub.update", `!${program}`)
      config(tree, "submodule.recurse", "true")
      config(tree, "protocol.ext.allow", "always")
      // No proof that it springs: git itself has learned to refuse this one.
    }
  },
  {
    name: "the traps of a submodule",
    set: ({ program, tree }) => {
      const inner = repository(tree, "inner")
      write(inner, { "x": "x\n" })
      commit(inner, "inner")
      userGit(tree, "add", "inner")
      userGit(inner, "config", "core.fsmonitor", program)
    },
    sprung: ["status"]
  }
]

/** The user's git, which may fail: whether it ran the trap is what matters. */
const tryGit = (tree: string, args: ReadonlyArray<string>) => {
  try {
    userGit(tree, ...args)
  } catch { /* many a trap makes git fail */ }
}

describe("a hostile repository", { concurrent: true }, () => {
  for (const { name, set, sprung } of traps) {
    for (const namespaces of [true, false]) {
      const git = namespaces ? "shallow" : "full"
      it.live(`a hostile repository runs nothing on the host: ${name} (${namespaces ? "" : "not "}locked up, ${git})`, () =>
        Effect.gen(function*() {
          const { folder, mark, program, tree } = yield* prepared
          set({ folder, program, tree })
          // The promisor's missing object makes packing fail, which is an answer too.
          yield* Effect.exit(seeded({ seedPath: tree, git, includeIgnored: ["*"] }, { namespaces }))
          assert.isFalse(fs.existsSync(mark), fs.existsSync(mark) ? fs.readFileSync(mark, "utf8") : "")
          if (sprung !== undefined) {
            tryGit(tree, sprung)
            assert.isTrue(fs.existsSync(mark), "the trap itself does not work")
          }
        }))
    }
  }

  it.live("a hostile repository's configuration reaches the guest in its harmless parts only", () =>
    Effect.gen(function*() {
      const { program, tree } = yield* prepared
      config(tree, "core.fsmonitor", program)
      config(tree, "http.extraHeader", "Authorization: Bearer s3cret")
      config(tree, "remote.origin.url", "https://me:s3cret@example.org/x.git?token=s3cret")
      config(tree, "remote.local.url", "/home/me/s3cret")
      config(tree, "remote.ssh.url", "ssh://git:s3cret@example.org/x.git")
      config(tree, "remote.ssh.pushurl", "https://me:s3cret@example.org/x.git")
      config(tree, "remote.token.url", "https://s3cret@example.org/x.git")
      config(tree, "remote.empty.url", "")
      config(tree, "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
      config(tree, "core.autocrlf", "input")
      // What git reads as one name would be several lines if it were written down as it is.
      fs.appendFileSync(path.join(tree, ".git/config"), `[remote "x\\"]#"]\n\turl = "https://s3cret\\nfsmonitor"\n`)
      const { workspace } = yield* seeded({ seedPath: tree })
      const given = fs.readFileSync(path.join(workspace, ".git/config"), "utf8")
      assert.notInclude(given, "s3cret")
      assert.notInclude(given, "fsmonitor")
      assert.notInclude(given, program)
      assert.strictEqual(userGit(workspace, "remote", "get-url", "origin").trim(), "https://example.org/x.git")
      assert.strictEqual(userGit(workspace, "remote"), "origin\nssh\ntoken\n")
      assert.strictEqual(userGit(workspace, "remote", "get-url", "ssh").trim(), "ssh://git@example.org/x.git")
      assert.strictEqual(userGit(workspace, "remote", "get-url", "token").trim(), "https://example.org/x.git")
      assert.strictEqual(userGit(workspace, "config", "core.autocrlf").trim(), "input")
      assert.deepStrictEqual(names(path.join(workspace, ".git")).filter((name) => name === "hooks"), [])
      const found = spawnSync("grep", ["-rl", "s3cret", workspace], { encoding: "utf8" })
      assert.deepStrictEqual([found.status, found.stdout], [1, ""])
    }))

  for (const kind of ["a file", "a symlink", "a common directory"] as const) {
    it.live(`a hostile repository cannot read another repository by its .git: ${kind}`, () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const secret = repository(folder, "secret")
        write(secret, { "private": "private\n" })
        commit(secret, "private")
        const tree = path.join(folder, "tree")
        write(tree, { "mine": "mine\n" })
        if (kind === "a file") fs.writeFileSync(path.join(tree, ".git"), `gitdir: ${secret}/.git\n`)
        else if (kind === "a symlink") fs.symlinkSync(`${secret}/.git`, path.join(tree, ".git"))
        else {
          repository(folder)
          fs.writeFileSync(path.join(tree, ".git/commondir"), `${secret}/.git\n`)
          fs.copyFileSync(`${secret}/.git/index`, path.join(tree, ".git/index"))
        }
        const { report, workspace } = yield* seeded({ seedPath: tree })
        assert.deepStrictEqual(names(workspace), ["mine"])
        assert.isUndefined(report.git)
        assert.deepStrictEqual(report.skipped.map((skipped) => skipped.path), [".git"])
        assert.match(report.skipped[0]!.reason, /point|leads out|another repository/)
      }))
  }

  it.live("a hostile repository cannot make another directory its work tree", () =>
    Effect.gen(function*() {
      const { folder, tree } = yield* prepared
      write(folder, { "secrets/key": "key\n" })
      config(tree, "core.worktree", path.join(folder, "secrets"))
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(names(workspace), [".git", ".gitignore", "file.txt", "other.bin"])
    }))

  it.live("a repository with alternates gets only the objects that it needs", () =>
    Effect.gen(function*() {
      const { folder, tree } = yield* prepared
      write(tree, { "secret": "secret\n" })
      commit(tree, "secret")
      userGit(tree, "rm", "-q", "secret")
      commit(tree, "clean")
      const clone = path.join(folder, "clone")
      userGit(folder, "clone", "-q", "--shared", tree, clone)
      const secret = userGit(tree, "rev-parse", "HEAD~1:secret").trim()
      const { workspace } = yield* seeded({ seedPath: clone })
      assert.strictEqual(status(workspace), status(clone))
      // The clone's remote is a directory of the host. Its branch still shows how far it is from that.
      assert.include(status(workspace), "# branch.upstream origin/")
      assert.strictEqual(userGit(workspace, "remote"), "")
      userGit(workspace, "fsck", "--strict")
      assert.throws(() => userGit(workspace, "cat-file", "-e", secret))
      assert.isFalse(fs.existsSync(path.join(workspace, ".git/objects/info/alternates")))
    }))

  it.live.each([
    { kind: "files", redirected: ["index", "refs/heads/main", "info/exclude"] },
    { kind: "directories", redirected: ["refs/heads", "info"] }
  ])(
    "a hostile repository cannot redirect its index, refs or ignore rules by links: $kind",
    ({ redirected }) =>
      Effect.gen(function*() {
        const { folder, tree } = yield* prepared
        const secret = repository(folder, "secret")
        write(secret, { "file.txt": "private\n", "private-name": "x" })
        commit(secret, "private")
        for (const name of redirected) {
          fs.rmSync(path.join(tree, ".git", name), { recursive: true })
          fs.symlinkSync(path.join(secret, ".git", name), path.join(tree, ".git", name))
        }
        const { report, workspace } = yield* seeded({ seedPath: tree })
        assert.isUndefined(report.git?.head)
        assert.notInclude(userGit(workspace, "ls-files"), "private-name")
      })
  )
})
