import { Clock, Context, Effect, Option, Tracer } from "effect"
import { named } from "../../contract/text/names.ts"
import { type OperationRecord, RecordedSpan, type StepRecord } from "./recorded-span.ts"
import type { StepAttributes } from "./spans.ts"

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
  /** `running` for work that goes on after the operation's end. */
  readonly outcome: string
  readonly attributes: StepAttributes
}

/** An operation with its steps, each before its own steps. */
export interface OperationTiming {
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
  /** Whether a span of the operation has any use: a short command goes without one. */
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
