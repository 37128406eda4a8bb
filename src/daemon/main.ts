import { Effect, Layer, Logger, LogLevel } from "effect"
import { layerResident } from "../local/layer.ts"
import { Paths } from "../system/Paths.ts"
import { serve } from "./serve.ts"

/** What a daemon says goes to stderr, which is its log file. */
const logging = Layer.merge(
  Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)),
  Logger.minimumLogLevel(LogLevel.Info)
)

/** The daemon as a program; its effect never fails and gives the status to leave with. */
export const daemon = (version: string): Effect.Effect<number> =>
  serve(version).pipe(
    Effect.as(0),
    // Two clients that started one each: the second finds the workspaces taken and has nothing to do.
    Effect.catchTag("DaemonUnavailable", (failure) => Effect.as(Effect.logInfo(failure.message), 0)),
    Effect.provide(Layer.merge(layerResident, Paths.layer)),
    Effect.catchAll((failure) => Effect.as(Effect.logError(failure.message), 1)),
    Effect.provide(logging)
  )
