import { assert } from "@effect/vitest"
import { Effect, Queue, Stream } from "effect"
import { execFileSync } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import type { PyroError } from "../../src/contract/errors/errors.ts"
import { type FileWatchEvent, FileWatchPayload } from "../../src/contract/rows/workspace-file-watch.ts"
import { watchFiles } from "../../src/workspace/content/files/watch.ts"
import { Agent, until, withConfinedAgent } from "./agent.ts"
import { decoded, freshRoot, reasonOf } from "./fresh-root.ts"

/** The agent's own root with an empty /workspace in it, and watches of it. */
const fresh = Effect.gen(function*() {
  const { channel, directory: workspace, root } = yield* freshRoot("workspace")
  const events = (path: string, fields: object = {}) =>
    watchFiles(channel, decoded(FileWatchPayload(), { path, ...fields }))
  /** A watch that has begun. */
  const watch = (path = ".", fields: object = {}) =>
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<FileWatchEvent, PyroError>()
      yield* Effect.forkScoped(
        Queue.into(Stream.runForEach(events(path, fields), (event) => Queue.offer(queue, event)), queue as never)
      )
      assert.strictEqual((yield* Queue.take(queue))._tag, "Watching")
      /** The changes until one of them is `last`, as text. */
      const changes = (last: string) =>
        Effect.gen(function*() {
          const all: Array<string> = []
          while (!all.includes(last)) {
            const event = yield* Queue.take(queue)
            assert.strictEqual(event._tag, "Changed")
            if (event._tag !== "Changed") break
            all.push(
              ...event.changes.map(({ change, directory, from, path }) =>
                [change, ...(from === undefined ? [] : [from]), directory ? `${path}/` : path].join(" ")
              )
            )
          }
          return all
        })
      return { next: Queue.take(queue), changes }
    })
  return { channel, root, workspace, events, watch }
})

withConfinedAgent("watches of files", (it) => {
  it.effect("a watch tells what is created, modified, renamed and removed, at any depth", () =>
    Effect.gen(function*() {
      const { watch, workspace } = yield* fresh
      mkdirSync(`${workspace}/src/deep`, { recursive: true })
      writeFileSync(`${workspace}/src/old`, "1")
      const { changes } = yield* watch()
      writeFileSync(`${workspace}/src/deep/new`, "1")
      assert.deepStrictEqual(yield* changes("created src/deep/new"), ["created src/deep/new"])
      appendFileSync(`${workspace}/src/old`, "2")
      assert.deepStrictEqual(yield* changes("modified src/old"), ["modified src/old"])
      chmodSync(`${workspace}/src/old`, 0o600)
      yield* changes("modified src/old")
      renameSync(`${workspace}/src/old`, `${workspace}/moved`)
      yield* changes("renamed src/old moved")
      rmSync(`${workspace}/moved`)
      yield* changes("removed moved")
      // Whole directories, with what is in them by the time of the watch.
      mkdirSync(`${workspace}/a/b/c`, { recursive: true })
      writeFileSync(`${workspace}/a/b/c/file`, "")
      const made = yield* changes("created a/b/c/file")
      assert.includeMembers(made, ["created a/", "created a/b/", "created a/b/c/"])
      renameSync(`${workspace}/a/b`, `${workspace}/src/b`)
      yield* changes("renamed a/b src/b/")
      writeFileSync(`${workspace}/src/b/c/later`, "")
      yield* changes("created src/b/c/later")
      rmSync(`${workspace}/src/b`, { recursive: true })
      yield* changes("removed src/b/")
      mkdirSync(`${workspace}/src/b`)
      writeFileSync(`${workspace}/src/b/again`, "")
      yield* changes("created src/b/again")
    }))

  it.effect("a directory that leaves the watched one is removed, and one that comes is created with its content", () =>
    Effect.gen(function*() {
      const { watch, workspace } = yield* fresh
      mkdirSync(`${workspace}/in/sub`, { recursive: true })
      mkdirSync(`${workspace}/out/other`, { recursive: true })
      writeFileSync(`${workspace}/out/other/file`, "")
      const { changes } = yield* watch("in")
      renameSync(`${workspace}/in/sub`, `${workspace}/out/sub`)
      yield* changes("removed in/sub/")
      writeFileSync(`${workspace}/out/sub/unseen`, "")
      renameSync(`${workspace}/out/other`, `${workspace}/in/other`)
      const come = yield* changes("created in/other/file")
      assert.deepStrictEqual(come, ["created in/other/", "created in/other/file"])
      writeFileSync(`${workspace}/in/other/more`, "")
      assert.deepStrictEqual(yield* changes("created in/other/more"), ["created in/other/more"])
    }))

  it.effect("a burst is few events, and a file that came and went is none", () =>
    Effect.gen(function*() {
      const { watch, workspace } = yield* fresh
      const { changes } = yield* watch("/workspace", { depth: 1 })
      execFileSync("sh", [
        "-c",
        "for i in 1 2 3 4 5 6 7 8 9; do echo $i > draft; mv draft result; done; for i in $(seq 2000); do echo $i >> result; done; : > last"
      ], { cwd: workspace })
      const all = yield* changes("created last")
      assert.isAtMost(all.length, 100)
      assert.notInclude(all.join("\n"), "removed")
      // A shallow watch sees no more than a new directory.
      mkdirSync(`${workspace}/sub/below`, { recursive: true })
      writeFileSync(`${workspace}/sub/below/file`, "")
      writeFileSync(`${workspace}/end`, "")
      assert.deepStrictEqual((yield* changes("created end")).filter((one) => one.includes("below")), [])
    }))

  it.effect("pyro's own writes are one change of the file, and a program's file with a name like a draft's is shown", () =>
    Effect.gen(function*() {
      const { channel, watch, workspace } = yield* fresh
      const { changes } = yield* watch()
      mkdirSync(`${workspace}/sub`)
      writeFileSync(`${workspace}/sub/new`, "old")
      yield* changes("created sub/new")
      const { changes: ofOne } = yield* watch("sub/new")
      const place = { root: "/workspace", user: undefined }
      // Large enough to be seen while it is written.
      const content = Stream.fromIterable(Array.from({ length: 100 }, () => Buffer.alloc(65_536, "x")))
      const write = (path: string) => channel.write({ ...place, path, mode: 0, createParents: true }, content)
      const copy = (path: string, target: string) => channel.copyFile({ ...place, path, target, replace: true })
      const marked = (mark: string) => {
        writeFileSync(`${workspace}/${mark}`, "")
        return changes(`created ${mark}`)
      }
      yield* write("sub/new")
      assert.deepStrictEqual(yield* marked("1"), ["modified sub/new", "created 1"])
      assert.deepStrictEqual(yield* ofOne("modified sub/new"), ["modified sub/new"])
      yield* write("made")
      assert.deepStrictEqual(yield* marked("2"), ["created made", "created 2"])
      yield* copy("sub/new", "made")
      assert.deepStrictEqual(yield* marked("3"), ["modified made", "created 3"])
      yield* copy("sub", "other")
      assert.deepStrictEqual(yield* marked("4"), ["created other/", "created other/new", "created 4"])
      const likeDraft = ".pyro-0123456789abcdef"
      writeFileSync(`${workspace}/${likeDraft}`, "")
      assert.deepStrictEqual(yield* changes(`created ${likeDraft}`), [`created ${likeDraft}`])
      renameSync(`${workspace}/${likeDraft}`, `${workspace}/made`)
      assert.deepStrictEqual(yield* changes(`renamed ${likeDraft} made`), [`renamed ${likeDraft} made`])
    }))

  it.effect("a watched file is followed by its name, through a link", () =>
    Effect.gen(function*() {
      const { watch, workspace } = yield* fresh
      writeFileSync(`${workspace}/file`, "1")
      symlinkSync("file", `${workspace}/link`)
      const { changes } = yield* watch("link")
      writeFileSync(`${workspace}/other`, "")
      appendFileSync(`${workspace}/file`, "2")
      assert.deepStrictEqual(yield* changes("modified link"), ["modified link"])
      writeFileSync(`${workspace}/draft`, "3")
      renameSync(`${workspace}/draft`, `${workspace}/file`)
      assert.deepStrictEqual(yield* changes("created link"), ["created link"])
      rmSync(`${workspace}/file`)
      assert.deepStrictEqual(yield* changes("removed link"), ["removed link"])
    }))

  it.effect(
    "more changes than the kernel keeps are said to be lost, and later ones are told again",
    () =>
      Effect.gen(function*() {
        const { events, workspace } = yield* fresh
        const queueLength = Number(execFileSync("cat", ["/proc/sys/fs/inotify/max_queued_events"]))
        let state: "before" | "during" | "after" = "before"
        let again = false
        // The reader stands still, so the guest's helper does, and the kernel keeps what it can.
        yield* Stream.runForEachWhile(events("."), (event) =>
          Effect.sync(() => {
            if (event._tag === "Watching") {
              state = "during"
              const loop = `i=0; while [ $i -lt ${queueLength + 30_000} ]; do : > f$i; i=$((i+1)); done; mkdir dir`
              execFileSync("sh", ["-c", loop], { cwd: workspace })
            } else if (event._tag === "Lost") {
              state = "after"
              writeFileSync(`${workspace}/dir/file`, "")
            } else if (event._tag === "Changed" && state === "after") {
              again ||= event.changes.some(({ path }) => path === "dir/file")
            }
            return !again
          }))
        assert.isTrue(again)
      }),
    120_000
  )

  it.effect("a watch ends with the watched directory, and its helper with the watch", () =>
    Effect.gen(function*() {
      const { events, watch, workspace } = yield* fresh
      const { pid } = yield* Agent
      const helpers = () => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").match(/\d+/g)?.length ?? 0
      yield* until("the end of other tests' helpers", () => helpers() === 0)
      mkdirSync(`${workspace}/gone/sub`, { recursive: true })
      const { changes, next } = yield* watch("gone")
      assert.strictEqual(helpers(), 1)
      rmSync(`${workspace}/gone`, { recursive: true })
      yield* changes("removed gone/sub/")
      assert.deepStrictEqual(yield* next, { _tag: "Ended", path: "gone" })
      yield* until("the end of the helper", () => helpers() === 0)
      yield* Stream.runHead(events("."))
      yield* until("the end of the second helper", () => helpers() === 0)
      assert.strictEqual(yield* reasonOf(Stream.runDrain(events("nowhere"))), "not_found")
    }).pipe(Effect.scoped))

  it.effect("a watch has the rights of its user, and names what it may not see", () =>
    Effect.gen(function*() {
      const { events, root, workspace } = yield* fresh
      mkdirSync(`${workspace}/open/closed`, { recursive: true })
      chmodSync(root, 0o755)
      chmodSync(workspace, 0o755)
      chmodSync(`${workspace}/open/closed`, 0o700)
      const seen = yield* Stream.runCollect(Stream.take(events("open", { user: "1234" }), 2))
      assert.deepStrictEqual(Array.from(seen), [
        { _tag: "Unwatched", path: "open/closed" },
        { _tag: "Watching", path: "open" }
      ])
      assert.strictEqual(yield* reasonOf(Stream.runDrain(events("open/closed", { user: "1234" }))), "permission")
    }))
})
