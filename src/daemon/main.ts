import { Cause, Effect, Layer, Logger, LogLevel } from "effect"
import { layerResident } from "../local/layer.ts"
import { Paths } from "../system/Paths.ts"
import { makeTimings, Timings } from "../system/timings.ts"
import { forgetDaemon, serve } from "./serve.ts"

/** How long an exec takes is up to its command. */
const isKept = (operation: string) => operation !== "workspace.exec"

/** Records where operations spend their time, for as long as the effect runs. */
const withTimings = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const timings = makeTimings({ isKept })
    return work.pipe(Effect.provideService(Timings, timings), Effect.withTracer(timings.tracer))
  })

/** The daemon as a program that logs to its stderr; its effect never fails and gives the status to leave with. */
export const daemon = (version: string): Effect.Effect<number> =>
  serve(version).pipe(
    Effect.as(0),
    // Two clients that started one each: the second finds the workspaces taken and has nothing to do.
    Effect.catchTag("DaemonUnavailable", (failure) => Effect.as(Effect.logInfo(failure.message), 0)),
    Effect.provide(Layer.merge(layerResident, Paths.layer)),
    withTimings,
    // Last: until everything is released there is somebody to wait for.
    Effect.ensuring(Effect.provide(forgetDaemon, Paths.layer).pipe(Effect.ignore)),
    Effect.catchAll((failure) => Effect.as(Effect.logError(failure.message), 1)),
    // A line that the client can quote, and the trace before it.
    Effect.catchAllDefect((defect) =>
      Effect.logError("a defect", Cause.die(defect)).pipe(
        Effect.zipRight(Effect.logError(String(defect))),
        Effect.as(1)
      )
    ),
    Effect.provide(Logger.minimumLogLevel(LogLevel.Info))
  )
