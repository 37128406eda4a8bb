import { Cause, Effect, Layer, Logger, Metric, Option, References } from "effect"
import { SecretRegistry } from "../lib/redaction/secrets.ts"
import { Paths } from "../system/files/Paths.ts"
import { makeTimings, type SpanExporter, Timings } from "../system/telemetry/timings.ts"
import { layerResident } from "./layer.ts"
import { type OtlpSettings, otlpSettings } from "./otlp/settings.ts"
import { redactedLogger, withRedactedLog } from "./redacted-log.ts"
import { forgetDaemon, serve } from "./serve.ts"

/** The duration of an exec depends on its command. */
const isKept = (operation: string) => operation !== "workspace.exec"

/** The exporter is a bundle with an Effect of its own, so it gets this bundle's metrics. */
const startExport = (settings: OtlpSettings, version: string) =>
  Effect.gen(function*() {
    const { startExporter } = yield* Effect.promise(() => import("./otlp/exporter.ts"))
    const registry = yield* Metric.MetricRegistry
    return yield* Effect.provideService(startExporter(settings, version), Metric.MetricRegistry, registry)
  })

/**
 * Records where operations spend their time while the effect runs. With OTEL_EXPORTER_OTLP_ENDPOINT, spans, metrics and log
 * lines also go out over OTLP.
 */
const withTelemetry = (version: string) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    // A malformed number is the error of the work itself, which checks all variables.
    const settings = Option.flatten(yield* Effect.option(otlpSettings))
    const known = yield* SecretRegistry
    const exporter = Option.isNone(settings) ? undefined : yield* startExport(settings.value, version)
    const spans: SpanExporter | undefined = Option.isNone(settings) || exporter === undefined ? undefined : {
      tracer: exporter.tracer,
      samples: () => Math.random() < settings.value.sampleRatio
    }
    const timings = makeTimings({ isKept, exporter: spans })
    const timed = work.pipe(Effect.provideService(Timings, timings), Effect.withTracer(timings.tracer))
    return yield* exporter === undefined
      ? timed
      : Effect.provide(timed, Logger.layer([redactedLogger(known, exporter.logger)], { mergeWithExisting: true }))
  }))

/** The daemon as a program that logs to stderr. Its effect never fails, and gives the exit status. */
export const daemon = (version: string): Effect.Effect<number> =>
  serve(version).pipe(
    Effect.as(0),
    // Two clients may start a daemon each: the second daemon finds the workspaces taken, and leaves.
    Effect.catchTag("DaemonUnavailable", (failure) => Effect.as(Effect.logInfo(failure.message), 0)),
    Effect.provide(Layer.merge(layerResident, Paths.layer)),
    // Last: until then a client waits for the release.
    Effect.ensuring(Effect.provide(forgetDaemon, Paths.layer).pipe(Effect.ignore)),
    Effect.catch((failure) => Effect.as(Effect.logError(failure.message), 1)),
    // The trace, and then a line that the client can quote.
    Effect.catchDefect((defect) =>
      Effect.logError("a defect", Cause.die(defect)).pipe(
        Effect.andThen(Effect.logError(String(defect))),
        Effect.as(1)
      )
    ),
    // Outermost: the last lines of the log are exported, too.
    withTelemetry(version),
    Effect.provideService(References.MinimumLogLevel, "Info"),
    withRedactedLog,
    Effect.provide(SecretRegistry.layer)
  )
