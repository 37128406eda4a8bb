import { Clock, Context, Effect, Exit, Option, Tracer } from "effect"
import { named } from "../../contract/text/names.ts"
import { outcomeOf, type StepAttributes } from "./spans.ts"

/** A recorded step of an operation, without values of the measured effect. */
interface StepRecord {
  readonly name: string
  readonly startNs: bigint
  endNs: bigint | undefined
  outcome: string
  readonly attributes: Map<string, StepAttributes[string]>
  readonly steps: Array<StepRecord>
}

/** A recorded operation, which gets its steps until its end. */
interface OperationRecord extends StepRecord {
  /** Number of steps at all depths. */
  stepCount: number
  /** Number of steps beyond the maximum. */
  omittedSteps: number
}

/** Maximum number of steps of one operation: a large fork has some 20 for each of 16 children. */
const MAX_STEPS = 512

const isRecorded = (value: unknown): value is StepAttributes[string] =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

interface SpanOptions {
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations: Context.Context<never>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  readonly startTime: bigint
  readonly kind: Tracer.SpanKind
  /** The same span of an exporter; undefined if no exporter wants the span. */
  readonly exported: Tracer.Span | undefined
  /** Called at the end of a span without a parent. */
  readonly onEnd: (operation: OperationRecord, kind: Tracer.SpanKind) => void
}

/** The outcome for an exporter: its code, without the message, which may quote the user's data. */
const codeOnly = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit)) return Exit.void
  const code = outcomeOf(exit)
  if (code === "interrupted") return exit
  const error = new Error(code)
  error.name = code
  error.stack = code
  return Exit.fail(error)
}

/** A span that adds itself to the record of its operation. */
class RecordedSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly name: string
  readonly spanId: string
  readonly traceId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly annotations: Context.Context<never>
  readonly attributes = new Map<string, unknown>()
  readonly links: ReadonlyArray<Tracer.SpanLink>
  readonly sampled: boolean
  readonly kind: Tracer.SpanKind
  status: Tracer.SpanStatus
  readonly #exported: Tracer.Span | undefined
  readonly #onEnd: SpanOptions["onEnd"]
  readonly #record: StepRecord
  /** The operation while it runs. A span that starts later is not a step of it. */
  readonly #operation: OperationRecord

  constructor({ annotations, exported, kind, links, name, onEnd, parent, startTime }: SpanOptions) {
    this.name = name
    this.parent = parent
    this.annotations = annotations
    this.links = links
    this.kind = kind
    this.status = { _tag: "Started", startTime }
    this.spanId = exported?.spanId ?? "0000000000000000"
    this.traceId = exported?.traceId ?? "00000000000000000000000000000000"
    this.sampled = exported !== undefined
    this.#exported = exported
    this.#onEnd = onEnd
    const operation: OperationRecord = {
      name,
      startNs: startTime,
      endNs: undefined,
      outcome: "running",
      attributes: new Map(),
      steps: [],
      stepCount: 0,
      omittedSteps: 0
    }
    this.#record = operation
    const above = Option.isSome(parent) && parent.value instanceof RecordedSpan ? parent.value : undefined
    this.#operation = above !== undefined && above.#operation.endNs === undefined ? above.#operation : operation
    if (above === undefined || this.#operation === operation) return
    if (this.#operation.stepCount >= MAX_STEPS) this.#operation.omittedSteps++
    else {
      this.#operation.stepCount++
      above.#record.steps.push(operation)
    }
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>) {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit: Exit.void }
    this.#record.endNs = endTime
    this.#record.outcome = outcomeOf(exit)
    this.#exported?.end(endTime, codeOnly(exit))
    if (this.#operation === this.#record) this.#onEnd(this.#operation, this.kind)
  }

  attribute(key: string, value: unknown) {
    if (!isRecorded(value)) return
    this.attributes.set(key, value)
    this.#record.attributes.set(key, value)
    this.#exported?.attribute(key, value)
  }

  event(name: string, startTime: bigint) {
    this.#exported?.event(name, startTime)
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>) {
    this.#exported?.addLinks(links)
  }
}

/** Minimum duration of an operation that is kept, in ms. */
export const SLOW_MS = 100
/** Number of operations that are kept. */
export const MAX_KEPT = 50

/** A step of an operation. */
export interface StepTiming {
  readonly name: string
  /** 0 for a step of the operation itself, 1 for a step of such a step. */
  readonly depth: number
  /** Time from the operation's start, in ms. */
  readonly startMs: number
  readonly durationMs: number
  /** `running` for work that continues after the operation's end. */
  readonly outcome: string
  readonly attributes: StepAttributes
}

/** An operation with its steps, each before its own steps. */
interface OperationTiming {
  readonly operation: string
  /** Start, in ms since 1970. */
  readonly startedAtMs: number
  readonly durationMs: number
  readonly outcome: string
  readonly attributes: StepAttributes
  readonly steps: ReadonlyArray<StepTiming>
  readonly omittedSteps: number
}

/** The last slow operations of this process. */
export class Timings extends Context.Service<Timings, {
  readonly tracer: Tracer.Tracer
  /** Whether anything uses a span of the operation: a short command has none. */
  readonly wants: (operation: string) => boolean
  /** Newest first. */
  readonly slow: (limit: number) => Effect.Effect<ReadonlyArray<OperationTiming>>
}>()("pyro/system/Timings") {}

/** An exporter of spans, and whether it wants the spans of one more operation. */
export interface SpanExporter {
  readonly tracer: Tracer.Tracer
  readonly samples: () => boolean
}

const msBetween = (fromNs: bigint, toNs: bigint) => Number(toNs - fromNs) / 1e6

const attributesOf = ({ attributes }: StepRecord): StepAttributes => named(attributes)

const timingOf = (record: OperationRecord, nowNs: bigint): OperationTiming => {
  const steps: Array<StepTiming> = []
  const add = (one: StepRecord, depth: number) => {
    steps.push({
      name: one.name,
      depth,
      startMs: msBetween(record.startNs, one.startNs),
      durationMs: msBetween(one.startNs, one.endNs ?? nowNs),
      outcome: one.outcome,
      attributes: attributesOf(one)
    })
    for (const below of one.steps) add(below, depth + 1)
  }
  for (const one of record.steps) add(one, 0)
  return {
    operation: record.name,
    startedAtMs: Number(record.startNs / 1_000_000n),
    durationMs: msBetween(record.startNs, record.endNs ?? nowNs),
    outcome: record.outcome,
    attributes: attributesOf(record),
    steps,
    omittedSteps: record.omittedSteps
  }
}

/**
 * Records the steps of every operation and keeps the last slow operations. An operation is a span of the kind `server`. `isKept` leaves
 * out operations whose duration is the caller's own.
 */
export const makeTimings = (
  options: {
    readonly exporter?: SpanExporter | undefined
    readonly isKept?: (operation: string) => boolean
  } = {}
): Timings["Service"] => {
  const { exporter, isKept = () => true } = options
  const kept: Array<OperationRecord> = []
  const onEnd = (record: OperationRecord, kind: Tracer.SpanKind) => {
    if (kind !== "server" || record.endNs === undefined || !isKept(record.name)) return
    if (msBetween(record.startNs, record.endNs) < SLOW_MS) return
    kept.push(record)
    if (kept.length > MAX_KEPT) kept.shift()
  }
  const tracer = Tracer.make({
    span: (options) => {
      const { parent } = options
      const isSampled = exporter !== undefined && (Option.isSome(parent) ? parent.value.sampled : exporter.samples())
      return new RecordedSpan({ ...options, exported: isSampled ? exporter.tracer.span(options) : undefined, onEnd })
    }
  })
  return {
    tracer,
    wants: (operation) => exporter !== undefined || isKept(operation),
    slow: (limit) =>
      Effect.map(
        Clock.currentTimeNanos,
        (nowNs) => kept.slice(-limit).reverse().map((record) => timingOf(record, nowNs))
      )
  }
}
