import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { applyPatchIn } from "../../src/workspace/content/patch/apply.ts"
import { Agent, withAgent } from "./agent.ts"

const ATTRIBUTES = [
  "*.u16 working-tree-encoding=UTF-16",
  "*.le working-tree-encoding=utf-16le",
  "*.be working-tree-encoding=UTF-16BE",
  "*.lem working-tree-encoding=UTF-16LE-BOM",
  "*.bem working-tree-encoding=UTF-16BE-BOM",
  "*.bat text eol=crlf",
  "*.auto text=auto eol=crlf",
  "*.both working-tree-encoding=UTF-16LE eol=crlf",
  "*.raw eol=crlf -text",
  "*.bin eol=crlf binary",
  "*.lf eol=lf",
  "plain.u16 -working-tree-encoding",
  ""
].join("\n")

const NAMES = [
  "a.u16",
  "a.le",
  "a.be",
  "a.lem",
  "a.bem",
  "a.bat",
  "a.auto",
  "a.both",
  "a.raw",
  "a.bin",
  "a.lf",
  "a.txt"
]
const paths = [...NAMES, "plain.u16", "deep/b.u16", "deep/b.bat", "deep/c.txt"]

const creationOf = (path: string) =>
  `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,3 @@\n+one\n+zwei ä €\n+drei\n`

/** A repository with attributes in two directories. */
const repository = (root: string) => {
  fs.mkdirSync(`${root}/deep`, { recursive: true })
  fs.writeFileSync(`${root}/.gitattributes`, ATTRIBUTES)
  fs.writeFileSync(`${root}/deep/.gitattributes`, "*.bat eol=lf\n*.txt working-tree-encoding=UTF-16\n")
}

const contents = (root: string) =>
  Object.fromEntries(paths.map((path) => [path, fs.readFileSync(`${root}/${path}`).toString("hex")]))

withAgent("a patch with new files", (it) => {
  it.effect("patch apply writes a new file as git does, in the encoding and with the line ends of its attributes", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const patch = paths.map(creationOf).join("")
      const git = `${folder}/git`
      repository(git)
      const env = { PATH: process.env["PATH"], HOME: git }
      execFileSync("git", ["init", "-q", "."], { cwd: git, env })
      execFileSync("git", ["apply"], { cwd: git, env, input: patch, stdio: ["pipe", "ignore", "ignore"] })
      const root = `${folder}/pyro`
      repository(root)
      const { files } = yield* applyPatchIn(channel, { patch, check: false }, { root })
      assert.deepStrictEqual(contents(root), contents(git))
      const withEnds = files.flatMap(({ lineEndings, path }) => lineEndings === "crlf" ? [path] : [])
      assert.sameMembers(withEnds, ["a.bat", "a.auto", "a.both"])
    }))

  it.effect("patch apply takes the attributes around the seed, and no attributes that the patch makes", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/outer`
      fs.mkdirSync(root)
      const rules = {
        prefix: "packages/one",
        files: [],
        exclude: "",
        attributes: {
          files: [{ directory: "packages", text: "*.u16 working-tree-encoding=UTF-16BE\n" }],
          repository: "",
          user: ""
        }
      }
      const own = "--- /dev/null\n+++ b/.gitattributes\n@@ -0,0 +1 @@\n+*.bat eol=crlf\n"
      const patch = `${own}${creationOf("f.u16")}${creationOf("f.bat")}`
      yield* applyPatchIn(channel, { patch, check: false }, { root, rules })
      const text = "one\nzwei ä €\ndrei\n"
      assert.deepStrictEqual(fs.readFileSync(`${root}/f.u16`), Buffer.from(text, "utf16le").swap16())
      assert.strictEqual(fs.readFileSync(`${root}/f.bat`, "utf8"), text)
    }))

  it.effect("patch apply leaves bytes that are no text, and a file that the patch changes, as they are", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/bytes`
      repository(root)
      fs.writeFileSync(`${root}/old.u16`, "one\n")
      const patchBytes = Buffer.from(
        "--- /dev/null\n+++ b/new.u16\n@@ -0,0 +1 @@\n+\xff\xfe\n--- a/old.u16\n+++ b/old.u16\n@@ -1 +1 @@\n-one\n+two\n",
        "latin1"
      )
      yield* applyPatchIn(channel, { patchBytes, check: false }, { root })
      assert.deepStrictEqual(fs.readFileSync(`${root}/new.u16`), Buffer.from([0xff, 0xfe, 0x0a]))
      assert.strictEqual(fs.readFileSync(`${root}/old.u16`, "utf8"), "two\n")
    }))
})
