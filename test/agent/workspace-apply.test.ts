import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import type { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import { exportChanges } from "../../src/lib/exporting/apply.ts"
import type { ExportBounds } from "../../src/lib/exporting/bounds.ts"
import type { Change } from "../../src/lib/patch/model/patch.ts"
import { sha256Hex } from "../../src/system/files/digest.ts"
import { wholePatch } from "../support/workspace/whole-patch.ts"
import { payload, resultOf } from "../unit/workspace/content/export/fake-guest.ts"
import { withAgent } from "./agent.ts"
import { listed, workspace } from "./diff-workspace.ts"
import { changesOf } from "./whole-changes.ts"

/** A workspace, and the directory of the host that it was seeded from. */
const seeded = (name: string, fill: (tree: string) => void) =>
  Effect.gen(function*() {
    const { baseline, channel, diff, home, live, trees } = yield* workspace(name, fill)
    const project = `${home}/project`
    execFileSync("cp", ["-a", baseline, project])
    const changes = changesOf(channel, { trees })
    const apply = (fields: Partial<ExportPayload> = {}, bounds: ExportBounds = {}) =>
      Effect.gen(function*() {
        const all = yield* changes
        const request = payload({ apply: true, output: project, ...fields })
        return (yield* resultOf(request, exportChanges(all, sha256Hex(yield* wholePatch(all)), request, bounds))).result
      })
    const refused = (fields: Partial<ExportPayload> = {}, bounds: ExportBounds = {}) =>
      Effect.map(Effect.flip(apply(fields, bounds)), ({ message }) => message)
    return { apply, diff, home, live, project, refused }
  })

/** The refusal of a diff that a guest made up. */
const refusalOf = (directory: string, change: Partial<Change>, fields: Partial<ExportPayload> = {}) => {
  const one = {
    path: Buffer.from("new"),
    before: undefined,
    after: { mode: 0o100644, content: Buffer.from("x") } as const
  }
  const request = payload({ apply: true, output: directory, ...fields })
  return Effect.map(
    Effect.flip(Stream.runDrain(exportChanges([{ ...one, ...change }], "digest", request, {}))),
    ({ message }) => message
  )
}

const file = (text: string) => ({ mode: 0o100644, content: Buffer.from(text) }) as const
const link = (target: string) => ({ mode: 0o120000, content: Buffer.from(target) }) as const

withAgent("changes in the files of the host", (it) => {
  it.effect("the reviewed diff makes the directory equal to the workspace, with odd names, modes, links and moves", () =>
    Effect.gen(function*() {
      const odd = Buffer.from("caf\xe9 \"\n", "latin1")
      const { apply, diff, live, project } = yield* seeded("kinds", (tree) => {
        for (
          const name of ["edited", "moved", "script", "gone/deep/file", "to-link", "to-directory", "to-file/in", "kept"]
        ) {
          fs.mkdirSync(`${tree}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true })
          fs.writeFileSync(`${tree}/${name}`, `content of ${name}\n`)
        }
        fs.symlinkSync("kept", `${tree}/link`)
        fs.writeFileSync(`${tree}/picture`, Buffer.from([0, 1, 2, 3]))
      })
      fs.writeFileSync(`${live}/edited`, "new\n")
      fs.mkdirSync(`${live}/elsewhere`)
      fs.renameSync(`${live}/moved`, `${live}/elsewhere/moved`)
      fs.chmodSync(`${live}/script`, 0o755)
      fs.rmSync(`${live}/gone`, { recursive: true })
      fs.rmSync(`${live}/to-link`)
      fs.symlinkSync("kept", `${live}/to-link`)
      fs.rmSync(`${live}/to-directory`)
      fs.mkdirSync(`${live}/to-directory`)
      fs.writeFileSync(`${live}/to-directory/in`, "in\n")
      fs.rmSync(`${live}/to-file`, { recursive: true })
      fs.writeFileSync(`${live}/to-file`, "file\n")
      fs.rmSync(`${live}/link`)
      fs.symlinkSync("edited", `${live}/link`)
      fs.writeFileSync(`${live}/picture`, Buffer.from([3, 2, 1, 0]))
      fs.writeFileSync(Buffer.concat([Buffer.from(`${live}/`), odd]), "odd\n")
      fs.writeFileSync(`${project}/own`, "mine\n")
      const { digest } = yield* diff()
      const checked = yield* apply({ expect: digest!, check: true })
      assert.isTrue(checked.checked)
      assert.strictEqual(fs.readFileSync(`${project}/edited`, "utf8"), "content of edited\n")
      const result = yield* apply({ expect: digest! })
      assert.deepStrictEqual(listed(project), { ...listed(live), own: "- mine\n" })
      assert.isFalse(fs.existsSync(`${project}/gone`))
      assert.deepInclude(result, { kind: "changes", output: project, digest: digest!, removedFiles: 4, equalFiles: 0 })
      assert.deepStrictEqual(checked.entries, result.entries)
      assert.deepInclude({ ...result.entries.find(({ path }) => path === "moved") }, { removed: true })
      assert.deepInclude({ ...result.entries.find(({ path }) => path === "elsewhere/moved") }, {
        type: "file",
        size: 17
      })
      const again = yield* apply({ expect: digest! })
      assert.deepInclude(again, { files: 0, removedFiles: 0, equalFiles: result.entries.length, entries: [] })
    }))

  it.effect("a refusal says if the directory seems to be another project's", () =>
    Effect.gen(function*() {
      const { home, live, project, refused } = yield* seeded("elsewhere", (tree) => {
        fs.writeFileSync(`${tree}/a`, "a\n")
        fs.writeFileSync(`${tree}/b`, "b\n")
      })
      fs.writeFileSync(`${live}/a`, "new a\n")
      fs.writeFileSync(`${live}/b`, "new b\n")
      const other = `${home}/other`
      fs.mkdirSync(other)
      fs.writeFileSync(`${other}/b`, "another\n")
      const hint = "is this the directory of its project? Name it: output"
      assert.include(yield* refused({ output: other }), hint)
      fs.writeFileSync(`${other}/a`, "a\n")
      assert.notInclude(yield* refused({ output: other }), hint)
      fs.rmSync(`${project}/b`)
      assert.notInclude(yield* refused(), hint)
    }))

  it.effect("a file that the person has changed since refuses everything, and the way out is said", () =>
    Effect.gen(function*() {
      const { apply, live, project, refused } = yield* seeded("changed", (tree) => {
        fs.writeFileSync(`${tree}/a`, "a\n")
        fs.writeFileSync(`${tree}/b`, "b\n")
      })
      fs.writeFileSync(`${live}/a`, "new a\n")
      fs.writeFileSync(`${live}/b`, "new b\n")
      fs.writeFileSync(`${project}/b`, "mine\n")
      const message = yield* refused()
      assert.include(message, "nothing was exported: ")
      assert.include(message, "workspace.sync.push")
      assert.include(message, "b: it has changed since pyro last read or wrote it")
      assert.strictEqual(yield* refused({ check: true }), message)
      assert.deepStrictEqual(listed(project), { a: "- a\n", b: "- mine\n" })
      assert.deepStrictEqual(fs.readdirSync(project).sort(), ["a", "b"])
      fs.writeFileSync(`${project}/b`, "new b\n")
      assert.deepInclude(yield* apply(), { files: 1, equalFiles: 1 })
      assert.deepStrictEqual(listed(project), listed(live))
    }))

  it.effect("only the reviewed diff is made, and nothing before the person has answered", () =>
    Effect.gen(function*() {
      const { apply, live, project, refused } = yield* seeded("asked", (tree) => fs.writeFileSync(`${tree}/a`, "a\n"))
      fs.writeFileSync(`${live}/a`, "new a\n")
      assert.include(yield* refused({ expect: "0".repeat(64) }), "the diff is not the expected one any more")
      const asked: Array<unknown> = []
      yield* apply({}, {
        consent: (about) =>
          Effect.sync(() => {
            asked.push(about)
            assert.strictEqual(fs.readFileSync(`${project}/a`, "utf8"), "a\n")
            // The answer is about these bytes: what the guest writes meanwhile is no part of them.
            fs.writeFileSync(`${live}/a`, "later\n")
          })
      })
      assert.deepStrictEqual(listed(project), { a: "- new a\n" })
      assert.deepInclude(asked[0], { kind: "changes", output: project, files: 1, changedFiles: 1, bytes: 6 })
      // The person's own change while the question waits.
      fs.writeFileSync(`${project}/a`, "a\n")
      const late = yield* refused({}, { consent: () => Effect.sync(() => fs.writeFileSync(`${project}/a`, "mine\n")) })
      assert.include(late, "a: it has changed since pyro last read or wrote it")
      assert.deepStrictEqual(listed(project), { a: "- mine\n" })
      assert.deepStrictEqual(fs.readdirSync(project), ["a"])
    }))

  it.effect("hostile names, links, sizes and executable configuration are refused before a file is looked at", () =>
    Effect.gen(function*() {
      const { home, project } = yield* seeded("hostile", (tree) => fs.writeFileSync(`${tree}/a`, "a\n"))
      const refusal = (change: Partial<Change>, fields?: Partial<ExportPayload>) => refusalOf(project, change, fields)
      for (const name of ["../x", "/x", "d/../x", ".git/config", "d/.GIT/hooks/x", "git~1/config", "d//x", "a\0b"]) {
        assert.include(yield* refusal({ path: Buffer.from(name) }), "paths that no patch may touch", name)
        const moved = { from: Buffer.from(name), before: file("x") }
        assert.include(yield* refusal(moved), "paths that no patch may touch", name)
      }
      for (const target of ["/etc/passwd", "../outside", "d/../../outside", ".git/config", "d/.GIT"]) {
        assert.include(yield* refusal({ after: link(target) }), "links that lead elsewhere are not made", target)
      }
      for (const name of [".envrc", ".vscode/tasks.json", "d/.npmrc"]) {
        assert.include(yield* refusal({ path: Buffer.from(name) }), "allow_executable_config: true", name)
      }
      fs.mkdirSync(`${home}/.config/fish`, { recursive: true })
      const fish = { path: Buffer.from("config.fish") }
      assert.include(yield* refusal(fish, { output: `${home}/.config/fish` }), "allow_executable_config: true")
      assert.include(yield* refusal({ after: file("x".repeat(1_048_577)) }, { maxMib: 1 }), "max_mib: ")
      assert.include(yield* refusal({}, { maxEntries: 0 }), "max_entries: 1")
      assert.include(yield* refusal({}, { output: `${project}/a` }), "is no directory of the host")
      assert.include(yield* refusal({}, { output: `${project}/.git` }), "is no directory of the host")
      assert.include(yield* refusal({}, { output: "-" }), "must be a directory")
      assert.deepStrictEqual(listed(project), { a: "- a\n" })
    }))

  it.effect("a caller that is bound to a directory reaches no other, also by a link", () =>
    Effect.gen(function*() {
      const { apply, home, live, project, refused } = yield* seeded(
        "bound",
        (tree) => fs.writeFileSync(`${tree}/a`, "a\n")
      )
      fs.writeFileSync(`${live}/a`, "new a\n")
      fs.symlinkSync("project", `${home}/link`)
      assert.include(yield* refused({ output: project }, { within: `${home}/other` }), "may be written")
      assert.include(yield* refused({ output: `${home}/link` }, { within: home }), "cannot open")
      assert.deepStrictEqual(listed(project), { a: "- a\n" })
      yield* apply({ output: project }, { within: home })
      assert.deepStrictEqual(listed(project), { a: "- new a\n" })
    }))
})
