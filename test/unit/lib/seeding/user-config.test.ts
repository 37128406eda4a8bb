import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { listHost } from "../../../../src/lib/seeding/sync/host-tree.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import {
  commit,
  globally,
  hostServices,
  names,
  repository,
  seeded,
  status,
  userGit,
  withVariables,
  write
} from "./support.ts"

/** A repository with files that only the user's own rules name. */
const treeIn = (folder: string) => {
  const tree = repository(folder)
  write(tree, { "file.txt": "one\n" })
  commit(tree, "first")
  write(tree, { ".env": "TOKEN=secret\n", "a.swp": "y\n", ".idea/ws.xml": "x\n", "keep.swp": "k\n", "new": "n\n" })
  return tree
}

const rules = "# private comment\n\n.env\n.idea/\n*.swp\n"
const own = [".git", "file.txt", "keep.swp", "new"]

/** Each makes the rules those of the user. */
const places = [
  {
    place: "core.excludesFile",
    set: (folder: string) => {
      write(folder, { "my ignore": rules })
      return globally(folder, `[core]\n\texcludesFile = "${folder}/my ignore"\n`)
    }
  },
  {
    place: "core.excludesFile beneath ~",
    set: (folder: string) => {
      write(folder, { "home/.ignore": rules, "home/.gitconfig": "[core]\n\texcludesFile = ~/.ignore\n" })
      return withVariables({ HOME: path.join(folder, "home") })
    }
  },
  {
    place: "core.excludesFile behind a link",
    set: (folder: string) => {
      write(folder, { "dotfiles/ignore": rules })
      fs.symlinkSync("dotfiles/ignore", path.join(folder, "linked"))
      return globally(folder, `[core]\n\texcludesFile = ${folder}/linked\n`)
    }
  },
  {
    place: "$XDG_CONFIG_HOME/git/ignore",
    set: (folder: string) => {
      write(folder, { "xdg/git/ignore": rules })
      return withVariables({ XDG_CONFIG_HOME: path.join(folder, "xdg") })
    }
  },
  {
    place: "~/.config/git/ignore",
    set: (folder: string) => {
      write(folder, { "home/.config/git/ignore": rules })
      return withVariables({ HOME: path.join(folder, "home"), XDG_CONFIG_HOME: "" })
    }
  },
  {
    place: "the system's configuration",
    set: (folder: string) => {
      write(folder, { "ignore": rules, "system": `[core]\n\texcludesFile = ${folder}/ignore\n` })
      return withVariables({ GIT_CONFIG_SYSTEM: path.join(folder, "system"), GIT_CONFIG_NOSYSTEM: "" })
    }
  },
  {
    place: "GIT_CONFIG_COUNT of the shell",
    set: (folder: string) => {
      write(folder, { "ignore": rules })
      return withVariables({
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "core.excludesFile",
        GIT_CONFIG_VALUE_0: `${folder}/ignore`
      })
    }
  },
  {
    place: "an included file of a condition",
    set: (folder: string) => {
      write(folder, { "ignore": rules, "work": `[core]\n\texcludesFile = ${folder}/ignore\n` })
      return globally(folder, `[includeIf "gitdir:${folder}/tree/"]\n\tpath = ${folder}/work\n`)
    }
  }
]

describe("the git configuration of the host's user", () => {
  it.live.each(places)(
    "a seed and a push leave out files that the user's ignore rules name: $place",
    ({ set }) =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const tree = treeIn(folder)
        write(tree, { ".gitignore": "!keep.swp\n" })
        yield* set(folder)
        const { report, workspace } = yield* seeded({ seedPath: tree })
        assert.deepStrictEqual(names(workspace), [".git", ".gitignore", ...own.slice(1)])
        assert.deepStrictEqual([...report.left ?? []].sort(), [".env", ".idea/", "a.swp"])
        // The guest's git has the same rules, without the comments of the user.
        write(workspace, { "b.swp": "b" })
        assert.notInclude(status(workspace), "b.swp")
        assert.notInclude(fs.readFileSync(path.join(workspace, ".git/info/exclude"), "utf8"), "private")
        const listed = yield* Effect.provide(listHost(tree, [], ""), hostServices)
        assert.deepStrictEqual([...listed.files.keys()].sort(), [".gitignore", "file.txt", "keep.swp", "new"])
        assert.deepStrictEqual([...listed.left].sort(), [".env", ".idea/", "a.swp"])
        const named = yield* seeded({ seedPath: tree, includeIgnored: [".env"] })
        assert.include(names(named.workspace), ".env")
      })
  )

  it.live("the guest's git ignores pnpm's store at the top, unless the rules of the host include it", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      const { workspace } = yield* seeded({ seedPath: tree })
      write(workspace, { ".pnpm-store/v10/x": "x", "deep/.pnpm-store/x": "x" })
      assert.deepStrictEqual(status(workspace).split("\n").filter((line) => line.includes("pnpm")), [
        "? deep/.pnpm-store/x"
      ])
      fs.writeFileSync(path.join(tree, ".git/info/exclude"), "!.pnpm-store/\n")
      const { workspace: including } = yield* seeded({ seedPath: tree })
      write(including, { ".pnpm-store/v10/x": "x" })
      assert.include(status(including), ".pnpm-store/v10/x")
    }))

  it.live("rules of the repository precede those of the user, also in the guest", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      fs.writeFileSync(path.join(tree, ".git/info/exclude"), "\xef\xbb\xbf!keep.swp\n", "latin1")
      write(folder, { "ignore": rules.trimEnd() })
      yield* globally(folder, `[core]\n\texcludesFile = ${folder}/ignore\n`)
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(names(workspace), own)
      assert.include(status(workspace), "? keep.swp")
    }))

  it.live("a directory in a repository, a nested repository and a submodule keep the user's rules", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      write(tree, { "inner/.env": "s", "inner/x": "x" })
      userGit(path.join(tree, "inner"), "init", "-q")
      write(tree, { "package/.env": "s", "package/y": "y" })
      write(folder, { "ignore": rules })
      yield* globally(folder, `[core]\n\texcludesFile = ${folder}/ignore\n`)
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(names(path.join(workspace, "inner")), [".git", "x"])
      assert.deepStrictEqual(names(path.join(workspace, "package")), ["y"])
      const part = yield* seeded({ seedPath: path.join(tree, "package") })
      assert.deepStrictEqual(names(part.workspace), ["y"])
    }))

  it.live("settings of the user for the comparison of files count, and the repository's own replace them", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      yield* globally(folder, "[core]\n\tautocrlf = input\n\teol = crlf\n\tfsmonitor = /bin/false\n")
      userGit(tree, "config", "core.eol", "lf")
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.strictEqual(userGit(workspace, "config", "core.autocrlf"), "input\n")
      assert.strictEqual(userGit(workspace, "config", "core.eol"), "lf\n")
      assert.notInclude(fs.readFileSync(path.join(workspace, ".git/config"), "utf8"), "fsmonitor")
    }))

  it.live("the last of several values of a repository's setting counts, as in git", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      for (const value of ["true", "input"]) userGit(tree, "config", "--add", "core.autocrlf", value)
      for (const value of ["https://one.example/x", "https://two.example/x"]) {
        userGit(tree, "config", "--add", "remote.origin.url", value)
      }
      assert.strictEqual(userGit(tree, "config", "core.autocrlf"), "input\n")
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.strictEqual(userGit(workspace, "config", "core.autocrlf"), "input\n")
      assert.strictEqual(userGit(workspace, "remote", "get-url", "origin"), "https://one.example/x\n")
    }))

  it.live("settings of the shell replace those of the user and of the repository", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      userGit(tree, "config", "core.autocrlf", "true")
      userGit(tree, "config", "user.name", "Repository")
      yield* globally(folder, "[core]\n\teol = lf\n[user]\n\temail = own@example.org\n")
      const values = ["core.autocrlf=input", "core.eol=native", "user.name=Shell", "core.fsmonitor=/bin/false"]
      yield* withVariables({
        GIT_CONFIG_COUNT: `${values.length}`,
        ...Object.fromEntries(values.flatMap((one, at) => {
          const [name = "", value = ""] = one.split("=")
          return [[`GIT_CONFIG_KEY_${at}`, name], [`GIT_CONFIG_VALUE_${at}`, value]]
        }))
      })
      const { workspace } = yield* seeded({ seedPath: tree })
      const own = execFileSync("git", ["config", "--local", "--list"], { cwd: workspace, encoding: "utf8" }).split("\n")
      for (const line of ["core.autocrlf=input", "core.eol=native", "user.name=Shell", "user.email=own@example.org"]) {
        assert.include(own, line)
      }
      assert.notInclude(own.join(), "fsmonitor")
    }))

  it.live("a seed of a URL or of a path has the user's rules in the guest", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      write(folder, { "ignore": rules })
      yield* globally(folder, `[core]\n\texcludesFile = ${folder}/ignore\n`)
      const { workspace } = yield* seeded({ repoUrl: tree })
      write(workspace, { "b.swp": "b" })
      assert.notInclude(status(workspace), "b.swp")
    }))

  it.live.each([
    { kind: "a large file", make: (file: string) => fs.writeFileSync(file, "x\n".repeat(200_000)), says: /256 KiB/ },
    { kind: "a directory", make: (file: string) => fs.mkdirSync(file), says: /no regular file/ }
  ])(
    "a warning names an ignore file of the user that does not count: $kind",
    ({ make, says }) =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const tree = treeIn(folder)
        make(path.join(folder, "ignore"))
        yield* globally(folder, `[core]\n\texcludesFile = ${folder}/ignore\n`)
        const { report } = yield* seeded({ seedPath: tree })
        assert.match(report.notes?.join() ?? "", says)
      })
  )

  it.live("a seed is refused if the user's configuration cannot be read, because the rules in it would not count", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      yield* globally(folder, "[core\n")
      const refused = yield* Effect.flip(seeded({ seedPath: tree }))
      assert.include(refused.message, "bad config line 1")
    }))

  it.live("filters of .git/info/attributes and of the user's attribute file count as those of the tree", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = repository(folder)
      write(tree, {
        "big.bin": "b\n",
        "key.secret": "k\n",
        "plain.bin": "p\n",
        ".gitattributes": "plain.bin -filter\n"
      })
      commit(tree, "first")
      fs.mkdirSync(path.join(tree, ".git/info"), { recursive: true })
      write(tree, { ".git/info/attributes": "*.secret filter=git-crypt\n" })
      write(folder, { "xdg/git/attributes": "# mine\n*.bin filter=lfs\n" })
      yield* withVariables({ XDG_CONFIG_HOME: path.join(folder, "xdg") })
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(report.filtered, [
        { filter: "lfs", paths: ["big.bin"] },
        { filter: "git-crypt", paths: ["key.secret"] }
      ])
      assert.strictEqual(userGit(workspace, "status", "--porcelain"), "")
      assert.include(userGit(workspace, "check-attr", "filter", "key.secret"), "git-crypt")
      assert.strictEqual(
        userGit(workspace, "config", "core.attributesFile").trim(),
        "/workspace/.git/info/user-attributes"
      )
      assert.strictEqual(
        fs.readFileSync(path.join(workspace, ".git/info/user-attributes"), "utf8"),
        "*.bin filter=lfs\n"
      )
    }))

  it.live.each([
    { kind: "core.excludesFile", set: (folder: string) => ["core.excludesFile", path.join(folder, "secret")] },
    { kind: "core.attributesFile", set: (folder: string) => ["core.attributesFile", path.join(folder, "secret")] },
    { kind: "include.path", set: (folder: string) => ["include.path", path.join(folder, "more")] },
    { kind: "include.path of a broken file", set: (folder: string) => ["include.path", path.join(folder, "secret")] },
    { kind: "include.path of a FIFO", set: (folder: string) => ["include.path", path.join(folder, "pipe")] },
    { kind: "includeIf", set: (folder: string) => [`includeIf.gitdir:${folder}/.path`, path.join(folder, "more")] },
    { kind: "an alias", set: (folder: string) => ["alias.config", `!touch ${folder}/ran`] },
    { kind: "core.worktree", set: (folder: string) => ["core.worktree", folder] }
  ])("a hostile repository cannot change which rules of the user count: $kind", ({ set }) =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      write(folder, {
        "ignore": rules,
        "secret": "file.txt\nnew\n",
        "more":
          `[core]\n\texcludesFile = ${folder}/secret\n\tfsmonitor = touch ${folder}/ran\n[user]\n\temail = included\n`
      })
      execFileSync("mkfifo", [path.join(folder, "pipe")])
      userGit(tree, "config", "core.hooksPath", folder)
      userGit(tree, "config", ...set(folder))
      yield* globally(folder, `[user]\n\temail = ada@example.org\n[core]\n\texcludesFile = ${folder}/ignore\n`)
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(names(workspace), [".git", "file.txt", "new"])
      assert.deepStrictEqual([...report.left ?? []].sort(), [".env", ".idea/", "a.swp", "keep.swp"])
      assert.include(fs.readFileSync(path.join(workspace, ".git/config"), "utf8"), "ada@example.org")
      assert.isFalse(fs.existsSync(path.join(folder, "ran")))
    }))

  it.live("a relative path in the user's configuration leads through no link of a hostile repository", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = treeIn(folder)
      write(folder, { "secret": "new\n" })
      yield* globally(folder, "[core]\n\texcludesFile = .ignore-mine\n")
      fs.symlinkSync(path.join(folder, "secret"), path.join(tree, ".ignore-mine"))
      assert.include(names((yield* seeded({ seedPath: tree })).workspace), "new")
      fs.rmSync(path.join(tree, ".ignore-mine"))
      write(tree, { ".ignore-mine": "new\n" })
      assert.notInclude(names((yield* seeded({ seedPath: tree })).workspace), "new")
    }))
})
