import { Effect, Layer } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import { Paths } from "../system/files/Paths.ts"
import { makeSession, type Session } from "./connection/session.ts"
import { makeExec } from "./exec.ts"
import { nested } from "./nested.ts"
import { daemonRuns as runs, type StartDaemon } from "./start-daemon.ts"
import type { StartedExec } from "./started-exec.ts"
import { streaming } from "./streaming.ts"
import { unary } from "./unary.ts"

const isResumable = ({ resumable }: { readonly resumable?: true }) => resumable === true

const callOf = (session: Session, row: Operation, started: StartedExec | undefined) =>
  row.kind === "unary"
    ? unary(session, row)
    : isResumable(row)
    ? makeExec(session, row, started)
    : streaming(session, row)

/** Pyro behind the daemon of this installation, which is started when there is none. */
export const layerDaemon = (start: StartDaemon, started?: StartedExec): Layer.Layer<Pyro, PyroError> =>
  Layer.effect(
    Pyro,
    Effect.gen(function*() {
      // The session outlives this Effect, so it gets its services now.
      const session = yield* makeSession(start, yield* Paths, started?.request)
      return nested((row) => callOf(session, row, started)) as PyroService
    })
  ).pipe(Layer.provide(Paths.layer))

/** Whether a daemon of this version already runs, so that a request starts none. */
export const daemonRuns = (version: string) => Effect.provide(runs(version), Paths.layer)
