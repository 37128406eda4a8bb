import { Effect, Option } from "effect"
import { daemonFiles } from "../system/files/daemon-files.ts"
import { Paths } from "../system/files/Paths.ts"
import { connect, socketTo } from "./connection/connection.ts"
import { daemonRuns } from "./start-daemon.ts"

/** A daemon that hangs, or that leaves just now, must not make its observer wait. */
const answerTimeout = "2 seconds"

/** The daemon's answer to one request. None if no daemon of this version runs or answers soon. Starts no daemon. */
export const askRunning = (
  version: string,
  operation: string,
  payload: unknown
): Effect.Effect<Option.Option<unknown>> =>
  Effect.scoped(Effect.gen(function*() {
    if (!(yield* daemonRuns(version))) return Option.none<unknown>()
    const { ask } = yield* connect(socketTo((yield* daemonFiles).socket))
    return yield* Effect.asSome(ask(operation, payload))
  })).pipe(
    Effect.timeout(answerTimeout),
    Effect.catchCause((cause) => Effect.as(Effect.logDebug(cause), Option.none<unknown>())),
    Effect.provide(Paths.layer),
    Effect.orElseSucceed(() => Option.none<unknown>())
  )
