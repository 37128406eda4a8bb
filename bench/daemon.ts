import { Effect, Layer, ManagedRuntime, Schema, Stream } from "effect"
import * as fs from "node:fs"
import type { PyroError } from "../src/contract/errors/errors.ts"
import { forEachEvent } from "../src/contract/rows/event-batches.ts"
import { Pyro, type PyroService } from "../src/contract/rows/Pyro.ts"
import { ExecPayload } from "../src/contract/rows/workspace-exec.ts"
import { CreatePayload } from "../src/contract/rows/workspace-lifecycle.ts"
import { layerDaemon } from "../src/sdk/client.ts"
import { daemonCommand } from "../src/sdk/daemon-command.ts"
import { buildOf } from "../src/sdk/installed.ts"
import { ProcessVariables } from "../src/system/settings/config.ts"

/** The product behind its daemon, as the command line uses it. */
export interface Daemon {
  readonly call: <A>(use: (pyro: PyroService) => Effect.Effect<A, PyroError>) => Promise<A>
  /** Creates a workspace and gives its id. */
  readonly create: (options?: {
    readonly environment?: string
    readonly seed_path?: string
    readonly memory_mib?: number
    readonly disk_mib?: number
    readonly driver?: string
    readonly allow_hosts?: ReadonlyArray<string>
    readonly allow_ips?: ReadonlyArray<string>
  }) => Promise<string>
  /** Runs a command to its end and gives the bytes of its stdout. Fails if its status is not 0. */
  readonly exec: (workspace: string, ...argv: ReadonlyArray<string>) => Promise<number>
  /** The same repeatedly: its payload is checked once, because a program has it ready. */
  readonly prepared: (workspace: string, ...argv: ReadonlyArray<string>) => () => Promise<unknown>
  /** Output of a command. */
  readonly output: (workspace: string, ...argv: ReadonlyArray<string>) => Promise<string>
  readonly remove: (workspace: string) => Promise<void>
  /** Waits until the pool is full. */
  readonly settled: () => Promise<void>
  readonly pid: () => Promise<number>
  /** Ends the connection alone. */
  readonly disconnect: () => Promise<void>
  readonly close: () => Promise<void>
}

const poolMembers = 2

/** The daemon of a built command on this machine. */
const layerHere = (program: string) =>
  layerDaemon({
    version: buildOf(fs.readFileSync(program, "utf8")),
    command: daemonCommand(program)
  })

/** `env`: variables of the daemon in addition to this process's own. */
export const openDaemon = (
  pyro: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  layer: Layer.Layer<Pyro, PyroError> = layerHere(pyro.at(-1) ?? "")
): Daemon => {
  // The daemon inherits them at the first request.
  const enter = () => {
    const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
    Object.assign(process.env, env)
    return () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  }
  // Each client reads its own: the default of `ProcessVariables` is one for the whole process.
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(
      layer,
      Layer.succeed(ProcessVariables, { ...process.env, ...env })
    )
  )
  let used = false
  const call: Daemon["call"] = (use) => {
    const leave = used ? () => {} : enter()
    used = true
    return runtime.runPromise(Effect.flatMap(Pyro, use)).finally(leave)
  }
  const payloadOf = (workspace: string, command: ReadonlyArray<string>) =>
    Schema.decodeSync(ExecPayload())({ workspace, command })
  /** Gives each piece of stdout, until the command's end. */
  const streamed = (payload: ExecPayload, take: (bytes: Uint8Array) => void) =>
    call((daemon) =>
      Effect.gen(function*() {
        let ended = -1
        yield* forEachEvent(daemon.workspace.exec, payload, undefined, (event) =>
          Effect.sync(() => {
            if (event._tag === "Output" && event.from === "stdout") take(event.bytes)
            if (event._tag === "Exited") ended = event.status
          }))
        if (ended !== 0) return yield* Effect.die(new Error(`${payload.command.join(" ")}: status ${ended}`))
      })
    )
  const output = async (payload: ExecPayload) => {
    const pieces: Array<Uint8Array> = []
    await streamed(payload, (bytes) => pieces.push(bytes))
    return Buffer.concat(pieces)
  }
  const status = () => call((daemon) => daemon.daemon.status({}))
  return {
    call,
    create: (options = {}) =>
      call((daemon) =>
        Effect.flatMap(
          Effect.orDie(Schema.decodeUnknownEffect(CreatePayload())(options)),
          (payload) =>
            Effect.flatMap(Stream.runLast(daemon.workspace.create(payload)), (last) =>
              last._tag === "Some" && last.value._tag === "Ready"
                ? Effect.succeed(last.value.workspace.id)
                : Effect.die(new Error("create ended without a workspace")))
        )
      ),
    exec: async (workspace, ...command) => {
      let got = 0
      await streamed(payloadOf(workspace, command), (bytes) => {
        got += bytes.length
      })
      return got
    },
    prepared: (workspace, ...command) => {
      const payload = payloadOf(workspace, command)
      return () => output(payload)
    },
    output: async (workspace, ...command) => (await output(payloadOf(workspace, command))).toString("utf8"),
    remove: (workspace) =>
      call((daemon) => Effect.asVoid(daemon.workspace.delete({ workspaces: [workspace], all: false }))),
    settled: async () => {
      for (let waited = 0; waited < 600; waited++) {
        const { vms } = await status()
        if (vms.filter(({ pid, purpose }) => purpose === "pool" && pid !== undefined).length >= poolMembers) break
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      // The last member is recorded before its claim.
      await new Promise((resolve) => setTimeout(resolve, 600))
    },
    pid: async () => (await status()).pid ?? 0,
    disconnect: () => runtime.dispose(),
    close: async () => {
      if (used) {
        await call((daemon) => daemon.workspace.delete({ workspaces: [], all: true }))
        const pid = (await status()).pid
        if (pid !== undefined) process.kill(pid, "SIGTERM")
        // The caller removes its folders next.
        while (fs.existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await runtime.dispose()
    }
  }
}
