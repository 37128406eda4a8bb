import { Deferred, Effect, Fiber, Layer, Stream } from "effect"
import * as path from "node:path"
import { Readable } from "node:stream"
import { assert, describe, it } from "vitest"
import {
  ChannelFailed,
  CommandNotFound,
  DaemonUnavailable,
  InvalidRequest
} from "../../../src/contract/errors/errors.ts"
import type { ErrorOf } from "../../../src/contract/rows/operations.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { RunEvent, RunPayload } from "../../../src/contract/rows/run.ts"
import { workspaceExport } from "../../../src/contract/rows/workspace-export.ts"
import type { WorkspaceInfo } from "../../../src/contract/rows/workspace-info.ts"
import { workspaceCreate } from "../../../src/contract/rows/workspace-lifecycle.ts"
import { acquireWorkspace, pyro as effects } from "../../../src/sdk/model/effects.ts"
import { payloadOf } from "../../../src/sdk/model/options.ts"
import { type CommandError, makePromises } from "../../../src/sdk/promises.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"

const EXITED: RunEvent = {
  _tag: "Exited",
  outcome: "exited",
  status: 5,
  durations: { totalMs: 2, bootMs: 1, commandMs: 1 }
}
const output = (text: string): RunEvent => ({ _tag: "Output", from: "stdout", bytes: new TextEncoder().encode(text) })

/** A service that prints the command's words, and notes when a run has ended. */
const service = (over: Partial<PyroService> = {}) => {
  const ended: Array<string> = []
  const requests: Array<RunPayload> = []
  const refuse = () => Effect.die("not a part of this test")
  const pyro: PyroService = {
    ...unfakedPyro,
    run: (payload, input) => {
      requests.push(payload)
      const [program = ""] = payload.command
      const events: Stream.Stream<RunEvent, ErrorOf<"run">> = program === "forever"
        ? Stream.concat(Stream.make(output("first")), Stream.never)
        : program === "lost"
        ? Stream.concat(Stream.make(output("first")), Stream.fail(new ChannelFailed({ detail: "it is gone" })))
        : program === "missing"
        ? Stream.fail(new CommandNotFound({ command: program }))
        : program === "cat"
        ? Stream.concat(
          Stream.map(input?.stdin ?? Stream.empty, (bytes): RunEvent => ({ _tag: "Output", from: "stdout", bytes })),
          Stream.make(EXITED)
        )
        : Stream.fromIterable([...payload.command.map(output), EXITED])
      return Stream.ensuring(events, Effect.sync(() => ended.push(program)))
    },
    env: {
      list: () => Effect.succeed({ environments: [] }),
      pull: () => Stream.empty,
      build: () => Stream.empty,
      import: () => Stream.empty,
      export: () => Stream.empty,
      inspect: refuse,
      rm: refuse,
      prune: refuse
    },
    doctor: () => Stream.empty,
    gc: refuse,
    ...over
  }
  return { ended, requests, layer: Layer.succeed(Pyro, pyro) }
}

describe("the SDK for Effect programs", () => {
  it("run.collect returns the result with the contract's defaults", async () => {
    const { layer, requests } = service()
    const result = await effects.run.collect({ environment: "debian:12", command: ["a", "b"] }).pipe(
      Effect.provide(layer),
      Effect.runPromise
    )
    assert.deepInclude(result, { stdout: "ab", status: 5, outcome: "exited" })
    assert.deepInclude(requests[0], { memoryMib: 1024, vcpuCount: 1, cwd: "/workspace", tty: false })
  })

  it("invalid options are named with all allowed values", () => {
    const failed = (options: object) => Effect.runSync(Effect.flip(payloadOf(workspaceCreate, options)))
    assert.strictEqual(
      failed({ git: "nope" }).message,
      "git: Expected \"shallow\" or \"full\" or \"none\", actual \"nope\""
    )
    assert.strictEqual(failed({ memoryMib: "many" }).field, "memory_mib")
    assert.strictEqual(failed({ includeIgnored: "dist" }).message, "include_ignored: must be a list of strings")
    assert.strictEqual(failed({ includeIgnored: [5] }).message, "include_ignored.0: Expected string, actual 5")
    assert.strictEqual(failed({ labels: ["a=b"] }).message, "labels: must be an object whose values are strings")
    assert.match(failed({ memMib: 512 }).message, /^memMib: is unexpected, expected: .*"memoryMib" \| /)
  })

  it("relative host paths are relative to the program's directory", async () => {
    const { layer, requests } = service()
    const seeded = (seedPath: string) =>
      effects.run.collect({ environment: "debian:12", command: ["a"], seedPath }).pipe(
        Effect.provide(layer),
        Effect.runPromise
      )
    for (const seedPath of ["tree", "./tree/../tree/", "/elsewhere"]) await seeded(seedPath)
    assert.deepStrictEqual(requests.map(({ seedPath }) => seedPath), [
      path.resolve("tree"),
      path.resolve("tree"),
      "/elsewhere"
    ])
    const exporting = (output: string) =>
      Effect.runSync(payloadOf(workspaceExport, { workspace: "w", path: "f", output }))
    assert.deepInclude(exporting("-"), { output: "-" })
    assert.deepInclude(exporting("out/f"), { output: path.resolve("out/f") })
  })

  it("leaving the stream of a run ends the run", async () => {
    const { ended, layer } = service()
    const events = await effects.run({ environment: "debian:12", command: ["forever"] }).pipe(
      Stream.take(1),
      Stream.runCollect,
      Effect.provide(layer),
      Effect.runPromise
    )
    assert.strictEqual(events.length, 1)
    assert.deepStrictEqual(ended, ["forever"])
  })

  it("interrupting the fiber of a run ends the run", async () => {
    const { ended, layer } = service()
    await Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const fiber = yield* effects.run({ environment: "debian:12", command: ["forever"] }).pipe(
        Stream.runForEach(() => Deferred.succeed(begun, undefined)),
        Effect.forkChild
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(layer), Effect.runPromise)
    assert.deepStrictEqual(ended, ["forever"])
  })

  it("an invalid request is refused before anything starts", async () => {
    const { layer, requests } = service()
    const error = await effects.run.collect({ environment: "debian:12", memoryMib: 8 }).pipe(
      Effect.flip,
      Effect.provide(layer),
      Effect.runPromise
    )
    assert.instanceOf(error, InvalidRequest)
    assert.match(error.message, /memory_mib[^]*must be a whole number from 128 to 1048576 MiB/)
    assert.strictEqual(requests.length, 0)
  })
})

describe("the SDK for everybody else", () => {
  it("a promise resolves with the result and rejects with the contract's error", async () => {
    await using pyro = makePromises(service().layer)
    assert.strictEqual((await pyro.run({ environment: "debian:12", command: ["x"] })).stdout, "x")
    const failure = await pyro.run({ environment: "debian:12", command: ["missing"] }).then(
      () => undefined,
      (error) => error
    )
    assert.instanceOf(failure, CommandNotFound)
    assert.deepStrictEqual(await pyro.env.list(), { environments: [] })
  })

  it("the stack of a rejection has the code, the operation and the program's line, and no frame of the SDK", async () => {
    await using pyro = makePromises(service().layer)
    const options = { environment: "debian:12", command: ["missing"] }
    const calls: ReadonlyArray<() => Promise<void>> = [
      async () => {
        await pyro.run(options)
      },
      async () => {
        for await (const _ of pyro.run.stream(options)) { /* The events before the failure. */ }
      }
    ]
    for (const call of calls) {
      // Nobody may catch it: Node then prints the stack.
      const { message, stack = "" } = await call().then(() => new Error("it did not fail"), (error: Error) => error)
      const [header, ...frames] = stack.split("\n")
      assert.strictEqual(header, `CommandNotFound [command_not_found]: run: ${message}`)
      assert.match(frames[0] ?? "", /^ +at .*sdk\.test\.ts:\d+/)
      for (const frame of frames) assert.notMatch(frame, /src\/sdk|node_modules\/effect/)
    }
  })

  it("the error of a command has its output until then, and the error of another operation has none", async () => {
    await using pyro = makePromises(
      service({ doctor: () => Stream.fail(new DaemonUnavailable({ detail: "gone" })) }).layer
    )
    const rejection = (work: Promise<unknown>) => work.then(() => undefined, (cause: unknown) => cause as CommandError)
    const lost = await rejection(pyro.run({ environment: "debian:12", command: ["lost"] }))
    assert.strictEqual(lost?._tag, "ChannelFailed")
    assert.deepInclude(lost?.output, { stdout: "first", stdoutBytes: 5 })
    assert.deepInclude((await rejection(pyro.run({ command: ["missing"] })))?.output, { stdout: "" })
    assert.notProperty(await rejection(pyro.doctor()), "output")
  })

  it("the promise API passes stdin", async () => {
    const pyro = makePromises(service().layer)
    async function* stdin() {
      yield new TextEncoder().encode("one ")
      yield new TextEncoder().encode("two")
    }
    assert.strictEqual(
      (await pyro.run({ environment: "debian:12", command: ["cat"] }, { stdin: stdin() })).stdout,
      "one two"
    )
    await pyro.close()
  })

  it("an aborted signal ends the run", async () => {
    const { ended, layer } = service()
    const pyro = makePromises(layer)
    const abort = new AbortController()
    const running = pyro.run({ environment: "debian:12", command: ["forever"] }, { signal: abort.signal })
    const reason = new Error("enough")
    setTimeout(() => abort.abort(reason), 20)
    assert.strictEqual(await running.then(() => undefined, (cause: unknown) => cause), reason)
    assert.deepStrictEqual(ended, ["forever"])
    const listening = async () => {
      const events = pyro.run.stream({ environment: "debian:12", command: ["forever"] }, { signal: abort.signal })
      for await (const event of events) assert.strictEqual(event._tag, "Output")
    }
    assert.strictEqual(await listening().then(() => undefined, (cause: unknown) => cause), reason)
    await pyro.close()
  })

  it("a closed client rejects calls with the contract's error", async () => {
    const pyro = makePromises(service().layer)
    await pyro.close()
    const rejection = (work: Promise<unknown>) => work.then(() => undefined, (cause: unknown) => cause)
    const listening = async () => {
      for await (const event of pyro.run.stream({ environment: "debian:12", command: ["true"] })) {
        assert.fail(event._tag)
      }
    }
    for (
      const work of [pyro.workspace.list(), pyro.run({ environment: "debian:12", command: ["true"] }), listening()]
    ) {
      assert.deepInclude(await rejection(work), { _tag: "DaemonUnavailable", code: "daemon_unavailable" })
    }
  })

  it("stdin may be a string, bytes or an iterable, and other values are refused", async () => {
    const pyro = makePromises(service().layer)
    const read = async (stdin: unknown) =>
      (await pyro.run({ environment: "debian:12", command: ["cat"] }, { stdin: stdin as string })).stdout
    assert.strictEqual(await read("ünïcode"), "ünïcode")
    assert.strictEqual(await read(Buffer.from("bytes")), "bytes")
    assert.strictEqual(await read(Readable.from(["some ", Buffer.from("pieces")])), "some pieces")
    for (const bad of [["piece"], 5, {}]) {
      const failure = await read(bad).then(() => undefined, (cause: unknown) => cause)
      assert.deepInclude(failure, { _tag: "InvalidRequest", field: "stdin" })
    }
    await pyro.close()
  })

  it("a run ends with its command, whatever its stdin waits for", async () => {
    const pyro = makePromises(service().layer)
    async function* endless() {
      yield "abc"
      await new Promise(() => {})
    }
    const result = await pyro.run({ environment: "debian:12", command: ["forever"] }, {
      stdin: endless(),
      signal: AbortSignal.timeout(50)
    }).then(() => undefined, (cause: unknown) => cause)
    assert.deepInclude(result, { name: "TimeoutError" })
    let text = ""
    const events = pyro.run.stream({ environment: "debian:12", command: ["cat"] }, { stdin: endless() })
    for await (const event of events) {
      text += event._tag === "Output" ? new TextDecoder().decode(event.bytes) : ""
      break
    }
    assert.strictEqual(text, "abc")
    await pyro.close()
  })

  it("a failing stdin ends the run", async () => {
    const { ended, layer } = service()
    const pyro = makePromises(layer)
    async function* lost() {
      yield "half"
      throw new Error("the line is dead")
    }
    const request = { environment: "debian:12", command: ["cat"] }
    const wholly = (stdin: unknown) => pyro.run(request, { stdin: stdin as string })
    const piecewise = async (stdin: unknown) => {
      let text = ""
      for await (const event of pyro.run.stream(request, { stdin: stdin as string })) {
        assert.strictEqual(event._tag, "Output")
        text += new TextDecoder().decode((event as RunEvent & { readonly _tag: "Output" }).bytes)
        assert.strictEqual(text, "half")
      }
    }
    for (const how of [wholly, piecewise]) {
      const failure = (stdin: unknown) => how(stdin).then(() => undefined, (cause: unknown) => cause)
      assert.deepInclude(await failure(lost()), {
        _tag: "InvalidRequest",
        detail: "could not be read: the line is dead"
      })
      assert.deepInclude(await failure(Readable.from(["half", 5])), { _tag: "InvalidRequest", field: "stdin" })
    }
    assert.deepStrictEqual(ended, Array(4).fill("cat"))
    await pyro.close()
  })

  it("leaving the loop over events ends the run", async () => {
    const { ended, layer } = service()
    const pyro = makePromises(layer)
    for await (const event of pyro.run.stream({ environment: "debian:12", command: ["forever"] })) {
      assert.strictEqual(event._tag, "Output")
      break
    }
    assert.deepStrictEqual(ended, ["forever"])
    await pyro.close()
  })

  it("the loop over events throws the contract's error", async () => {
    const pyro = makePromises(service().layer)
    const failure = await (async () => {
      for await (const event of pyro.run.stream({ environment: "debian:12", command: ["missing"] })) void event
    })().then(() => undefined, (error) => error)
    assert.instanceOf(failure, CommandNotFound)
    await pyro.close()
  })
})

describe("a workspace in a Scope", () => {
  const info = { id: "ws-0000000001" } as WorkspaceInfo

  /** Creates as it is told to, and notes what is deleted. */
  const workspaces = (create: PyroService["workspace"]["create"]) => {
    const deleted: Array<string> = []
    const created: Array<Readonly<Record<string, string>>> = []
    const over: PyroService["workspace"] = {
      ...unfakedPyro.workspace,
      create: (payload) => {
        created.push(payload.labels)
        return create(payload)
      },
      list: ({ labels }) =>
        Effect.sync(() => ({
          workspaces: Object.entries(labels).every(([name, value]) => created[0]?.[name] === value) ? [info] : []
        })),
      delete: ({ workspaces }) =>
        Effect.sync(() => {
          deleted.push(...workspaces)
          return { deleted: workspaces, names: workspaces }
        })
    }
    return { created, deleted, layer: service({ workspace: over }).layer }
  }

  it("acquireWorkspace deletes the workspace when the Scope closes, and sets the labels", async () => {
    const { created, deleted, layer } = workspaces(() => Stream.make({ _tag: "Ready" as const, workspace: info }))
    const id = await acquireWorkspace({ labels: { mine: "yes" } }).pipe(
      Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(deleted, []))),
      Effect.scoped,
      Effect.provide(layer),
      Effect.runPromise
    )
    assert.strictEqual(id.id, info.id)
    assert.strictEqual(created[0]?.["mine"], "yes")
    assert.deepStrictEqual(deleted, [info.id])
  })

  it("acquireWorkspace deletes the workspace of an interrupted creation", async () => {
    const { deleted, layer } = workspaces(() => Stream.never)
    await acquireWorkspace().pipe(
      Effect.timeoutOption("20 millis"),
      Effect.scoped,
      Effect.provide(layer),
      Effect.runPromise
    )
    assert.deepStrictEqual(deleted, [info.id])
  })

  it("acquireWorkspace fails with the error of the creation", async () => {
    const { layer } = workspaces(() => Stream.fail(new InvalidRequest({ field: "name", detail: "no" })))
    const failure = await acquireWorkspace().pipe(Effect.flip, Effect.scoped, Effect.provide(layer), Effect.runPromise)
    assert.instanceOf(failure, InvalidRequest)
  })
})
