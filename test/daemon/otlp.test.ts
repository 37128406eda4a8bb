import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { otlpReceiver } from "../support/daemon/otlp-receiver.ts"
import { installation } from "../support/installation.ts"

type Receiver = Awaited<ReturnType<typeof otlpReceiver>>

const variablesOf = ({ url }: Receiver) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20secret-token",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_SERVICE_NAME: "pyro-under-test",
  OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test,team=agents%20%26%20tools"
})

/** What a daemon exports from its start to its end, while `work` asks it for something. */
const exported = async (
  receiver: Receiver,
  variables: Readonly<Record<string, string>>,
  work: (pyro: ReturnType<typeof installation>) => Promise<unknown>
) => {
  const pyro = installation("pyro-otlp-", { env: { ...variablesOf(receiver), ...variables } })
  await pyro.list()
  await work(pyro)
  await pyro.close()
}

describe("a daemon with OTEL_EXPORTER_OTLP_ENDPOINT", () => {
  let receiver: Receiver
  const name = "name-of-a-customer"
  beforeAll(async () => {
    receiver = await otlpReceiver()
    await exported(receiver, {}, (pyro) => pyro.failure(["workspace", "status", name]))
  }, 120_000)
  afterAll(() => receiver.close())

  it("the OTLP export has a span for each operation, with its outcome", () => {
    const spans = receiver.spans()
    const list = spans.find((span) => span.name === "workspace.list")
    const status = spans.find((span) => span.name === "workspace.status")
    assert.deepInclude(list, { kind: 2, status: { code: 1 } })
    assert.match(list!.traceId, /^[0-9a-f]{32}$/)
    assert.isTrue(BigInt(list!.endTimeUnixNano) > BigInt(list!.startTimeUnixNano))
    assert.deepEqual(status?.status, { code: 2, message: "workspace_not_found" })
  })

  it("the OTLP export has the metrics", () => {
    const durations = receiver.metrics().findLast((metric) => metric.name === "pyro.operation.duration")
    const labels = durations!.histogram!.dataPoints.map(({ attributes }) =>
      attributes.map(({ value }) => value.stringValue).join(" ")
    )
    assert.includeMembers(labels, ["workspace.list ok ms", "workspace.status workspace_not_found ms"])
  })

  it("the OTLP export has the lines of the daemon's log, also the last one", () => {
    const lines = receiver.logs().map(({ body }) => body.stringValue ?? "")
    assert.isTrue(lines.some((line) => /^pyro .*: ready$/.test(line)), lines.join("\n"))
  })

  it("the OTLP export has the headers, service name and resource attributes of the OTEL_ variables", () => {
    for (const { headers } of receiver.received) assert.strictEqual(headers.authorization, "Bearer secret-token")
    for (const resource of receiver.resources()) {
      assert.strictEqual(resource.get("service.name"), "pyro-under-test")
      assert.match(resource.get("service.version") ?? "", /^\d+\.\d+\.\d+ /)
      assert.strictEqual(resource.get("deployment.environment"), "test")
      assert.strictEqual(resource.get("team"), "agents & tools")
    }
  })

  it("the OTLP export has no argument of an operation and no message of an error", () => {
    const all = receiver.received.map(({ body }) => body.toString("utf8")).join("\n")
    assert.include(all, "workspace_not_found")
    assert.notInclude(all, name)
    assert.notInclude(all, "secret-token")
  })
})

describe("a daemon whose OTLP export", () => {
  it("the OTLP export is in protobuf unless JSON is requested", async () => {
    const receiver = await otlpReceiver()
    await exported(receiver, { OTEL_EXPORTER_OTLP_PROTOCOL: "" }, (pyro) => pyro.list())
    const traces = receiver.received.find(({ path }) => path === "/v1/traces")
    assert.strictEqual(traces?.headers["content-type"], "application/x-protobuf")
    assert.include(traces!.body.toString("latin1"), "workspace.list")
    receiver.close()
  })

  it("a disabled or sampled-out OTLP export sends no span", async () => {
    const receiver = await otlpReceiver()
    await exported(receiver, { OTEL_SDK_DISABLED: "true" }, (pyro) => pyro.list())
    assert.deepStrictEqual(receiver.received, [])
    await exported(receiver, { OTEL_TRACES_SAMPLER: "always_off" }, (pyro) => pyro.list())
    assert.deepStrictEqual(receiver.spans(), [])
    assert.isNotEmpty(receiver.metrics())
    receiver.close()
  })

  it("an OTLP export that is on its way at the end of the daemon arrives", async () => {
    const receiver = await otlpReceiver({ delayMs: 700 })
    await exported(receiver, { OTEL_BLRP_SCHEDULE_DELAY: "20" }, () => Promise.resolve())
    const lines = receiver.logs().map(({ body }) => body.stringValue ?? "")
    assert.isTrue(lines.some((line) => /^pyro .*: ready$/.test(line)), lines.join("\n"))
    receiver.close()
  })

  it("an OTLP receiver that does not answer does not keep the daemon", async () => {
    const receiver = await otlpReceiver({ delayMs: 60_000 })
    await exported(receiver, { OTEL_BLRP_SCHEDULE_DELAY: "20" }, () => Promise.resolve())
    assert.deepStrictEqual(receiver.received, [])
    receiver.close()
  }, 30_000)

  it("a refused OTLP export is logged once, and the daemon works on and exits soon", async () => {
    const receiver = await otlpReceiver()
    receiver.answer(401)
    await exported(receiver, { OTEL_BSP_SCHEDULE_DELAY: "50", OTEL_BLRP_SCHEDULE_DELAY: "50" }, async (pyro) => {
      await pyro.list()
      let text = ""
      while (!text.includes("telemetry is not delivered")) {
        text = (await pyro.json<{ readonly text: string }>(["daemon", "logs"])).text
        await pyro.list()
      }
      assert.include(text, "telemetry is not delivered to OTEL_EXPORTER_OTLP_ENDPOINT: status 401")
      assert.strictEqual(text.split("telemetry is not delivered").length, 2)
    })
    receiver.close()
  })

  it("an OTLP export without an http URL is logged and sends nothing", async () => {
    const receiver = await otlpReceiver()
    await exported(receiver, { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" }, async (pyro) => {
      const { text } = await pyro.json<{ readonly text: string }>(["daemon", "logs"])
      assert.include(text, "telemetry is not exported: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL")
    })
    assert.deepStrictEqual(receiver.received, [])
    receiver.close()
  })
})
