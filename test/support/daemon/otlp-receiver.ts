import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { lapsed } from "../until.ts"

export interface Received {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

interface Value {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly boolValue?: boolean
}
interface Attribute {
  readonly key: string
  readonly value: Value
}
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly events: ReadonlyArray<unknown>
  readonly status: { readonly code: number; readonly message?: string }
}
export interface Metric {
  readonly name: string
  readonly histogram?: {
    readonly dataPoints: ReadonlyArray<{ readonly count: number; readonly attributes: Array<Attribute> }>
  }
}
export interface LogRecord {
  readonly severityText: string
  readonly body: Value
}
interface Document {
  readonly resourceSpans?: ReadonlyArray<
    { readonly resource: Resource; readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }> }
  >
  readonly resourceMetrics?: ReadonlyArray<
    { readonly resource: Resource; readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<Metric> }> }
  >
  readonly resourceLogs?: ReadonlyArray<
    {
      readonly resource: Resource
      readonly scopeLogs: ReadonlyArray<{ readonly logRecords: ReadonlyArray<LogRecord> }>
    }
  >
}
interface Resource {
  readonly attributes: ReadonlyArray<Attribute>
}

/** A small OTLP receiver over HTTP. Its getters decode OTLP's JSON. It takes a request after `delayMs`, if its client still waits. */
export const otlpReceiver = async ({ delayMs = 0 } = {}) => {
  const received: Array<Received> = []
  let status = 200
  const server = http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", async () => {
      if (delayMs > 0) await lapsed(delayMs)
      if (request.socket.destroyed) return
      received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) })
      response.writeHead(status, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const documents = () => received.map(({ body }) => JSON.parse(body.toString("utf8")) as Document)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (code: number) => void (status = code),
    spans: () =>
      documents().flatMap(({ resourceSpans = [] }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      ),
    metrics: () =>
      documents().flatMap(({ resourceMetrics = [] }) =>
        resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      ),
    logs: () =>
      documents().flatMap(({ resourceLogs = [] }) =>
        resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
      ),
    resources: () =>
      documents().flatMap(({ resourceLogs = [], resourceMetrics = [], resourceSpans = [] }) =>
        [...resourceSpans, ...resourceMetrics, ...resourceLogs].map(({ resource }) =>
          new Map(resource.attributes.map(({ key, value }) => [key, value.stringValue]))
        )
      ),
    close: () => server.close()
  } as const
}
