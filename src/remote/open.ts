import { Effect, type Scope } from "effect"
import { ContextUnreachable, type PyroError } from "../contract/errors/errors.ts"
import { command } from "../contract/errors/next-step.ts"
import { typed } from "../contract/text/printable.ts"
import { sshAddress } from "../contract/text/ssh-address.ts"
import { type Greeting, readGreeting } from "../contract/wire/greeting.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import type { RemoteContext } from "./contexts.ts"
import { destination } from "./ssh/arguments.ts"
import { meaningOf, quoted, wantsPerson } from "./ssh/failure.ts"
import { ProcessConnection } from "./ssh/process.ts"
import { logIn, SSH, wayTo } from "./ssh/way.ts"

/** Maximum time until the server's greeting: a login, and the start of a daemon, in ms. */
const GREETING_MS = 90_000 * deadlineScale

/** Waits for the greeting. Bytes after it stay in the connection. Undefined: the connection has ended. Text: something else was said. */
const greetingOf = (connection: ProcessConnection) =>
  Effect.callback<Greeting | string | undefined>((resume) => {
    let bytes = Buffer.alloc(0)
    const done = (result: Greeting | string | undefined) => {
      connection.off("readable", look).off("close", closed)
      resume(Effect.succeed(result))
    }
    const closed = () => done(undefined)
    const look = () => {
      for (let chunk: unknown; (chunk = connection.read()) !== null;) {
        bytes = Buffer.concat([bytes, chunk as Buffer])
        const found = readGreeting(bytes)
        if (found._tag === "More") continue
        if (found._tag === "None") return done(found.said)
        if (found.rest.length > 0) connection.unshift(found.rest)
        return done(found.greeting)
      }
    }
    connection.on("readable", look).on("close", closed)
  })

interface Asking {
  /** Whether ssh may ask the person on the terminal of this process. */
  readonly mayAsk: boolean
  readonly stateDir: string
}

/**
 * Opens lines to the daemon of a context's machine, which starts there if none runs. Each line is a process of ssh, which the Scope ends. Fails with
 * `ContextUnreachable`, or with the error that `pyro serve --stdio` has there.
 */
export const makeOpen = (context: RemoteContext, { mayAsk, stateDir }: Asking) => {
  const { command: program = "pyro", name, url } = context
  const address = sshAddress(url)
  const byHand = typeof address === "string" ? {} : {
    next: [
      command(
        "Try the way by hand",
        typed([SSH, ...destination(address).filter((word) => word !== "--"), `${program} --version`])
      )
    ]
  }
  const unreachable = (detail: string) => new ContextUnreachable({ context: name, url, detail, ...byHand })
  const way = typeof address === "string"
    ? Effect.fail(unreachable(address))
    : Effect.mapError(
      wayTo(address, stateDir),
      (error) => unreachable(meaningOf({ status: undefined, signal: undefined, error }, "", program))
    )
  let asked = !mayAsk
  const open: Effect.Effect<ProcessConnection, PyroError, Scope.Scope> = Effect.gen(function*() {
    const { isShared, loggingIn, running } = yield* way
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() => new ProcessConnection(SSH, running(`${program} serve --stdio`))),
      (made) => Effect.sync(() => void made.destroy())
    )
    const greeting = yield* greetingOf(connection).pipe(
      Effect.timeoutOrElse({
        duration: GREETING_MS,
        orElse: () => Effect.fail(unreachable(`no answer for ${GREETING_MS / 1000} s`))
      })
    )
    if (typeof greeting === "string") {
      return yield* unreachable(`\`${program} serve --stdio\` does not answer as pyro does: ${quoted(greeting)}`)
    }
    if (greeting?.error !== undefined) return yield* Effect.fail(greeting.error)
    if (greeting !== undefined) return connection
    const ended = yield* Effect.promise(() => connection.ended)
    if (isShared && !asked && wantsPerson(ended, connection.stderr)) {
      asked = true
      if ((yield* logIn(loggingIn)) === 0) return yield* open
    }
    return yield* unreachable(meaningOf(ended, connection.stderr, program))
  })
  return open
}
