import { Effect, Logger, Metric, Option } from "effect"
import { SecretRegistry } from "../redaction/secrets.ts"
import { makeTimings, type SpanExporter, Timings } from "../system/telemetry/timings.ts"
import { type OtlpSettings, otlpSettings } from "./otlp/settings.ts"
import { redactedLogger } from "./redacted-log.ts"

/** How long an exec takes is up to its command. */
const isKept = (operation: string) => operation !== "workspace.exec"

/** The exporter is a bundle of its own, with an Effect of its own: it is given this one's metrics. */
const startExport = (settings: OtlpSettings, version: string) =>
  Effect.gen(function*() {
    const { startExporter } = yield* Effect.promise(() => import("./otlp/exporter.ts"))
    const registry = yield* Metric.MetricRegistry
    return yield* Effect.provideService(startExporter(settings, version), Metric.MetricRegistry, registry)
  })

/**
 * Records where operations spend their time, for as long as the effect runs. With OTEL_EXPORTER_OTLP_ENDPOINT, spans, metrics and log
 * lines also go out over OTLP.
 */
export const withTelemetry = (version: string) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
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
