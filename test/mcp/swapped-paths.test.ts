import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { bindProject } from "../../src/sdk/project.ts"
import { exportThrough } from "../../src/workspace/content/export/export.ts"
import { makeEntry } from "../../src/workspace/entry/entry.ts"
import { folderOf } from "../../src/workspace/entry/record.ts"
import { eventLog } from "../support/workspace/event-log.ts"
import { guestWith, scratch } from "../unit/workspace/content/export/fake-guest.ts"
import { recordOf } from "../unit/workspace/record-of.ts"
import { call, fakePyro, textOf } from "./fakes.ts"

/** A project with a directory `out`, a directory `other` beside the project, and `workspace_export` to files in it. */
const world = Effect.gen(function*() {
  const folder = fs.realpathSync(yield* scratch)
  const [project, other] = [`${folder}/project`, `${folder}/other`]
  fs.mkdirSync(`${project}/out`, { recursive: true })
  fs.mkdirSync(other)
  const record = recordOf("ws-0000000001", "running")
  const entry = yield* makeEntry({ scope: yield* Effect.scope }, folderOf(folder, record.id), record)
  fs.mkdirSync(entry.folder.directory, { recursive: true })
  const channel = guestWith([{ path: "file", content: "guest" }]) as GuestChannel
  const bound = Result.getOrThrow(bindProject({ projectPath: project }, {}))
  /** `meanwhile` runs after the server has judged the path, and before the daemon opens it. */
  const exportTo = (output: string, meanwhile: () => void = () => {}, path = "file") =>
    Effect.promise(() =>
      call(
        fakePyro({
          export: (payload) =>
            Stream.unwrap(
              Effect.sync(() => (meanwhile(), exportThrough({ channel, explain: (effect) => effect }, entry, payload)))
            ).pipe(Stream.provide(eventLog))
        }),
        "workspace_export",
        { workspace_id: "w", path, output_path: output },
        { project: bound }
      )
    )
  return { other, project, exportTo }
})

describe("workspace_export while another process changes the project", () => {
  it.live("a directory that becomes a link after the check leads no export out of the project", () =>
    Effect.gen(function*() {
      const { exportTo, other, project } = yield* world
      assert.isUndefined((yield* exportTo("out/first")).isError)
      const swap = (target: string) => () => {
        fs.renameSync(`${project}/out`, `${project}/was`)
        fs.symlinkSync(target, `${project}/out`)
      }
      const refused = yield* exportTo("out/file", swap("../other"))
      assert.include(textOf(refused), "export_refused: ")
      assert.deepStrictEqual(fs.readdirSync(other), [])
      fs.rmSync(`${project}/out`)
      fs.renameSync(`${project}/was`, `${project}/out`)
      // A link that stays in the project would pass the rules for names, such as those for .git.
      fs.mkdirSync(`${project}/.git/hooks`, { recursive: true })
      assert.isTrue((yield* exportTo("out/file", swap(".git/hooks"))).isError)
      assert.deepStrictEqual(fs.readdirSync(`${project}/.git/hooks`), [])
    }))

  it.live("an export makes missing directories in the project, and none through a link that appears", () =>
    Effect.gen(function*() {
      const { exportTo, other, project } = yield* world
      assert.isUndefined((yield* exportTo("out/new/deep/file")).isError)
      assert.strictEqual(fs.readFileSync(`${project}/out/new/deep/file`, "utf8"), "guest")
      const refused = yield* exportTo("out/more/deep/file", () => {
        fs.renameSync(`${project}/out`, `${project}/was`)
        fs.symlinkSync("../other", `${project}/out`)
      })
      assert.include(textOf(refused), "export_refused: ")
      assert.isTrue((yield* exportTo("../other/new/file")).isError)
      assert.deepStrictEqual(fs.readdirSync(other), [])
    }))

  it.live("a project that becomes a link after the check leads no export elsewhere", () =>
    Effect.gen(function*() {
      const { exportTo, other, project } = yield* world
      const refused = yield* exportTo("file", () => {
        fs.renameSync(project, `${project}-was`)
        fs.symlinkSync(other, project)
      })
      assert.include(textOf(refused), "export_refused: ")
      assert.deepStrictEqual(fs.readdirSync(other), [])
    }))

  it.live("none of many exports lands outside while a process swaps the directory in a loop", () =>
    Effect.gen(function*() {
      const { exportTo, other, project } = yield* world
      fs.symlinkSync("../other", `${project}/link`)
      const swapper = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          // An export makes `out` where none is for a moment: that one makes way.
          const script = "const fs = require('node:fs'); console.log('on');" +
            "const move = (from, to) => { for (;;) try { return fs.renameSync(from, to) } catch { try { fs.rmSync(to, { recursive: true }) } catch {} } };" +
            "for (;;) { move('out', 'was'); move('link', 'out'); move('out', 'link'); move('was', 'out') }"
          const child = spawn(process.execPath, ["-e", script], { cwd: project, stdio: ["ignore", "pipe", "ignore"] })
          await once(child.stdout, "data")
          return child
        }),
        (child) => Effect.promise(() => (child.kill("SIGKILL"), once(child, "close")))
      )
      for (let at = 0; at < 40; at++) yield* exportTo(`out/${at}`)
      assert.isNull(swapper.exitCode)
      assert.deepStrictEqual(fs.readdirSync(other), [])
    }))

  it.live("an export to the project itself adds files to the project", () =>
    Effect.gen(function*() {
      const { exportTo, project } = yield* world
      assert.isUndefined((yield* exportTo(".", undefined, ".")).isError)
      assert.strictEqual(fs.readFileSync(`${project}/file`, "utf8"), "guest")
    }))
})
