import { Data, Effect, FiberSet, type Scope } from "effect"
import { createServer, type Server, type Socket } from "node:net"

/** The host refused a port. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{
  /** Such as `EADDRINUSE` or `EACCES`. */
  readonly code: string
  readonly detail: string
}> {}

export interface ListenOptions {
  /** Port of 127.0.0.1. 0: any free one. */
  readonly port: number
  /** Clients at a time. Further ones are closed at once. */
  readonly maxClients: number
  /** Serves one client, whose socket is paused and `allowHalfOpen`. Its end, also by interruption, must end the socket. */
  readonly serve: (client: Socket) => Effect.Effect<void>
}

/** Listens until the Scope closes, which also interrupts the work for every client. Gives the port. */
export const listen = ({ maxClients, port, serve }: ListenOptions): Effect.Effect<number, ListenFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<never>()
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      // An error without a listener would end this process.
      client.on("error", () => {})
      run(serve(client))
    })
    server.maxConnections = maxClients
    yield* Effect.acquireRelease(bind(server, port), (bound) => Effect.sync(() => bound && server.close()))
    return (server.address() as { readonly port: number }).port
  })

const bind = (server: Server, port: number) =>
  Effect.callback<true, ListenFailed>((resume) => {
    const failed = (error: NodeJS.ErrnoException) =>
      resume(new ListenFailed({ code: error.code ?? "", detail: error.message }))
    server.once("error", failed).listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      // A later error, such as too many open files, ends no listener.
      server.off("error", failed).on("error", () => {})
      resume(Effect.succeed(true))
    })
  })
