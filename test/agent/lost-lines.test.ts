import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue, type Scope, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { payloadOf } from "../../src/contract/rows/payload-of.ts"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import { carrying } from "../../src/remote/carry.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { remoteClient } from "../support/daemon/served-pyro.ts"
import { openRemoteInstallation, outputOf, type RemoteInstallation } from "../support/lifecycle/remote-installation.ts"
import { until } from "../support/until.ts"
import { sanitizedBuild } from "./agent.ts"

let on: RemoteInstallation

beforeAll(async () => {
  on = await openRemoteInstallation(sanitizedBuild)
  await Effect.runPromise(on.create("fix"))
}, 120_000)
afterAll(() => on.close())

const MIB = 1024 * 1024
const digestOf = (...bytes: ReadonlyArray<Uint8Array>) => {
  const hash = createHash("sha256")
  for (const one of bytes) hash.update(one)
  return hash.digest("hex")
}
/** Bytes without a period that a lost or repeated piece could hide in. */
const noise = (length: number) => {
  const bytes = new Uint8Array(length)
  let state = 1
  for (let at = 0; at < length; at++) bytes[at] = (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) >> 16
  return bytes
}
const big = noise(3 * MIB)
const pieces = Stream.fromIterable(Array.from({ length: 96 }, (_, at) => big.subarray(at * 32_768, (at + 1) * 32_768)))

const direct = (script: string) => outputOf(on.pyro, "fix", script)

/** Calls about files of this machine. */
const carried = (pyro: PyroService) =>
  carrying(pyro, { stateDir: on.folder, context: { name: "bench", url: "ssh://bench" } })

/** How often a command of this key ran. */
const ran = (key: string) => direct(`cat /tmp/ran-${key} 2>/dev/null | wc -l`)

const exec = (pyro: PyroService, script: string, stdin?: Stream.Stream<Uint8Array>) =>
  Effect.gen(function*() {
    const hash = createHash("sha256")
    const ends: Array<number> = []
    const events = pyro.workspace.exec(
      payloadOf("workspace.exec", { workspace: "fix", command: ["sh", "-ec", script] }),
      stdin === undefined ? undefined : { stdin }
    )
    yield* Stream.runForEach(events, (event) =>
      Effect.sync(() => {
        if (event._tag === "Output") hash.update(event.bytes)
        if (event._tag === "Exited") ends.push(event.status)
      }))
    return { ends, digest: hash.digest("hex") }
  })

/** A request through the line, and what can be known of it afterwards. Each gives the same value, whatever the line does. */
interface Work {
  readonly run: (pyro: PyroService, key: string) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly after?: (key: string) => Effect.Effect<unknown, unknown>
  /** Shares of the bytes of an unbroken run after which the line breaks. @default some of each part of the run */
  readonly shares?: ReadonlyArray<number>
}

const works: Readonly<Record<string, Work>> = {
  "exec without output": {
    run: (pyro, key) => exec(pyro, `echo x >> /tmp/ran-${key}; exit 7`),
    after: ran
  },
  "exec with much output": {
    run: (pyro, key) => exec(pyro, `echo x >> /tmp/ran-${key}; seq 1 350000`),
    after: ran
  },
  "exec with input": {
    run: (pyro, key) => exec(pyro, `echo x >> /tmp/ran-${key}; sha256sum`, pieces),
    after: ran
  },
  "exec that answers its input": {
    run: (pyro, key) => exec(pyro, `echo x >> /tmp/ran-${key}; cat`, pieces),
    after: ran
  },
  "file upload": {
    run: (pyro, key) =>
      Effect.map(
        Stream.runCollect(pyro.workspace.file.upload(
          payloadOf("workspace.file.upload", { workspace: "fix", path: `/tmp/up-${key}` }),
          { stdin: pieces }
        )),
        (events) => events.map(({ _tag, created, sizeBytes }) => ({ _tag, created, sizeBytes }))
      ),
    after: (key) => direct(`sha256sum < /tmp/up-${key}`)
  },
  "file upload that appends": {
    run: (pyro, key) =>
      Stream.runDrain(pyro.workspace.file.upload(
        payloadOf("workspace.file.upload", { workspace: "fix", path: `/tmp/log-${key}`, append: true }),
        { stdin: Stream.make(Buffer.from("a line\n")) }
      )),
    after: (key) => direct(`cat /tmp/log-${key}`)
  },
  "file download": {
    run: (pyro) =>
      Effect.map(
        Stream.runCollect(pyro.workspace.file.download(
          payloadOf("workspace.file.download", { workspace: "fix", path: "/workspace/big" })
        )),
        (events) => [
          events.filter(({ _tag }) => _tag !== "Output").map(({ _tag }) => _tag),
          digestOf(...events.flatMap((event) => event._tag === "Output" ? [event.bytes] : []))
        ]
      )
  },
  "a write of a file": {
    run: (pyro, key) =>
      Effect.map(
        pyro.workspace.file.write(
          payloadOf("workspace.file.write", { workspace: "fix", path: `/tmp/w-${key}`, text: "a line\n", append: true })
        ),
        ({ created, sizeBytes }) => ({ created, sizeBytes })
      )
  },
  "export of a patch": {
    run: (pyro) =>
      Effect.map(
        Stream.runCollect(pyro.workspace.export(
          payloadOf("workspace.export", { workspace: "fix", patch: true, output: "-" })
        )),
        (events) => [
          digestOf(...events.flatMap((event) => event._tag === "Output" ? [event.bytes] : [])),
          events.flatMap((event) => event._tag === "Exported" ? [event.summary.digest] : [])
        ]
      )
  },
  "export of files": {
    run: (pyro, key) =>
      Effect.map(
        Stream.runCollect(
          carried(pyro).workspace.export(
            payloadOf("workspace.export", {
              workspace: "fix",
              path: "/workspace/many",
              output: path.join(on.folder, `out-${key}`)
            })
          )
        ),
        (events) => [
          events.flatMap((event) => event._tag === "Exported" ? [event.summary.files] : []),
          events.flatMap((event) => event._tag === "Written" ? event.entries.map((entry) => entry.path) : [])
        ]
      ),
    after: (key) =>
      Effect.sync(() => {
        const folder = path.join(on.folder, `out-${key}`)
        return fs.readdirSync(folder).sort().map((name) => fs.readFileSync(path.join(folder, name), "utf8"))
      })
  },
  "a push of files": {
    run: (pyro, key) =>
      Effect.gen(function*() {
        const folder = path.join(on.folder, `push-${key}`)
        fs.mkdirSync(folder)
        // Of each run: what the other machine has already would not be sent.
        for (let at = 0; at < 24; at++) fs.writeFileSync(path.join(folder, `${at}`), randomBytes(40_000))
        fs.writeFileSync(path.join(folder, "key"), key)
        const { conflictCount, files } = yield* carried(pyro).workspace.sync.push(
          payloadOf("workspace.sync.push", { workspace: "fix", sourcePath: folder, dest: `pushed-${key}` })
        )
        return [conflictCount, files.length]
      }),
    after: (key) =>
      Effect.map(
        direct(`cd /workspace/pushed-${key}; cat $(ls | sort -n) | sha256sum; ls | wc -l`),
        (found) => {
          const folder = path.join(on.folder, `push-${key}`)
          const names = fs.readdirSync(folder)
          const sent = execFileSync("sh", ["-c", "cat $(ls | sort -n) | sha256sum; ls | wc -l"], { cwd: folder })
          return [sent.toString().trim() === found, names.length]
        }
      )
  },
  "a terminal": {
    run: (pyro, key) =>
      Effect.gen(function*() {
        const { shellId } = yield* on.pyro.workspace.shell.open(
          payloadOf("workspace.shell.open", { workspace: "fix", command: ["sh"] })
        )
        const typed = yield* Queue.unbounded<Uint8Array>()
        const sizes = yield* Queue.unbounded<{ readonly rows: number; readonly cols: number }>()
        const type = (text: string) => Queue.offer(typed, Buffer.from(text))
        let shown = ""
        const reads = yield* Effect.forkChild(Stream.runForEach(
          pyro.workspace.shell.attach(
            payloadOf("workspace.shell.attach", { workspace: "fix", shellId, detachKey: "none", raw: true }),
            { stdin: Stream.fromQueue(typed), resizes: Stream.fromQueue(sizes) }
          ),
          (event) =>
            Effect.sync(() => void (shown += event._tag === "Output" ? Buffer.from(event.bytes).toString() : ""))
        ))
        yield* type(`echo x >> /tmp/ran-${key}; stty -echo; echo on$((40 + 2))\n`)
        yield* until(() => shown.includes("on42"))
        shown = ""
        yield* type("seq 1 30000; echo off$((40 + 2))\n")
        yield* until(() => shown.includes("off42"))
        const numbers = shown.split("\r\n").filter((line) => /^\d+$/.test(line.replace(/^[#$] /, "")))
        yield* Queue.offer(sizes, { rows: 33, cols: 111 })
        const size = direct(`until [ -s /tmp/size-${key} ]; do sleep 0.02; done; cat /tmp/size-${key}`)
        yield* type(`until [ "$(stty size)" = "33 111" ]; do :; done; stty size > /tmp/size-${key}\n`)
        const resized = yield* size
        yield* type("exit 5\n")
        yield* Fiber.join(reads)
        return [numbers.length, resized]
      }),
    after: ran
  },
  "a try": {
    shares: [0.4, 0.95],
    run: (pyro) =>
      Effect.gen(function*() {
        const events = yield* Stream.runCollect(pyro.workspace.try(payloadOf("workspace.try", {
          workspace: "fix",
          candidates: [
            { name: "one", command: "echo x >> /workspace/tried; exit 0" },
            { name: "other", command: "echo x >> /workspace/tried; exit 3" }
          ],
          check: ["sh", "-c", "wc -l < /workspace/tried"]
        })))
        const ends = events.filter(({ _tag }) => _tag !== "Notice").map((event) => JSON.stringify(event))
        return [/"tail":"1\\n"/.test(ends.at(-1)!), (ends.at(-1)!.match(/"outcome":"\w+"/g) ?? []).sort()]
      }),
    after: () =>
      Effect.map(
        on.pyro.workspace.list(payloadOf("workspace.list", {})),
        ({ workspaces }) => workspaces.map(({ name }) => name)
      )
  }
}

const someOfEachPart = [0, 0.05, 0.35, 0.7, 0.97]
/** A run has up to a few percent more or fewer bytes than another: credits and acknowledgements share frames. */
const lastSureShare = 0.8

describe("a line that breaks", () => {
  beforeAll(() =>
    Effect.runPromise(Effect.gen(function*() {
      yield* Stream.runDrain(on.pyro.workspace.file.upload(
        payloadOf("workspace.file.upload", { workspace: "fix", path: "/workspace/big" }),
        { stdin: pieces }
      ))
      yield* direct("cd /workspace; mkdir many; for n in $(seq 1 40); do seq 1 $n > many/$n; done")
    }))
  )

  for (const [name, { after, run, shares = someOfEachPart }] of Object.entries(works)) {
    it.live(`${name} is done once and gives the same at each place of a break`, () =>
      Effect.gen(function*() {
        const { count, cut } = on.line
        const pyro = yield* remoteClient(on.line.path)
        const both = Effect.gen(function*() {
          const key = newRequestId().slice(0, 8)
          return [yield* run(pyro, key), after === undefined ? undefined : yield* after(key)]
        })
        yield* cut
        const [toClient, toDaemon] = [count.toClient, count.toDaemon]
        const expected = yield* both
        const [down, up] = [count.toClient - toClient, count.toDaemon - toDaemon]
        for (const share of shares) {
          const [some, more] = [1 + Math.floor(down * share), 1 + Math.floor(up * share)]
          const before = count.connections
          on.line.breaks(
            { toClient: some },
            { toDaemon: more },
            // During the resume: in the middle of the greeting, and of the request.
            { toClient: 30 },
            { toDaemon: 400 },
            { toClient: more }
          )
          yield* cut
          assert.deepStrictEqual(yield* both, expected, `after ${some} bytes down, ${more} up`)
          if (share < lastSureShare) assert.isAbove(count.connections, before + 1, `${some}, ${more}`)
        }
        on.line.breaks()
        yield* until(() => on.requests.idleSinceMs() !== undefined)
      }), 120_000)
  }

  it.live("a watch of files sees each change once", () =>
    Effect.gen(function*() {
      const pyro = yield* remoteClient(on.line.path)
      yield* direct("mkdir /workspace/watched")
      const seen: Array<string> = []
      let begun = false
      const watching = yield* Effect.forkChild(Stream.runForEach(
        pyro.workspace.file.watch(payloadOf("workspace.file.watch", { workspace: "fix", path: "/workspace/watched" })),
        (event) =>
          Effect.sync(() => {
            begun ||= event._tag === "Watching"
            if (event._tag === "Changed") seen.push(...event.changes.map(({ change, path }) => `${change} ${path}`))
          })
      ))
      yield* until(() => begun)
      const made = Array.from({ length: 12 }, (_, at) => `created watched/${at}`)
      for (const [at, change] of made.entries()) {
        if (at % 2 === 0) yield* on.line.cut
        yield* direct(`mkdir /workspace/watched/${at}`)
        if (at % 3 === 0) yield* on.line.cut
        yield* until(() => seen.includes(change) || seen.length > at)
      }
      yield* Fiber.interrupt(watching)
      assert.deepStrictEqual(seen, made)
      yield* until(() => on.requests.idleSinceMs() !== undefined)
    }), 60_000)

  it.live("a watch of workspaces goes on", () =>
    Effect.gen(function*() {
      const pyro = yield* remoteClient(on.line.path)
      const seen: Array<string> = []
      const watching = yield* Effect.forkChild(Stream.runForEach(
        pyro.workspace.watch(payloadOf("workspace.watch", { intervalMs: 100 })),
        ({ workspaces }) =>
          Effect.sync(() => {
            for (const { workspace } of workspaces) {
              const step = Object.entries(workspace.labels).find(([name]) => name === "step")?.[1]
              if (step !== undefined && seen.at(-1) !== step) seen.push(step)
            }
          })
      ))
      const steps = ["1", "2", "3", "4", "5", "6"]
      for (const step of steps) {
        yield* on.line.cut
        yield* on.pyro.workspace.update(payloadOf("workspace.update", { workspace: "fix", labels: { step } }))
        yield* until(() => seen.at(-1) === step)
      }
      yield* Fiber.interrupt(watching)
      assert.deepStrictEqual(seen, steps)
    }), 60_000)

  it.live("a line that falls silent is found by its pings, and the command goes on", () =>
    Effect.gen(function*() {
      const pyro = yield* remoteClient(on.line.path, { pingMs: 150 })
      const key = newRequestId().slice(0, 8)
      on.line.breaks({ toClient: 200_000, stalls: true }, { toDaemon: 300, stalls: true })
      yield* on.line.cut
      const { digest, ends } = yield* exec(pyro, `echo x >> /tmp/ran-${key}; seq 1 350000`)
      const numbers = Array.from({ length: 350_000 }, (_, at) => `${at + 1}\n`).join("")
      assert.deepStrictEqual([ends, digest], [[0], digestOf(Buffer.from(numbers))])
      assert.strictEqual(yield* ran(key), "1")
    }), 60_000)
})
