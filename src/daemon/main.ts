import { Cause, Effect, Layer, References } from "effect"
import { layerResident } from "../local/layer.ts"
import { SecretRegistry } from "../redaction/secrets.ts"
import { Paths } from "../system/files/Paths.ts"
import { withRedactedLog } from "./redacted-log.ts"
import { forgetDaemon, serve } from "./serve.ts"
import { withTelemetry } from "./telemetry.ts"

/** The daemon as a program that logs to its stderr; its effect never fails and gives the status to leave with. */
export const daemon = (version: string): Effect.Effect<number> =>
  serve(version).pipe(
    Effect.as(0),
    // Two clients that started one each: the second finds the workspaces taken and has nothing to do.
    Effect.catchTag("DaemonUnavailable", (failure) => Effect.as(Effect.logInfo(failure.message), 0)),
    Effect.provide(Layer.merge(layerResident, Paths.layer)),
    // Last: until everything is released there is somebody to wait for.
    Effect.ensuring(Effect.provide(forgetDaemon, Paths.layer).pipe(Effect.ignore)),
    Effect.catch((failure) => Effect.as(Effect.logError(failure.message), 1)),
    // A line that the client can quote, and the trace before it.
    Effect.catchDefect((defect) =>
      Effect.logError("a defect", Cause.die(defect)).pipe(
        Effect.andThen(Effect.logError(String(defect))),
        Effect.as(1)
      )
    ),
    // Around all of it: the last lines of the log go out, too.
    withTelemetry(version),
    Effect.provideService(References.MinimumLogLevel, "Info"),
    withRedactedLog,
    Effect.provide(SecretRegistry.layer)
  )
