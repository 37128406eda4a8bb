import * as OtlpLogger from "@effect/opentelemetry/OtlpLogger"
import * as OtlpMetrics from "@effect/opentelemetry/OtlpMetrics"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { Effect, Fiber, FiberSet, Layer, type Logger, type Scope, type Tracer } from "effect"
import type { OtlpSettings } from "./settings.ts"

// A bundle of its own (scripts/build.mjs): a daemon loads this module only if an endpoint is set.

/** How long the end of the daemon waits for the last export, in ms. */
const SHUTDOWN_MS = 1_500

export interface Exporter {
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
      Effect.tapError(({ reason }: HttpClientError) => warn(reason))
    ))
}

const client = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, withWarning)).pipe(
  Layer.provide(FetchHttpClient.layer)
)

/**
 * Lets requests that are on their way at the end of the Scope arrive. The library interrupts them, and has removed their items from its
 * buffer by then.
 */
const untilArrived = Effect.gen(function*() {
  const client = yield* HttpClient.HttpClient
  const requests = yield* FiberSet.make<HttpClientResponse, HttpClientError>()
  yield* Effect.addFinalizer(() =>
    // A finalizer is not interruptible, and the limit would wait for what it limits.
    FiberSet.awaitEmpty(requests).pipe(Effect.interruptible, Effect.timeoutOption(SHUTDOWN_MS))
  )
  return HttpClient.transformResponse(
    client,
    (response) => Effect.flatMap(FiberSet.run(requests, response), Fiber.join)
  )
})

const urlOf = ({ endpoint }: OtlpSettings, signal: "traces" | "metrics" | "logs") =>
  `${endpoint.replace(/\/+$/, "")}/v1/${signal}`

/** Exports until the Scope closes, which sends what is left. */
export const startExporter = (
  settings: OtlpSettings,
  version: string
): Effect.Effect<Exporter, never, Scope.Scope> => {
  const common = {
    headers: settings.headers,
    resource: { serviceName: settings.serviceName, serviceVersion: version, attributes: settings.resource },
    shutdownTimeout: SHUTDOWN_MS
  }
  const exporters = Effect.gen(function*() {
    const tracer = yield* OtlpTracer.make({
      ...common,
      url: urlOf(settings, "traces"),
      exportInterval: settings.spanIntervalMs
    })
    yield* OtlpMetrics.make({
      ...common,
      url: urlOf(settings, "metrics"),
      exportInterval: settings.metricIntervalMs
    })
    const logger = yield* OtlpLogger.make({
      ...common,
      url: urlOf(settings, "logs"),
      exportInterval: settings.logIntervalMs
    })
    return { tracer, logger }
  })
  return untilArrived.pipe(
    Effect.flatMap((client) =>
      exporters.pipe(Effect.parallelFinalizers, Effect.provideService(HttpClient.HttpClient, client))
    ),
    Effect.provide(
      Layer.merge(
        client,
        settings.protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf
      )
    )
  )
}
