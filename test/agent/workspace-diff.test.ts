import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { withAgent } from "./agent.ts"
import { listed, said, workspace } from "./diff-workspace.ts"
import { changesOf } from "./whole-changes.ts"

withAgent("a workspace's diff", (it) => {
  it.effect("diff shows every kind of change, and its patch makes the workspace from the seed", () =>
    Effect.gen(function*() {
      const odd = Buffer.from("caf\xe9 \"\n", "latin1")
      const { applied, baseline, diff, live, patch } = yield* workspace("kinds", (tree) => {
        fs.mkdirSync(`${tree}/src/.git`, { recursive: true })
        fs.writeFileSync(`${tree}/src/.git/HEAD`, "old")
        fs.writeFileSync(`${tree}/src/kept`, "kept\n")
        fs.writeFileSync(`${tree}/src/edited`, "one\ntwo\nthree\n")
        fs.writeFileSync(`${tree}/crlf`, "one\r\ntwo\r\n")
        fs.writeFileSync(`${tree}/moved`, "moved content\n")
        fs.writeFileSync(`${tree}/twice`, "same content\n")
        fs.writeFileSync(`${tree}/script`, "#!/bin/sh\n")
        fs.writeFileSync(`${tree}/picture`, Buffer.from([0, 1, 2, 3]))
        fs.writeFileSync(`${tree}/gone`, "gone\n")
        fs.writeFileSync(`${tree}/private`, "private\n")
        fs.symlinkSync("gone", `${tree}/link`)
        fs.writeFileSync(`${tree}/becomes-link`, "file\n")
        fs.writeFileSync(`${tree}/becomes-directory`, "file\n")
        fs.mkdirSync(`${tree}/becomes-file`)
        fs.writeFileSync(`${tree}/becomes-file/inside`, "file\n")
      })
      assert.deepStrictEqual(yield* diff(), {
        summary: {
          files: 0,
          added: 0,
          modified: 0,
          deleted: 0,
          renamed: 0,
          typeChanged: 0,
          additions: 0,
          deletions: 0
        },
        files: [],
        unlisted: 0,
        ignoredCount: 0,
        specialCount: 0,
        verified: false,
        patch: "",
        patchBytes: 0,
        truncated: false,
        lossy: false,
        digest: createHash("sha256").digest("hex")
      })
      fs.writeFileSync(`${live}/src/.git/HEAD`, "new")
      fs.mkdirSync(`${live}/nested/.git`, { recursive: true })
      fs.writeFileSync(`${live}/nested/.git/HEAD`, "new")
      fs.writeFileSync(`${live}/src/edited`, "one\n2\n++ three")
      fs.writeFileSync(`${live}/crlf`, "one\r\ntwo\n")
      fs.mkdirSync(`${live}/to`)
      fs.renameSync(`${live}/moved`, `${live}/to/moved`)
      fs.renameSync(`${live}/twice`, `${live}/to/other`)
      fs.copyFileSync(`${live}/to/other`, `${live}/to/twice`)
      fs.chmodSync(`${live}/script`, 0o755)
      fs.chmodSync(`${live}/private`, 0o600)
      fs.writeFileSync(`${live}/picture`, randomBytes(300))
      fs.rmSync(`${live}/gone`)
      fs.rmSync(`${live}/link`)
      fs.symlinkSync("nowhere", `${live}/link`)
      fs.rmSync(`${live}/becomes-link`)
      fs.symlinkSync("src", `${live}/becomes-link`)
      fs.rmSync(`${live}/becomes-directory`)
      fs.mkdirSync(`${live}/becomes-directory`)
      fs.writeFileSync(`${live}/becomes-directory/new`, "new\n")
      fs.rmSync(`${live}/becomes-file`, { recursive: true })
      fs.writeFileSync(`${live}/becomes-file`, "now a file\n")
      fs.writeFileSync(Buffer.concat([Buffer.from(`${live}/`), odd]), "odd\n")
      fs.writeFileSync(`${live}/empty`, "")
      execFileSync("mkfifo", [`${live}/pipe`])
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), [
        "deleted becomes-directory",
        "added becomes-directory/new",
        "added becomes-file",
        "deleted becomes-file/inside",
        "type_changed becomes-link",
        "added \"caf\\351 \\\"\\n\"",
        "modified crlf",
        "added empty",
        "deleted gone",
        "modified link",
        "modified picture",
        "modified script",
        "modified src/edited",
        "renamed moved > to/moved",
        "added to/other",
        "renamed twice > to/twice"
      ])
      assert.deepStrictEqual(
        { ...result.summary },
        { files: 16, added: 5, modified: 5, deleted: 3, renamed: 2, typeChanged: 1, additions: 9, deletions: 8 }
      )
      assert.strictEqual(result.specialCount, 1)
      const file = (name: string) => result.files.find((one) => one.path === name)
      assert.deepStrictEqual(file("src/edited"), {
        path: "src/edited",
        status: "modified",
        oldMode: "100644",
        newMode: "100644",
        binary: false,
        additions: 2,
        deletions: 2,
        size: 14
      })
      assert.deepInclude(file("script"), { oldMode: "100644", newMode: "100755", additions: 0, deletions: 0 })
      assert.deepInclude(file("picture"), { binary: true, size: 300 })
      const whole = yield* patch()
      assert.strictEqual(result.digest, createHash("sha256").update(whole).digest("hex"))
      assert.strictEqual(result.patch, whole.toString("utf8"))
      assert.strictEqual(result.patchBytes, whole.length)
      fs.rmSync(`${live}/pipe`)
      assert.deepStrictEqual(applied(whole), listed(live))
      assert.notDeepEqual(listed(baseline), listed(live))
      assert.deepStrictEqual(yield* diff({ verified: true }), { ...result, specialCount: 0, verified: true })
    }))

  it.effect("diff leaves out ignored files, and none that was seeded", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("ignored", (tree) => {
        fs.mkdirSync(`${tree}/.git/info`, { recursive: true })
        fs.mkdirSync(`${tree}/sub`)
        fs.writeFileSync(`${tree}/.git/info/exclude`, "excluded\n")
        fs.writeFileSync(`${tree}/.gitignore`, "node_modules/\n*.o\ntracked.o\n")
        fs.writeFileSync(`${tree}/sub/.gitignore`, "!keep.o\n")
        fs.writeFileSync(`${tree}/tracked.o`, "old")
      })
      fs.writeFileSync(`${live}/.gitignore`, "node_modules/\n*.o\n*.secret\n")
      fs.writeFileSync(`${live}/tracked.o`, "new")
      fs.mkdirSync(`${live}/node_modules/a/b`, { recursive: true })
      for (const name of ["one", "a/two", "a/b/three"]) fs.writeFileSync(`${live}/node_modules/${name}`, name)
      for (const name of ["a.o", "sub/keep.o", "sub/drop.o", "excluded", "my.secret"]) {
        fs.writeFileSync(`${live}/${name}`, name)
      }
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), [
        "modified .gitignore",
        "added sub/keep.o",
        "modified tracked.o"
      ])
      assert.strictEqual(result.ignoredCount, 7)
      const all = yield* diff({ includeIgnored: true })
      assert.strictEqual(all.summary.files, 10)
      assert.strictEqual(all.ignoredCount, 0)
      // A rename is found only within what is shown.
      const some = yield* diff({ paths: ["sub", "/workspace/.gitignore", "./node_modules/"] })
      assert.deepStrictEqual(said(some.files), ["modified .gitignore", "added sub/keep.o"])
      assert.strictEqual(some.ignoredCount, 4)
      for (const outside of ["..", "sub/../..", "/etc", "/workspaces", "\"bad"]) {
        const refused = yield* Effect.flip(diff({ paths: [outside] }))
        assert.strictEqual(refused._tag, "InvalidRequest", outside)
      }
      assert.deepStrictEqual((yield* diff({ paths: ["/workspace"] })).files, result.files)
    }))

  it.effect("diff leaves out and counts files that the guest's ignore files exclude", () =>
    Effect.gen(function*() {
      const { applied, diff, live, patch } = yield* workspace("guest-ignored", (tree) => {
        fs.mkdirSync(`${tree}/src`)
        fs.writeFileSync(`${tree}/src/tracked`, "old\n")
        fs.writeFileSync(`${tree}/gone`, "old\n")
        fs.writeFileSync(`${tree}/.gitignore`, "*.o\n")
      })
      fs.mkdirSync(`${live}/.pytest_cache/v`, { recursive: true })
      fs.writeFileSync(`${live}/.pytest_cache/.gitignore`, "# Created by pytest automatically.\n*\n")
      for (const name of ["README.md", "v/nodeids"]) fs.writeFileSync(`${live}/.pytest_cache/${name}`, name)
      fs.mkdirSync(`${live}/out`)
      fs.writeFileSync(`${live}/out/.gitignore`, "*\n!.gitignore\n!kept\n")
      for (const name of ["kept", "left"]) fs.writeFileSync(`${live}/out/${name}`, `${name}\n`)
      fs.writeFileSync(`${live}/src/added`, "new\n")
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), ["added out/.gitignore", "added out/kept", "added src/added"])
      assert.strictEqual(result.ignoredCount, 4)
      assert.deepStrictEqual(
        Object.keys(applied(yield* patch())).sort(),
        [".gitignore", "gone", "out/.gitignore", "out/kept", "src/added", "src/tracked"]
      )
      // The rules above the path that is asked for count.
      fs.writeFileSync(`${live}/.gitignore`, "*.o\n/src\n*\n")
      fs.writeFileSync(`${live}/src/tracked`, "new\n")
      fs.rmSync(`${live}/gone`)
      fs.writeFileSync(`${live}/a.o`, "")
      assert.deepStrictEqual(said((yield* diff()).files), [
        "modified .gitignore",
        "deleted gone",
        "modified src/tracked"
      ])
      const below = yield* diff({ paths: ["src"] })
      assert.deepStrictEqual([said(below.files), below.ignoredCount], [["modified src/tracked"], 1])
      assert.strictEqual((yield* diff({ includeIgnored: true })).ignoredCount, 0)
      // What the baseline excludes stays out, whatever the guest's rules take back.
      fs.writeFileSync(`${live}/.gitignore`, "!*.o\n")
      assert.notInclude(said((yield* diff()).files), "added a.o")
    }))

  it.effect("diff shows files whose ignore rules are too large, too many or too slow", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("hostile-ignored", (tree) => fs.writeFileSync(`${tree}/kept`, "kept\n"))
      const shown = (names: ReadonlyArray<string>) =>
        Effect.map(diff({ nameOnly: true }), ({ files }) => {
          for (const name of names) assert.include(said(files), `added ${name}`)
        })
      fs.writeFileSync(`${live}/new`, "new\n")
      fs.writeFileSync(`${live}/.gitignore`, "new\n".repeat(20_000))
      yield* shown(["new"])
      fs.writeFileSync(`${live}/.gitignore`, `${"*a".repeat(500)}b\n`.repeat(60))
      for (let index = 0; index < 200; index++) fs.writeFileSync(`${live}/${index}${"a".repeat(240)}`, "")
      yield* shown(["new"])
      for (let index = 0; index < 200; index++) fs.rmSync(`${live}/${index}${"a".repeat(240)}`)
      fs.rmSync(`${live}/.gitignore`)
      execFileSync("mkfifo", [`${live}/.gitignore`])
      yield* shown(["new"])
      fs.rmSync(`${live}/.gitignore`)
      fs.symlinkSync("kept", `${live}/.gitignore`)
      yield* shown(["new", ".gitignore"])
      fs.rmSync(`${live}/.gitignore`)
      for (let index = 0; index < 1_100; index++) {
        fs.mkdirSync(`${live}/many/${String(index).padStart(4, "0")}`, { recursive: true })
        fs.writeFileSync(`${live}/many/${String(index).padStart(4, "0")}/.gitignore`, "*\n")
      }
      const many = yield* diff({ nameOnly: true })
      assert.strictEqual(many.ignoredCount, 1_000)
      assert.strictEqual(many.files.length, 101)
    }))

  it.effect("diff is as short as requested", () =>
    Effect.gen(function*() {
      const { diff, live, patch } = yield* workspace("short", (tree) => fs.writeFileSync(`${tree}/a`, "a\n"))
      fs.writeFileSync(`${live}/a`, "b\n".repeat(10_000))
      fs.writeFileSync(`${live}/latin`, "caf\xe9\n", "latin1")
      const whole = yield* patch()
      const short = yield* diff({ maxBytes: 1_000 })
      assert.isTrue(short.truncated)
      assert.isTrue(whole.toString().startsWith(short.patch ?? "?"))
      assert.isTrue(short.patch?.endsWith("\n"))
      assert.isAtMost(short.patch?.length ?? 9_999, 1_000)
      assert.isFalse(short.lossy)
      assert.strictEqual(short.patchBytes, whole.length)
      assert.isTrue((yield* diff()).lossy)
      const stat = yield* diff({ stat: true })
      assert.strictEqual(stat.digest, short.digest)
      assert.isUndefined(stat.patch)
      assert.strictEqual(stat.summary.additions, 10_001)
      const names = yield* diff({ nameOnly: true })
      assert.deepStrictEqual(names.files, [
        { path: "a", status: "modified", oldMode: "100644", newMode: "100644", size: 20_000 },
        { path: "latin", status: "added", newMode: "100644", size: 5 }
      ])
      assert.isUndefined(names.digest)
      assert.isUndefined(names.summary.additions)
    }))

  it.effect("diff names the requested paths that neither the workspace nor its seed has", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("missing", (tree) => {
        fs.mkdirSync(`${tree}/empty`)
        fs.writeFileSync(`${tree}/same`, "same\n")
        fs.writeFileSync(`${tree}/void`, "")
        fs.writeFileSync(`${tree}/gone`, "gone\n")
        fs.symlinkSync("nowhere", `${tree}/link`)
      })
      fs.rmSync(`${live}/gone`)
      execFileSync("mkfifo", [`${live}/fifo`])
      const known = ["", "empty", "same", "void", "gone", "link", "fifo"]
      assert.isUndefined((yield* diff({ paths: known })).missingPaths)
      const some = yield* diff({ paths: ["nosuch", ...known, "same/beneath", "empty/x", "sam"] })
      assert.deepStrictEqual(some.missingPaths, ["nosuch", "same/beneath", "empty/x", "sam"])
      assert.deepStrictEqual(said(some.files), ["deleted gone"])
    }))

  it.effect("diff names files that are too large and makes no complete patch", () =>
    Effect.gen(function*() {
      const { channel, diff, live, trees } = yield* workspace("large", (tree) => fs.writeFileSync(`${tree}/a`, "a\n"))
      fs.writeFileSync(`${live}/a`, "b\n")
      fs.writeFileSync(`${live}/b`, Buffer.alloc(2_000))
      fs.writeFileSync(`${live}/c`, Buffer.alloc(900))
      fs.writeFileSync(`${live}/d`, Buffer.alloc(900))
      const limits = { fileBytes: 1_000, totalBytes: 1_000 }
      const result = yield* diff({}, limits)
      assert.deepStrictEqual(said(result.files), ["modified a", "added c", "added b", "added d"])
      assert.deepStrictEqual(result.files.map(({ tooLarge }) => tooLarge === true), [false, false, true, true])
      assert.isUndefined(result.digest)
      const refused = yield* Effect.flip(changesOf(channel, { trees, limits }))
      assert.strictEqual(refused._tag, "FileRefused")
      assert.include(refused.message, "b: it (and 1 more) is too large")
      const fits = yield* changesOf(channel, { trees, limits, paths: [Buffer.from("a"), Buffer.from("c")] })
      assert.lengthOf(fits, 2)
    }))

  it.effect("diff reads many files in several requests", () =>
    Effect.gen(function*() {
      const { applied, diff, live, patch } = yield* workspace("many", (tree) => {
        for (let i = 0; i < 2_500; i++) fs.writeFileSync(`${tree}/${"n".repeat(50)}${i}`, `${i}\n`)
      })
      for (let i = 0; i < 2_500; i += 2) fs.writeFileSync(`${live}/${"n".repeat(50)}${i}`, `changed ${i}\n`)
      const result = yield* diff()
      assert.strictEqual(result.summary.modified, 1_250)
      assert.strictEqual(result.summary.additions, 1_250)
      assert.deepStrictEqual(applied(yield* patch()), listed(live))
    }))
})
