import { Effect, Layer, type Logger, Scope, type Tracer } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type { OtlpSettings } from "./settings.ts"

// A bundle of its own (scripts/build.mjs): a daemon loads this module only if an endpoint is set.

/** Maximum wait of the daemon's end for the last export, in ms. */
const SHUTDOWN_MS = 1_500

interface Exporter {
  readonly tracer: Tracer.Tracer
  readonly logger: Logger.Logger<unknown, void>
}

/** Logs the first of several failures in a row: an exporter repeats a failed request, and then pauses for a minute. */
const withWarning = (client: HttpClient.HttpClient) => {
  let isWarned = false
  const warn = (why: string) =>
    Effect.suspend(() => {
      if (isWarned) return Effect.void
      isWarned = true
      return Effect.logWarning(`telemetry is not delivered to OTEL_EXPORTER_OTLP_ENDPOINT: ${why}`)
    })
  return HttpClient.transformResponse(client, (response) =>
    response.pipe(
      Effect.tap(({ status }) => status < 400 ? Effect.sync(() => (isWarned = false)) : warn(`status ${status}`)),
      Effect.tapError(({ reason }) => warn(reason._tag.replace(/Error$/, "")))
    ))
}

const client = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, withWarning)).pipe(
  Layer.provide(FetchHttpClient.layer)
)

const urlOf = ({ endpoint }: OtlpSettings, signal: "traces" | "metrics" | "logs") =>
  `${endpoint.replace(/\/+$/, "")}/v1/${signal}`

/** Exports until the Scope closes. The close sends the rest. */
export const startExporter = (
  settings: OtlpSettings,
  version: string
): Effect.Effect<Exporter, never, Scope.Scope> => {
  const common = {
    headers: settings.headers,
    resource: { serviceName: settings.serviceName, serviceVersion: version, attributes: settings.resource },
    shutdownTimeout: SHUTDOWN_MS
  }
  return Effect.gen(function*() {
    // The exporters send their rest at the same time.
    const end = yield* Scope.fork(yield* Effect.scope, "parallel")
    const untilEnd = <A, E, R>(exporter: Effect.Effect<A, E, R>) =>
      Effect.flatMap(Scope.fork(end), (scope) => Scope.provide(exporter, scope))
    const tracer = yield* untilEnd(OtlpTracer.make({
      ...common,
      url: urlOf(settings, "traces"),
      exportInterval: settings.spanIntervalMs
    }))
    yield* untilEnd(OtlpMetrics.make({
      ...common,
      url: urlOf(settings, "metrics"),
      exportInterval: settings.metricIntervalMs
    }))
    const logger = yield* untilEnd(OtlpLogger.make({
      ...common,
      url: urlOf(settings, "logs"),
      exportInterval: settings.logIntervalMs
    }))
    return { tracer, logger }
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        client,
        OtlpExporter.layerFlusher,
        settings.protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf
      )
    )
  )
}
