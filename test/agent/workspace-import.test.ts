import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import type { ImportPayload } from "../../src/contract/rows/workspace-import.ts"
import { callerProject } from "../../src/contract/wire/caller-project.ts"
import { AgentCallFailed } from "../../src/lib/guest-channel/model/errors.ts"
import { walkLimits } from "../../src/lib/seeding/model/host-files.ts"
import { isOutside } from "../../src/workspace/content/export/guest-path.ts"
import { exportPath } from "../../src/workspace/content/export/path.ts"
import { importFiles } from "../../src/workspace/content/import/import.ts"
import { payload, resultOf } from "../unit/workspace/content/export/fake-guest.ts"
import { Agent, withAgent } from "./agent.ts"

/** A directory of the host and one of the guest, which is the same machine here. */
const places = (name: string) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect()
    const folder = path.join((yield* Agent).folder, name)
    const [host, guest] = [`${folder}/host`, `${folder}/guest`]
    fs.mkdirSync(host, { recursive: true })
    fs.mkdirSync(guest)
    const bring = (source: string, target: string, more: Partial<ImportPayload> = {}, through = channel) =>
      importFiles(through, {
        workspace: "w",
        sourcePath: source,
        path: target,
        allowHome: false,
        preserveTimes: false,
        maxMib: 2048,
        maxEntries: 100_000,
        ...more
      })
    const refused = (...args: Parameters<typeof bring>) =>
      Effect.map(Effect.flip(bring(...args)), ({ message }) => message)
    const take = (fields: Partial<ExportPayload>, within?: string) =>
      resultOf(payload(fields), exportPath(channel, payload(fields), { within }))
    return { bring, channel, folder, guest, host, refused, take }
  })

withAgent("an import", (it) => {
  it.effect("files keep their times in both directions on request, and have the present one otherwise", () =>
    Effect.gen(function*() {
      const { bring, folder, guest, host, take } = yield* places("times")
      const times = { old: 1_580_601_600, before: -86_400.5, part: 1_580_601_600.25 }
      for (const [name, seconds] of Object.entries(times)) {
        fs.writeFileSync(`${host}/${name}`, name, { mode: 0o444 })
        execFileSync("touch", ["-d", `@${seconds}`, `${host}/${name}`])
      }
      const timesIn = (directory: string) =>
        Object.fromEntries(
          Object.keys(times).map((
            name
          ) => [name, fs.statSync(`${directory}/${name}`).mtimeMs / 1000])
        )
      assert.isUndefined((yield* bring(host, `${guest}/kept`, { preserveTimes: true })).warnings)
      yield* bring(host, `${guest}/now`)
      assert.deepStrictEqual(timesIn(`${guest}/kept`), times)
      for (const seconds of Object.values(timesIn(`${guest}/now`))) assert.isAbove(seconds, 1_700_000_000)
      yield* take({ path: `${guest}/kept`, output: `${folder}/kept`, preserveTimes: true })
      yield* take({ path: `${guest}/kept`, output: `${folder}/now` })
      yield* take({ path: `${guest}/kept`, output: `${folder}/kept.tar`, preserveTimes: true })
      const piped = yield* take({ path: `${guest}/kept`, output: "-", preserveTimes: true })
      assert.deepStrictEqual(timesIn(`${folder}/kept`), times)
      for (const seconds of Object.values(timesIn(`${folder}/now`))) assert.isAbove(seconds, 1_700_000_000)
      const inArchive = { old: times.old, before: 0, part: times.old }
      for (const input of [fs.readFileSync(`${folder}/kept.tar`), piped.stdout]) {
        const unpacked = fs.mkdtempSync(`${folder}/unpacked-`)
        execFileSync("tar", ["-xf", "-", "-C", unpacked], { input })
        assert.deepStrictEqual(timesIn(unpacked), inArchive)
      }
      // The bytes of one file in a pipe have no time to keep.
      const { stdout } = yield* take({ path: `${guest}/kept/old`, output: "-", preserveTimes: true })
      assert.strictEqual(stdout.toString(), "old")
    }))

  it.effect("an agent that cannot set times gets the files without them, and the answer warns", () =>
    Effect.gen(function*() {
      const { bring, channel, guest, host } = yield* places("older")
      fs.writeFileSync(`${host}/a`, "a")
      fs.writeFileSync(`${host}/b`, "b")
      let asked = 0
      const older: typeof channel = {
        ...channel,
        write: (target, content) => {
          if (target.mtimeNs === undefined) return channel.write(target, content)
          asked++
          return Effect.fail(new AgentCallFailed({ operation: "write", errno: "ESTALE", detail: "" }))
        }
      }
      const { files, warnings = [] } = yield* bring(host, `${guest}/copy`, { preserveTimes: true }, older)
      assert.deepStrictEqual([files, warnings.length], [2, 1])
      assert.include(warnings[0]?.message, "the copies have the time of their writing")
      const plain = yield* bring(host, `${guest}/plain`, {}, older)
      assert.deepStrictEqual([plain.files, plain.warnings], [2, undefined])
      assert.deepStrictEqual([asked, fs.readFileSync(`${guest}/copy/b`, "utf8")], [1, "b"])
    }))

  it.effect("a file comes to any path of the guest, with its mode, and replaces the file there", () =>
    Effect.gen(function*() {
      const { bring, guest, host } = yield* places("file")
      fs.writeFileSync(`${host}/run`, "#!/bin/sh\n", { mode: 0o755 })
      fs.writeFileSync(`${host}/large`, Buffer.alloc(9 * 1024 * 1024, "x"))
      fs.writeFileSync(`${host}/empty`, "")
      const imported = yield* bring(`${host}/run`, `${guest}/new/deep/run`)
      assert.deepStrictEqual(imported, {
        path: `${guest}/new/deep/run`,
        kind: "file",
        files: 1,
        symlinks: 0,
        bytes: 10,
        skippedCount: 0,
        skipped: []
      })
      assert.strictEqual(fs.statSync(`${guest}/new/deep/run`).mode & 0o777, 0o755)
      assert.strictEqual((yield* bring(`${host}/large`, `${guest}/new`)).path, `${guest}/new/large`)
      assert.strictEqual(fs.statSync(`${guest}/new/large`).size, 9 * 1024 * 1024)
      assert.strictEqual((yield* bring(`${host}/empty`, `${guest}/none/`)).path, `${guest}/none/empty`)
      fs.writeFileSync(`${host}/run`, "again")
      yield* bring(`${host}/run`, `${guest}/new/deep`)
      assert.strictEqual(fs.readFileSync(`${guest}/new/deep/run`, "utf8"), "again")
    }))

  it.effect("links on the way in the guest are followed as its programs follow them", () =>
    Effect.gen(function*() {
      const { bring, guest, host } = yield* places("guest-links")
      fs.writeFileSync(`${host}/conf`, "new\n")
      fs.mkdirSync(`${guest}/real`)
      fs.writeFileSync(`${guest}/real/target`, "old\n")
      fs.symlinkSync(`${guest}/real`, `${guest}/absolute`)
      fs.symlinkSync(`${guest}/real/target`, `${guest}/conf`)
      assert.strictEqual((yield* bring(`${host}/conf`, `${guest}/absolute`)).path, `${guest}/real/conf`)
      yield* bring(`${host}/conf`, `${guest}/conf`)
      assert.strictEqual(fs.readFileSync(`${guest}/real/target`, "utf8"), "new\n")
      assert.isTrue(fs.lstatSync(`${guest}/conf`).isSymbolicLink())
    }))

  it.effect("a directory comes with its links, and what stays on the host is reported", () =>
    Effect.gen(function*() {
      const { bring, guest, host, refused } = yield* places("tree")
      fs.mkdirSync(`${host}/tree/in`, { recursive: true })
      fs.mkdirSync(`${host}/tree/empty`)
      fs.mkdirSync(`${host}/tree/.git`)
      fs.writeFileSync(`${host}/tree/.git/config`, "token")
      fs.writeFileSync(`${host}/tree/in/.git`, "gitdir: ../../elsewhere")
      fs.writeFileSync(Buffer.from(`${host}/tree/in/odd \xff`, "latin1"), "odd")
      fs.writeFileSync(`${host}/tree/a`, "a")
      fs.writeFileSync(`${host}/secret`, "secret")
      fs.symlinkSync("../secret", `${host}/tree/link`)
      execFileSync("mkfifo", [`${host}/tree/fifo`])
      const imported = yield* bring(`${host}/tree`, `${guest}/copy`)
      assert.deepInclude(imported, { path: `${guest}/copy`, kind: "directory", files: 2, symlinks: 1, bytes: 4 })
      assert.deepStrictEqual(imported.skipped.map((one) => one.path).sort(), [".git", "empty", "fifo", "in/.git"])
      assert.include(imported.skipped.find((one) => one.path === "in/.git")?.reason, "no entry named .git")
      assert.deepStrictEqual(fs.readdirSync(`${guest}/copy`).sort(), ["a", "in", "link"])
      assert.strictEqual(fs.readFileSync(Buffer.from(`${guest}/copy/in/odd \xff`, "latin1"), "utf8"), "odd")
      assert.strictEqual(fs.readlinkSync(`${guest}/copy/link`), "../secret")
      const again = yield* bring(`${host}/tree`, `${guest}/copy/`)
      assert.strictEqual(again.path, `${guest}/copy/tree`)
      fs.mkdirSync(`${guest}/copy/tree2`)
      fs.renameSync(`${host}/tree`, `${host}/tree2`)
      fs.writeFileSync(`${guest}/copy/tree2/link`, "own")
      const there = yield* bring(`${host}/tree2`, `${guest}/copy`)
      assert.include(there.skipped.map((one) => one.path), "link")
      assert.strictEqual(fs.readFileSync(`${guest}/copy/tree2/link`, "utf8"), "own")
      assert.include(
        yield* refused(`${host}/tree2`, `${guest}/copy/a`),
        "has a file there, and a directory replaces none. Remove"
      )
    }))

  it.effect("a file of the host that is listed as empty and has content is refused, and an empty file comes", () =>
    Effect.gen(function*() {
      const { bring, guest, host, refused } = yield* places("unsized")
      fs.writeFileSync(`${host}/empty`, "")
      assert.include(yield* refused("/proc/version", `${guest}/version`), "pyro cp reads stdin where the source is -")
      assert.isFalse(fs.existsSync(`${guest}/version`))
      yield* bring(`${host}/empty`, `${guest}/empty`)
      assert.strictEqual(fs.readFileSync(`${guest}/empty`, "utf8"), "")
    }))

  it.effect("an import is bounded, and refuses sources that are none", () =>
    Effect.gen(function*() {
      const { folder, guest, host, refused } = yield* places("bounds")
      fs.mkdirSync(`${host}/tree`)
      fs.writeFileSync(`${host}/tree/a`, Buffer.alloc(1024 * 1024 + 1))
      fs.writeFileSync(`${host}/tree/b`, "b")
      execFileSync("mkfifo", [`${host}/fifo`])
      const to = `${guest}/x`
      assert.include(yield* refused(`${host}/missing`, to), "is not there")
      assert.include(yield* refused(`${host}/fifo`, to), "neither a file nor a directory")
      assert.include(yield* refused(`${host}/tree`, to, { maxMib: 1 }), "more than 1 MiB")
      assert.include(yield* refused(`${host}/tree`, to, { maxEntries: 1 }), "more than 1 entries")
      assert.include(
        yield* refused(`${host}/tree`, to).pipe(
          Effect.provideService(walkLimits, { entries: 1, depth: 9, deadlineMs: 9_000 })
        ),
        "more than 1 files and directories"
      )
      assert.include(yield* refused("/", to), "is the whole host")
      assert.include(yield* refused("-", to), "goes with the source -")
      assert.include(yield* refused(`${host}/tree`, to, { content: Buffer.from("x") }), "goes with the source -")
      assert.include(yield* refused("-", guest, { content: Buffer.from("x") }), "Name the file in it")
      assert.include(yield* refused(`${host}/tree/b`, guest, { unnamed: true }), "Name the file in it")
      const as = Effect.provideService(callerProject, {
        project: folder,
        all: false,
        places: { reading: [`${host}/tree`], writing: [] }
      })
      assert.include(yield* as(refused(`${host}/missing/../fifo`, to)), "leads out of the directories")
      assert.deepStrictEqual(fs.readdirSync(guest), [])
    }))

  it.effect("a content comes as a file, also an empty one", () =>
    Effect.gen(function*() {
      const { bring, guest } = yield* places("content")
      yield* bring("-", `${guest}/stamp`, { content: Buffer.from("now\n") })
      yield* bring("-", `${guest}/empty`, { content: new Uint8Array(0) })
      assert.deepStrictEqual([`${guest}/stamp`, `${guest}/empty`].map((file) => fs.readFileSync(file, "utf8")), [
        "now\n",
        ""
      ])
    }))
})

withAgent("an export from outside of /workspace", (it) => {
  it.effect("a path outside of /workspace is exported by the same rules", () =>
    Effect.gen(function*() {
      const { folder, guest, host, take } = yield* places("out")
      fs.mkdirSync(`${guest}/report/in`, { recursive: true })
      fs.writeFileSync(`${guest}/report/in/page`, "page", { mode: 0o666 })
      fs.writeFileSync(`${guest}/report/large`, Buffer.alloc(300_000, "x"))
      fs.symlinkSync("in/page", `${guest}/report/link`)
      fs.symlinkSync("/etc/passwd", `${guest}/report/away`)
      fs.symlinkSync(guest, `${folder}/absolute`)
      const { result } = yield* take({ path: `${folder}/absolute/report`, output: `${host}/new/report` })
      assert.deepInclude(result, { kind: "directory", files: 2, symlinks: 1, skippedCount: 1 })
      assert.strictEqual(fs.readFileSync(`${host}/new/report/in/page`, "utf8"), "page")
      assert.strictEqual(fs.statSync(`${host}/new/report/large`).size, 300_000)
      const { stdout } = yield* take({ path: `${guest}/report/in/page`, output: "-" })
      assert.strictEqual(stdout.toString(), "page")
      const refused = (fields: Partial<ExportPayload>, within?: string) =>
        Effect.map(Effect.flip(take(fields, within)), ({ message }) => message)
      const page = `${guest}/report/in/page`
      assert.include(yield* refused({ path: page, output: `${host}/new/report/in/page` }), "overwrite: true")
      assert.include(yield* refused({ path: page, output: `${host}/.envrc` }), "allow_executable_config: true")
      assert.include(yield* refused({ path: page, output: `${host}/page` }, guest), "only what is in")
      assert.include(yield* refused({ path: `${guest}/none`, output: `${host}/x` }), `${guest}/none`)
      assert.include(yield* refused({ path: `${guest}/report/link`, output: `${host}/x` }), "symbolic link")
      fs.mkdirSync(`${guest}/.git`)
      fs.writeFileSync(`${guest}/.git/config`, "")
      assert.include(yield* refused({ path: `${guest}/.git/config`, output: `${host}/x` }), "git directory")
      for (
        const [whole, reason] of [["/", "not all of it"], ["//.", "not all of it"], ["/..", "not beneath /"]] as const
      ) {
        assert.include(yield* refused({ path: whole, output: `${host}/x` }), reason, whole)
      }
      assert.include(yield* refused({ path: page, paths: [guest], output: `${host}/x` }), "only what is in /workspace")
      assert.deepStrictEqual(fs.readdirSync(host), ["new"])
    }))

  it.effect("files that the kernel makes up are exported with their content", () =>
    Effect.gen(function*() {
      const { host, take } = yield* places("made-up")
      const version = fs.readFileSync("/proc/version", "utf8")
      const alone = yield* take({ path: "/proc/version", output: `${host}/version` })
      assert.deepInclude(alone.result, { bytes: version.length, warnings: [] })
      assert.strictEqual(fs.readFileSync(`${host}/version`, "utf8"), version)
      const { result } = yield* take({ path: "/proc/sys/kernel/random", output: `${host}/random` })
      assert.deepStrictEqual(result.warnings, [])
      assert.strictEqual(
        fs.readFileSync(`${host}/random/boot_id`, "utf8"),
        fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8")
      )
      const device = yield* take({ path: "/sys/class/net/lo/mtu", output: "-" })
      assert.deepInclude(device.result, { warnings: [] })
      assert.strictEqual(device.stdout.toString(), fs.readFileSync("/sys/class/net/lo/mtu", "utf8"))
    }))

  it.effect("paths of /workspace keep their way, which works without a running VM", () =>
    Effect.sync(() => {
      const outside = (path: string) => isOutside({ path, paths: [], patch: false, apply: false })
      for (const path of ["", ".", "src", "/workspace", "/workspace/", "/workspace/../etc"]) {
        assert.isFalse(outside(path), path)
      }
      for (const path of ["/", "/etc", "/workspace2", "\"/etc/\\303\""]) {
        assert.isTrue(outside(path), path)
      }
    }))
})
