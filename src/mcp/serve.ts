import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { Context, Effect, Fiber, Layer, type Scope } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import type { EarlyConnection } from "./handshake/handshake.ts"
import { makeLineTransport } from "./rpc/line-transport.ts"
import { readable } from "./rpc/readable.ts"
import { createServer, type ServerOptions } from "./server.ts"

/**
 * Maximum wait of the server's end for its calls, in ms. A host that leaves waits for its servers, and kills them some seconds later. The
 * daemon goes on with its requests in any case.
 */
const MAX_LEAVING_MS = 1_000

interface ServeOptions extends Omit<ServerOptions, "pyro" | "onCall"> {
  /** Does the work. Built at the first call, and again after a failed build. */
  readonly layer: Layer.Layer<Pyro, PyroError>
  /** A connection that has begun already. @default it begins here */
  readonly earlyConnection?: EarlyConnection | undefined
}

/**
 * The service of a layer. The first call builds it, and a later call builds it again if that failed. It belongs to the scope, and not to
 * the call.
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

/** Calls of tools that run. */
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
 * Serves this process's stdin and stdout until the client closes them, or an interruption. Then ends the running calls with the commands
 * that they started. Workspaces stay, and so do commands that have outlived their call. Stdout has the protocol only.
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
      // A listener alone does not resume a paused stream.
      stdin.resume()
      return Effect.promise(() => handle.close())
    }).pipe(Effect.ensuring(calls.ended))
  }))
