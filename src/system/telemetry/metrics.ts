import { Context, Effect, Metric, type Scope } from "effect"
import { acquirePlain } from "../waits/effects.ts"

// The metrics of this process, in Effect's registry: `pyro daemon status` shows them and OTLP exports them. Labels are names of
// operations, outcomes and directions only, so the number of series is bounded. An update is a plain call, because short commands make one.

type Labels = Readonly<Record<string, string>>

const DURATION = "pyro.operation.duration"
const BYTES = "pyro.bytes"
const POOL_REQUESTS = "pyro.pool.requests"
const POOL_MEMBERS = "pyro.pool.members"
const LIVE_VMS = "pyro.vms.live"

/** Upper limits of the buckets: 1 ms to 65.5 s in factors of 2. */
const durationBoundaries = Metric.exponentialBoundaries({ start: 1, factor: 2, count: 18 })

/** A metric for each combination of labels, so that an update looks up no series. */
const perLabels = <M>(make: (attributes: Labels) => M) => {
  const made = new Map<string, M>()
  return (labels: Labels): M => {
    const id = Object.values(labels).join(" ")
    let metric = made.get(id)
    if (metric === undefined) {
      metric = make(labels)
      made.set(id, metric)
    }
    return metric
  }
}

const counters = (name: string, description: string) =>
  perLabels((attributes) => Metric.counter(name, { description, incremental: true, attributes }))

const durations = perLabels((attributes) =>
  Metric.histogram(DURATION, {
    boundaries: durationBoundaries,
    description: "Time from the request to the last event of an operation",
    attributes
  })
)
const bytes = counters(BYTES, "Bytes that crossed between the host and workspaces")
const poolRequests = counters(POOL_REQUESTS, "Requests for a microVM of the pool")
const poolMembers = Metric.gauge(POOL_MEMBERS, { description: "MicroVMs that wait in the pool" })
const liveVms = Metric.gauge(LIVE_VMS, { description: "MicroVMs that run or wait" })

/** The metrics are in the registry of the empty context. */
const NONE = Context.empty()

/** Records the end of an operation. The outcome is `ok`, `interrupted`, `defect` or the code of an error. */
export const recordOperation = (operation: string, outcome: string, durationMs: number): void =>
  void durations({ operation, outcome, unit: "ms" }).updateUnsafe(durationMs, NONE)

/** Counts bytes into workspaces (by a seed or a push) or out of them (by an export or as output of commands). */
type Crossing = "seed" | "push" | "export" | "output"

export const countBytes = (crossing: Crossing, count: number): void =>
  void bytes({ crossing, unit: "By" }).updateUnsafe(count, NONE)

export const countPoolRequest = (result: "hit" | "miss"): void => void poolRequests({ result }).updateUnsafe(1, NONE)

export const setPoolMembers = (members: number): void => void poolMembers.updateUnsafe(members, NONE)

let live = 0
const changeLive = (by: number) => {
  live += by
  liveVms.updateUnsafe(live, NONE)
}

/** Counts a microVM as live until the Scope closes. */
export const liveVm: Effect.Effect<void, never, Scope.Scope> = acquirePlain(
  Effect.sync(() => changeLive(1)),
  () => changeLive(-1)
)

/** Operations of one kind and outcome. */
interface OperationMetrics {
  readonly operation: string
  readonly outcome: string
  readonly count: number
  readonly meanMs: number
  readonly p95Ms: number
  readonly maxMs: number
}

/** All metrics since the start of this process. */
interface Metrics {
  readonly operations: ReadonlyArray<OperationMetrics>
  readonly refusals: ReadonlyArray<{ readonly code: string; readonly count: number }>
  readonly pool: { readonly hits: number; readonly misses: number; readonly members: number }
  readonly liveVms: number
  readonly bytes: Readonly<Record<Crossing, number>>
}

/** Upper limit of the bucket that holds the 95th percentile, or the maximum where that is smaller. */
const p95Of = ({ buckets, count, max }: Metric.HistogramState) => {
  for (const [limit, below] of buckets) {
    if (below >= 0.95 * count) return Math.min(limit, max)
  }
  return max
}

const NO_ERROR = new Set(["ok", "interrupted", "defect"])

const refusalsOf = (operations: ReadonlyArray<OperationMetrics>) => {
  const counts = new Map<string, number>()
  for (const { count, outcome } of operations) {
    if (!NO_ERROR.has(outcome)) counts.set(outcome, (counts.get(outcome) ?? 0) + count)
  }
  return Array.from(counts, ([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count)
}

/** Reads all metrics of this process. */
export const readMetrics: Effect.Effect<Metrics> = Effect.sync(() => {
  const operations: Array<OperationMetrics> = []
  const single = new Map<string, number>()
  for (const metric of Metric.snapshotUnsafe(NONE)) {
    const { attributes = {}, id } = metric
    const [first = "", second = ""] = Object.values(attributes)
    if (metric.type === "Histogram" && id === DURATION) {
      const { count, max, sum } = metric.state
      const shape = { count, meanMs: sum / count, p95Ms: p95Of(metric.state), maxMs: max }
      operations.push({ operation: first, outcome: second, ...shape })
    } else if (metric.type === "Counter") {
      single.set(`${id} ${first}`, Number(metric.state.count))
    } else if (metric.type === "Gauge") {
      single.set(id, Number(metric.state.value))
    }
  }
  operations.sort((a, b) => a.operation.localeCompare(b.operation) || b.count - a.count)
  const value = (name: string) => single.get(name) ?? 0
  return {
    operations,
    refusals: refusalsOf(operations),
    pool: {
      hits: value(`${POOL_REQUESTS} hit`),
      misses: value(`${POOL_REQUESTS} miss`),
      members: value(POOL_MEMBERS)
    },
    liveVms: value(LIVE_VMS),
    bytes: {
      seed: value(`${BYTES} seed`),
      push: value(`${BYTES} push`),
      export: value(`${BYTES} export`),
      output: value(`${BYTES} output`)
    }
  }
})
