import * as NodeStream from "@effect/platform-node/NodeStream"
import { Deferred, Effect, Layer, Queue, type Scope, Stream } from "effect"
import type { spawn as spawnTerminal } from "node-pty"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { PassThrough } from "node:stream"
import {
  CommandNotExecutable,
  CommandNotFound,
  EnvironmentUnknown,
  type PyroError,
  VmFailed
} from "../../src/contract/errors/errors.ts"
import type { ErrorOf, ResultOf } from "../../src/contract/rows/operations.ts"
import { Pyro, type PyroService } from "../../src/contract/rows/Pyro.ts"
import type { RunInput } from "../../src/contract/rows/run-input.ts"
import type { RunEvent, RunPayload } from "../../src/contract/rows/run.ts"
import { daemonLogs, daemonStatus, daemonStop, daemonTimings } from "../../src/daemon/app/daemon-control.ts"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"
import { someDisk } from "../support/disk/disk-usage.ts"
import { lapse } from "../support/until.ts"
import { fakeWorkspaces } from "./fake-workspaces.ts"

const SAVED: ResultOf<"saved.list">["saved"][number] = {
  name: "green",
  kind: "disk",
  durable: true,
  createdAt: "2025-01-02T03:04:05.000Z",
  environment: "debian:12",
  driver: "qemu",
  vcpuCount: 1,
  memoryMib: 512,
  diskMib: 1024,
  memoryBytes: 0,
  diskBytes: 4096,
  holdsSecrets: false,
  runningCommands: 0
}

/**
 * Stands in for src/daemon/app in tests of the CLI: the "guest" is a directory of this host, its commands are ordinary
 * processes. Environments named `fake:…` behave in ways that a test wants to see.
 */
export const layer: Layer.Layer<Pyro, PyroError> = Layer.sync(Pyro, () => ({
  ...unfakedPyro,
  saved: { ...unfakedPyro.saved, list: () => Effect.succeed({ saved: [SAVED] }) },
  workspace: seenCancelling(fakeWorkspaces((payload, input) => Stream.unwrap(start(payload, input)))),
  watch: ({ intervalMs }) =>
    Stream.map(Stream.concat(Stream.make(0), Stream.tick(intervalMs)), () => ({
      _tag: "Table" as const,
      at: "2025-01-02T03:04:05.000Z",
      workspaces: [{
        id: "ws-0000000001",
        name: "fix",
        state: "running" as const,
        cpuPercent: 12.3,
        memoryBytes: 67_108_864,
        sharedBytes: 16_777_216,
        diskBytes: 1_048_576,
        execs: 1,
        services: 2,
        shells: 3,
        ports: 4
      }]
    })),
  run: (payload, input) => Stream.unwrap(start(payload, input ?? {})),
  env: {
    list: () =>
      Effect.succeed({
        environments: Array.from({ length: Number(process.env["FAKE_ENVIRONMENTS"] ?? 1) }, (_, at) => ({
          name: at === 0 ? "debian:12" : `fake:${at}`,
          description: "this host",
          state: "ready" as const,
          origin: "catalogue" as const,
          digest: "sha256:0123456789abcdef",
          sizeBytes: 1_048_576
        }))
      }),
    pull: ({ environment }) =>
      Stream.concat(
        Stream.make({ _tag: "Notice" as const, level: "progress" as const, message: "unpacking", fraction: 0.5 }),
        environment === "debian:12"
          ? Stream.make({
            _tag: "Ready" as const,
            environment: {
              name: environment,
              description: "this host",
              state: "ready" as const,
              origin: "catalogue" as const
            }
          })
          : Stream.fail(unknown(environment))
      ),
    inspect: ({ environment }) => unknown(environment),
    build: ({ from, name = "", packages }) =>
      Stream.make({
        _tag: "Ready" as const,
        environment: {
          name,
          description: "this host",
          state: "ready" as const,
          origin: "own" as const,
          ...(from === undefined ? {} : { from }),
          addedPackages: packages
        }
      }),
    import: ({ name = "imported" }) =>
      Stream.make({
        _tag: "Ready" as const,
        environment: { name, description: "this host", state: "ready" as const, origin: "image" as const }
      }),
    export: ({ output }) =>
      Stream.make({ _tag: "Exported" as const, output, bytes: 1024, imageDigest: "sha256:00", replaced: false }),
    rm: () => Effect.succeed({ removed: [], freedBytes: 0, disk: someDisk }),
    prune: () => Effect.succeed({ removed: ["sha256:00"], freedBytes: 2_097_152, disk: someDisk })
  },
  doctor: ({ selftest }) =>
    Stream.make(
      { _tag: "Line" as const, name: "cpu", ok: true, found: "x86_64" },
      ...(selftest ? [{ _tag: "Line" as const, name: "clock", ok: false, found: "late", fix: "wind it up" }] : [])
    ),
  prepare: ({ environments }) =>
    Stream.fromIterable(environments).pipe(
      Stream.map((name) => ({
        _tag: "Prepared" as const,
        environment: { name, description: "this host", state: "ready" as const, origin: "catalogue" as const }
      }))
    ),
  gc: () => Effect.succeed({ removed: [{ kind: "vm", what: "pid 7" }], freedBytes: 1024, disk: someDisk }),
  daemon: {
    status: () => Effect.provide(daemonStatus, Layer.provideMerge(SeedImages.layer, Paths.layer)),
    stop: () => Effect.provide(daemonStop, Paths.layer),
    logs: (payload) => Effect.provide(daemonLogs(payload), Paths.layer),
    timings: daemonTimings
  }
}))

/** The same in a daemon, which has its workspaces as long as it lives. */
export const layerResident = layer

const unknown = (environment: string) => new EnvironmentUnknown({ environment, known: ["debian:12"], similar: [] })

/** A test sees that a command was to be ended. */
const seenCancelling = (workspace: PyroService["workspace"]): PyroService["workspace"] => ({
  ...workspace,
  cancel: (payload) => Effect.andThen(released(`cancel ${payload.execId}`), workspace.cancel(payload))
})

/** The file in which a test reads what ran. Daemons have only the variables that they need, so theirs is in the state directory. */
const log = process.env["FAKE_RELEASED"] ?? join(process.env["PYRO_STATE_DIR"] ?? "/nonexistent", "released")

/** Tells the test, through a file, that a finalizer ran. */
const released = (what: string) =>
  Effect.sync(() => {
    if (existsSync(dirname(log))) appendFileSync(log, `${what}\n`)
  })

/** Waits as for a VM that boots, whose process keeps this one: `Effect.never` alone keeps none. */
const forEver: Effect.Effect<never> = Effect.forever(lapse(3_600_000))

const start = (
  payload: RunPayload,
  input: RunInput
): Effect.Effect<Stream.Stream<RunEvent, ErrorOf<"run">>, ErrorOf<"run">, Scope.Scope> =>
  Effect.gen(function*() {
    yield* Effect.addFinalizer(() => released("vm"))
    switch (payload.environment) {
      case "debian:12":
        return payload.tty ? yield* onTerminal(payload, input) : yield* asProcess(payload, input)
      case "fake:boots-for-ever":
        appendFileSync(log, "booting\n")
        return yield* forEver
      case "fake:never-releases":
        yield* Effect.addFinalizer(() => Effect.andThen(released("stuck"), forEver))
        appendFileSync(log, "booting\n")
        return yield* forEver
      case "fake:defect":
        return yield* Effect.die(new Error("something impossible"))
      case "fake:console":
        return yield* new VmFailed({ step: "boot", detail: "no hello", consoleTail: "\u001b[31mpanic\u001b[0m" })
      case "fake:notices":
        return Stream.concat(
          Stream.make(
            { _tag: "Notice" as const, level: "progress" as const, message: "building", fraction: 0.25 },
            { _tag: "Notice" as const, level: "warning" as const, message: "2 files skipped" }
          ),
          yield* asProcess(payload, input)
        )
      default:
        return yield* unknown(payload.environment)
    }
  })

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "pyro-fake-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const durations = (since: number) => {
  const commandMs = Math.round(performance.now() - since)
  return { totalMs: commandMs + 1, bootMs: 1, commandMs }
}

const STARTED = { _tag: "Started", bootMs: 1 } as const

const asProcess = (payload: RunPayload, input: RunInput) =>
  Effect.gen(function*() {
    const cwd = yield* directory
    const since = performance.now()
    const [program = "sh", ...args] = payload.command
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(program, args, { cwd, env: { PATH: process.env["PATH"], ...payload.env }, detached: true })
      ),
      (running) =>
        Effect.andThen(
          Effect.sync(() => {
            const { exitCode, pid, signalCode } = running
            if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL")
          }).pipe(Effect.ignore),
          released("command")
        )
    )
    yield* Effect.callback<void, ErrorOf<"run">>((resume) => {
      child.once("spawn", () => resume(Effect.void))
      child.once("error", (error: NodeJS.ErrnoException) =>
        resume(
          error.code === "ENOENT"
            ? new CommandNotFound({ command: program })
            : new CommandNotExecutable({ command: program, detail: String(error.code) })
        ))
    })
    yield* (input.interrupt ?? Effect.never).pipe(
      Effect.andThen(Effect.sync(() => {
        process.kill(-child.pid!, "SIGINT")
      })),
      Effect.forkScoped
    )
    const ended = yield* Deferred.make<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>()
    child.once("close", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed({ code, signal })))
    child.stdin.on("error", () => undefined)
    // Read from the start: Node throws away what nobody reads when the process ends.
    const outputs = { stdout: child.stdout.pipe(new PassThrough()), stderr: child.stderr.pipe(new PassThrough()) }
    yield* (input.stdin ?? Stream.empty).pipe(
      Stream.runForEach((bytes) =>
        child.stdin.write(bytes) ? Effect.void : Effect.promise(() => once(child.stdin, "drain"))
      ),
      Effect.andThen(Effect.sync(() => child.stdin.end())),
      Effect.forkScoped
    )
    const output = (from: "stdout" | "stderr") =>
      NodeStream.fromReadable<Uint8Array, never>({ evaluate: () => outputs[from], onError: (cause) => cause as never })
        .pipe(
          Stream.map((bytes): RunEvent => ({ _tag: "Output", from, bytes }))
        )
    const exited = Effect.map(Deferred.await(ended), ({ code, signal }): RunEvent =>
      signal === null
        ? { _tag: "Exited", outcome: "exited", status: code ?? 0, durations: durations(since) }
        : { _tag: "Exited", outcome: "signaled", status: 137, signal: 9, durations: durations(since) })
    const events = Stream.concat(
      Stream.merge(output("stdout"), output("stderr"), { haltStrategy: "both" }),
      Stream.fromEffect(exited)
    )
    const limited = payload.timeoutSeconds === undefined ? events : events.pipe(
      Stream.interruptWhen(lapse(payload.timeoutSeconds * 1000)),
      Stream.concat(Stream.sync((): RunEvent => ({
        _tag: "Exited",
        outcome: "timed_out",
        status: 124,
        durations: durations(since)
      }))),
      Stream.takeUntil((event) => event._tag === "Exited")
    )
    return Stream.concat(Stream.succeed<RunEvent>(STARTED), limited)
  })

const onTerminal = (payload: RunPayload, input: RunInput) =>
  Effect.gen(function*() {
    // A native module cannot be part of a bundle; the test says where it lies.
    const { spawn: spawnPty } = createRequire(process.env["FAKE_MODULES"] ?? "")("node-pty") as {
      readonly spawn: typeof spawnTerminal
    }
    const since = performance.now()
    const [program = "sh", ...args] = payload.command
    const pty = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawnPty(program, args, {
          rows: payload.rows,
          cols: payload.cols,
          env: { PATH: process.env["PATH"] ?? "", ...payload.env }
        })
      ),
      (running) => Effect.andThen(Effect.ignore(Effect.try(() => running.kill("SIGKILL"))), released("command"))
    )
    yield* (input.stdin ?? Stream.empty).pipe(
      Stream.runForEach((bytes) => Effect.sync(() => pty.write(Buffer.from(bytes).toString()))),
      Effect.forkScoped
    )
    yield* (input.resizes ?? Stream.empty).pipe(
      Stream.runForEach(({ cols, rows }) => Effect.sync(() => pty.resize(cols, rows))),
      Effect.forkScoped
    )
    yield* (input.interrupt ?? Effect.never).pipe(
      Effect.andThen(Effect.sync(() => pty.kill("SIGHUP"))),
      Effect.forkScoped
    )
    const output = Stream.callback<RunEvent>((events) =>
      Effect.sync(() => {
        pty.onData((text) => Queue.offerUnsafe(events, { _tag: "Output", from: "stdout", bytes: Buffer.from(text) }))
        pty.onExit(({ exitCode, signal = 0 }) => {
          Queue.offerUnsafe(
            events,
            signal === 0
              ? { _tag: "Exited", outcome: "exited", status: exitCode, durations: durations(since) }
              : { _tag: "Exited", outcome: "signaled", status: 128 + signal, signal, durations: durations(since) }
          )
          Queue.endUnsafe(events)
        })
      })
    )
    return Stream.concat(Stream.succeed<RunEvent>(STARTED), output)
  })
