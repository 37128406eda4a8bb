import { assert } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import { baselineRoot } from "../../src/lib/guest-channel/model/calls.ts"
import { copyPushed, readPushed, writePushed } from "../../src/lib/seeding/model/pushed.ts"
import { syncPush } from "../../src/lib/seeding/push.ts"
import { HostFacts } from "../../src/lib/vm/model/HostFacts.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { diffWorkspace } from "../../src/workspace/content/diff/diff.ts"
import { seedWith, withVariables } from "../unit/lib/seeding/support.ts"
import { Agent, withAgent } from "./agent.ts"
import { said } from "./diff-workspace.ts"
import { write } from "./pushed.ts"

const userGit = (cwd: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", args, {
    cwd,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" },
    stdio: ["ignore", "pipe", "ignore"]
  })

/** A repository of the host, and a guest with the files of a directory of it, seeded without git. */
const part = (name: string, directory: string, files: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect()
    const folder = path.join((yield* Agent).folder, name)
    const at = (part: string) => path.join(folder, part)
    const [repository, live, disk, state] = ["repository", "live", "disk", "state"].map(at) as [
      string,
      string,
      string,
      string
    ]
    write(repository, { "README": "r\n", ...files })
    userGit(repository, "init", "-q")
    userGit(repository, "add", "-A")
    const host = path.join(repository, directory)
    for (const made of [state, disk]) fs.mkdirSync(made)
    const { report } = yield* seedWith(state, { seedPath: host, git: "none" })
    if (report.rules !== undefined) yield* writePushed(state, { entries: new Map(), rules: report.rules })
    for (const copy of [live, path.join(disk, "workspace")]) {
      execFileSync("cp", ["-a", host, copy])
      fs.rmSync(path.join(copy, ".git"), { recursive: true, force: true })
    }
    yield* channel.call.baseline({ device: disk })
    const trees = {
      device: disk,
      baseline: { root: baselineRoot, path: "workspace" },
      live: { root: live, path: "" }
    }
    const services = Layer.merge(SeedImages.layer, HostFacts.layer).pipe(
      Layer.provideMerge(Layer.succeed(Paths, { cacheDir: state, stateDir: state, memoryDir: state }))
    )
    const push = syncPush(
      channel,
      { sourcePath: host, dest: "", includeIgnored: [], allowHome: false, force: false, delete: false },
      { folder: state, seedPath: host, live: { root: live, path: "." }, baseline: trees.baseline }
    ).pipe(Effect.provide(services))
    const diff = (from = state, nameOnly = true) =>
      Effect.flatMap(readPushed(from), (pushed) =>
        diffWorkspace(channel, {
          paths: [],
          stat: false,
          nameOnly,
          includeIgnored: false,
          verified: false,
          maxBytes: 100_000
        }, { trees, pushed }))
    /** New files, as git shows them on the host if they are there. */
    const asGit = (made: Readonly<Record<string, string>>) => {
      write(host, made)
      const shown = userGit(host, "status", "--porcelain", "-z", "-uall", "--no-renames", ".")
      for (const file of Object.keys(made)) fs.rmSync(path.join(host, file))
      const prefix = directory === "." ? "" : `${directory}/`
      return shown.split("\0").filter((line) => line.startsWith("?? ")).map((line) =>
        `added ${line.slice(3 + prefix.length)}`
      )
    }
    return { asGit, diff, folder, host, live, push, repository, state }
  })

const made = {
  "a.log": "1\n",
  "keep.log": "1\n",
  "b.tmp": "1\n",
  "c.o": "1\n",
  "out/x": "1\n",
  "deep/out/x": "1\n",
  "deep/again.log": "1\n",
  "deep/new": "1\n",
  "new": "1\n"
}

const files = {
  ".gitignore": "*.log\n!keep.log\n/packages/a/out/\n",
  "packages/.gitignore": "*.o\n",
  "packages/a/file": "f\n",
  "packages/a/deep/.gitignore": "!again.log\n",
  "packages/a/deep/file": "f\n"
}

withAgent("the diff of a workspace without its repository", (it) => {
  it.effect("the ignore rules above a seeded package count as git counts them, and those of .git/info/exclude", () =>
    Effect.gen(function*() {
      const { asGit, diff, folder, live, push, repository, state } = yield* part("package", "packages/a", files)
      write(live, made)
      assert.deepStrictEqual(said((yield* diff()).files), asGit(made))
      // Rules that changed on the host count from the next push on, also where it has no file to bring.
      write(repository, { ".git/info/exclude": "*.tmp\n", ".gitignore": "*.log\n!keep.log\n" })
      const { filesPushed } = yield* push
      const later = yield* diff()
      assert.deepStrictEqual([filesPushed, said(later.files)], [0, asGit(made)])
      assert.deepStrictEqual([said(later.files).includes("added out/x"), later.ignoredCount], [true, 3])
      // A fork and a snapshot have the rules, too.
      const copy = path.join(folder, "copy")
      fs.mkdirSync(copy)
      yield* copyPushed(state, copy)
      assert.deepStrictEqual((yield* diff(copy)).files, later.files)
    }))

  it.effect("a top seeded with --git none keeps the rules of .git/info/exclude", () =>
    Effect.gen(function*() {
      const { asGit, diff, live, push, repository } = yield* part("top", ".", { "file": "f\n" })
      write(repository, { ".git/info/exclude": "*.tmp\nout/\n" })
      yield* push
      write(live, made)
      assert.deepStrictEqual(said((yield* diff()).files), asGit(made))
    }))

  it.effect("a repository whose ignore files have comments alone leaves the default list in force", () =>
    Effect.gen(function*() {
      const { diff, live, repository } = yield* part("comments", ".", { "file": "f\n" })
      // git init makes a file of comments.
      assert.match(fs.readFileSync(path.join(repository, ".git/info/exclude"), "utf8"), /^#/)
      write(live, { "new": "n\n", "node_modules/x": "x\n" })
      const { defaultRules, files } = yield* diff()
      assert.deepStrictEqual([said(files), defaultRules], [["added new"], ["node_modules/"]])
    }))

  it.effect("rules that ignore the seeded directory itself hide nothing", () =>
    Effect.gen(function*() {
      const { diff, host, live, push, repository } = yield* part("ignored", "build", {
        "build/file": "f\n",
        ".gitignore": "*.log\n"
      })
      write(repository, { ".gitignore": "/build\n*.log\n" })
      userGit(repository, "rm", "-r", "-q", "--cached", "build")
      write(host, { "other": "o\n" })
      yield* push
      write(live, { "new": "n\n", "a.log": "n\n" })
      assert.deepStrictEqual(said((yield* diff()).files), ["added a.log", "added new"])
    }))

  it.effect("rules above a seed that take too long refuse the diff, and one that is too large is named", () =>
    Effect.gen(function*() {
      const { diff, live, push, repository } = yield* part("endless", "pkg", { "pkg/file": "f\n" })
      write(repository, { ".gitignore": "a\n".repeat(500_000) })
      yield* push
      write(live, Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`new${at}`, "n\n"])))
      const refused = yield* Effect.flip(diff())
      assert.include(refused.message, "the ignore rules of the baseline are too many")
      write(repository, { ".gitignore": "a\n".repeat(600_000) })
      const { warnings } = yield* push
      assert.match(
        warnings.map(({ message }) => message).join("\n"),
        /the ignore rules of .*\/\.gitignore do not count for diffs: the file is too large/
      )
      assert.strictEqual((yield* diff()).files.length, 50)
    }))

  it.effect("the attributes around a seeded package name the files whose patch git apply refuses", () =>
    Effect.gen(function*() {
      const home = path.join((yield* Agent).folder, "home-of-attributes")
      write(home, { "git/attributes": "*.user ident\n" })
      yield* withVariables({ XDG_CONFIG_HOME: home })
      const expanded = `$Id: ${"a".repeat(40)} $\none\n`
      const { diff, folder, host, live, push, repository, state } = yield* part("attributes", "packages/a", {
        ".gitattributes":
          "# of the repository\n*.id ident\n/packages/a/anchored ident\n*.crlf text eol=crlf\n*.plain ident\n",
        "packages/a/.gitattributes": "*.plain -ident\n",
        "packages/a/a.id": expanded,
        "packages/a/deep/a.id": expanded,
        "packages/a/anchored": expanded,
        "packages/a/deep/anchored": expanded,
        "packages/a/a.u16": "\ufeffone\n",
        "packages/a/a.crlf": "one\r\ntwo\r\n",
        "packages/a/a.plain": expanded,
        "packages/a/a.user": expanded,
        "packages/a/a.info": expanded
      })
      const names = ["a.crlf", "a.id", "a.info", "a.plain", "a.u16", "a.user", "anchored", "deep/a.id", "deep/anchored"]
      const utf16 = (text: string) => Buffer.from(text, "utf16le")
      for (const tree of [host, live]) fs.writeFileSync(path.join(tree, "a.u16"), utf16("\ufeffone\n"))
      write(repository, {
        ".git/info/attributes": "*.info ident\n",
        "packages/.gitattributes": "*.u16 working-tree-encoding=UTF-16LE-BOM\n"
      })
      yield* push
      for (const name of names) {
        const encoding = name === "a.u16" ? "utf16le" : "utf8"
        const text = fs.readFileSync(path.join(live, name), encoding)
        fs.writeFileSync(path.join(live, name), Buffer.from(text.replace("one", "1"), encoding))
      }
      const refused = names.filter((name) => {
        const patch = spawnSync(
          "git",
          ["diff", "--no-index", "--binary", path.join(host, name), path.join(live, name)],
          {
            cwd: "/",
            env: { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1" }
          }
        )
          .stdout.toString("latin1").replaceAll(host, "").replaceAll(live, "")
        assert.isNotEmpty(patch, name)
        const env = { PATH: process.env["PATH"], XDG_CONFIG_HOME: home, GIT_CONFIG_NOSYSTEM: "1" }
        const input = Buffer.from(patch, "latin1")
        return spawnSync("git", ["apply", "--check", "--directory=packages/a", "-"], { cwd: repository, input, env })
          .status !== 0
      })
      assert.deepStrictEqual(refused, ["a.id", "a.info", "a.u16", "a.user", "anchored", "deep/a.id"])
      const { converted } = yield* diff(state, false)
      assert.deepStrictEqual([...converted ?? []].sort(), refused)
      // A fork and a snapshot have the attributes, too.
      const copy = path.join(folder, "copy")
      fs.mkdirSync(copy)
      yield* copyPushed(state, copy)
      assert.deepStrictEqual((yield* diff(copy, false)).converted, converted)
    }))
})
