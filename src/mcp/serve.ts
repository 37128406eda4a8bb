import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { Context, Effect, Fiber, Layer, type Scope } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import type { Project } from "../sdk/project.ts"
import type { EarlyConnection } from "./handshake/handshake.ts"
import type { ModeName, ProfileName } from "./profile.ts"
import type { BindRoot } from "./roots.ts"
import { makeLineTransport } from "./rpc/line-transport.ts"
import { readable } from "./rpc/readable.ts"
import { createServer } from "./server.ts"

/**
 * Longest that the end of the server waits for calls, in ms. A host that leaves waits for its servers, and kills them some seconds later;
 * the daemon goes on with what it was asked in any case.
 */
const MAX_LEAVING_MS = 1_000

interface ServeOptions {
  readonly profile: ProfileName
  /** Kind of task, which chooses the tools instead of the profile. */
  readonly mode?: ModeName | undefined
  readonly version: string
  readonly project: Project
  /** Binds a directory that a client named as a root, where the project awaits one. */
  readonly bindRoot: BindRoot
  /** Does the work; built at the first call, and again when that failed. */
  readonly layer: Layer.Layer<Pyro, PyroError>
  /** A connection that has begun already; otherwise it begins here. */
  readonly earlyConnection?: EarlyConnection | undefined
}

/**
 * The service of a layer, built when it is first asked for, and again when that failed. Whoever asked may go meanwhile: it belongs to the
 * scope.
 */
const whenAsked = (
  layer: Layer.Layer<Pyro, PyroError>
): Effect.Effect<Effect.Effect<PyroService, PyroError>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let building: Fiber.Fiber<PyroService, PyroError> | undefined
    let built: PyroService | undefined
    const build = Layer.buildWithScope(layer, scope).pipe(
      Effect.map((context) => built = Context.get(context, Pyro)),
      Effect.onError(() => Effect.sync(() => (building = undefined))),
      Effect.interruptible,
      Effect.forkIn(scope)
    )
    const wait = Effect.suspend(() =>
      Effect.flatMap(
        building !== undefined
          ? Effect.succeed(building)
          : Effect.tap(build, (fiber) => Effect.sync(() => (building = fiber))),
        Fiber.join
      )
    )
    return Effect.suspend(() => built === undefined ? wait : Effect.succeed(built))
  })

/** Calls of tools that have not ended yet. */
const makeCalls = () => {
  const running = new Set<Promise<unknown>>()
  return {
    add: (call: Promise<unknown>) => {
      running.add(call)
      const remove = () => running.delete(call)
      call.then(remove, remove)
    },
    ended: Effect.promise(() => Promise.allSettled(running)).pipe(
      Effect.interruptible,
      Effect.timeoutOption(MAX_LEAVING_MS)
    )
  }
}

/**
 * Serves this process's stdin and stdout until the client closes them, or until it is interrupted. Then it ends the calls that run, with
 * the commands that these started; workspaces stay, and so do commands that a call has handed back. Stdout carries nothing but the
 * protocol.
 */
export const serve = ({ earlyConnection, layer, ...options }: ServeOptions): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const pyro = yield* whenAsked(layer)
    const calls = makeCalls()
    yield* Effect.callback<void>((resume) => {
      const { answered = [], stdin = process.stdin } = earlyConnection ?? {}
      const transport = makeLineTransport({ answered, stdin, stdout: process.stdout })
      const handle = serveStdio(() => createServer({ ...options, pyro, onCall: calls.add }), {
        transport,
        onerror: (error) => process.stderr.write(`pyro mcp: ${readable(error.message)}\n`)
      })
      const { onclose } = transport
      transport.onclose = () => {
        onclose?.()
        resume(Effect.void)
      }
      // A stream that was paused is not read by listening to it.
      stdin.resume()
      return Effect.promise(() => handle.close())
    }).pipe(Effect.ensuring(calls.ended))
  }))
