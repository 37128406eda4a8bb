import { Effect, Option } from "effect"
import { named } from "../../contract/text/names.ts"
import { setting } from "../../system/settings/config.ts"

/** Export of traces, metrics and logs over OTLP, from the variables of OpenTelemetry. */
export interface OtlpSettings {
  readonly endpoint: string
  readonly protocol: "http/protobuf" | "http/json"
  /** May hold credentials: they are sent to the endpoint and go nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly resource: Readonly<Record<string, string>>
  /** Share of operations whose spans are exported, 0 to 1. */
  readonly sampleRatio: number
  readonly metricIntervalMs: number
  readonly spanIntervalMs: number
  readonly logIntervalMs: number
}

const decoded = (text: string) => Option.getOrElse(Option.liftThrowable(decodeURIComponent)(text), () => text)

/** Decodes `key=value,key=value`, whose values may be percent-encoded. */
const decodePairs = (text: string): Readonly<Record<string, string>> =>
  named(
    text.split(",").flatMap((pair) => {
      const at = pair.indexOf("=")
      const key = pair.slice(0, Math.max(0, at)).trim()
      return key === "" ? [] : [[decoded(key), decoded(pair.slice(at + 1).trim())] as const]
    })
  )

/** Share of a sampler. An operation has no parent, so a `parentbased` sampler decides as its root. */
const ratioOf = (sampler: string, argument: string): number => {
  switch (sampler.replace(/^parentbased_/, "")) {
    case "always_off":
      return 0
    case "traceidratio": {
      const ratio = argument === "" ? 1 : Number(argument)
      return ratio >= 0 && ratio <= 1 ? ratio : 1
    }
    default:
      return 1
  }
}

const isUrl = (text: string) => /^https?:\/\/[^/]/.test(text)

/** The settings of this process; none unless an endpoint is set and OpenTelemetry is not disabled. */
export const otlpSettings = Effect.gen(function*() {
  const endpoint = (yield* setting("OTEL_EXPORTER_OTLP_ENDPOINT")) ?? ""
  const isDisabled = ((yield* setting("OTEL_SDK_DISABLED")) ?? "").toLowerCase() === "true"
  if (endpoint === "" || isDisabled) return Option.none<OtlpSettings>()
  if (!isUrl(endpoint)) {
    yield* Effect.logWarning("telemetry is not exported: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL")
    return Option.none<OtlpSettings>()
  }
  const { "service.name": named, ...resource } = decodePairs((yield* setting("OTEL_RESOURCE_ATTRIBUTES")) ?? "")
  const settings: OtlpSettings = {
    endpoint,
    protocol: (yield* setting("OTEL_EXPORTER_OTLP_PROTOCOL")) === "http/json" ? "http/json" : "http/protobuf",
    headers: decodePairs((yield* setting("OTEL_EXPORTER_OTLP_HEADERS")) ?? ""),
    serviceName: (yield* setting("OTEL_SERVICE_NAME")) ?? named ?? "pyro",
    resource,
    sampleRatio: ratioOf(
      (yield* setting("OTEL_TRACES_SAMPLER")) ?? "",
      (yield* setting("OTEL_TRACES_SAMPLER_ARG")) ?? ""
    ),
    metricIntervalMs: yield* setting("OTEL_METRIC_EXPORT_INTERVAL"),
    spanIntervalMs: yield* setting("OTEL_BSP_SCHEDULE_DELAY"),
    logIntervalMs: yield* setting("OTEL_BLRP_SCHEDULE_DELAY")
  }
  return Option.some(settings)
})
