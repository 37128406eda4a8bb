import { type Context, Exit, Option, type Tracer } from "effect"
import { outcomeOf, type StepAttributes } from "./spans.ts"

/** A step of an operation as it is kept: no values of the effect that it measured. */
export interface StepRecord {
  readonly name: string
  readonly startNs: bigint
  endNs: bigint | undefined
  outcome: string
  readonly attributes: Map<string, StepAttributes[string]>
  readonly steps: Array<StepRecord>
}

/** An operation that its steps add to until it ends. */
export interface OperationRecord extends StepRecord {
  /** Number of steps at all depths. */
  stepCount: number
  /** Number of steps that found no room. */
  omittedSteps: number
}

/** Maximum number of steps of one operation: a large fork has some 20 for each of 16 children. */
const MAX_STEPS = 512

const isRecorded = (value: unknown): value is StepAttributes[string] =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

export interface SpanOptions {
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

/** Takes what an exporter may tell of an outcome: its code, and no message, which may quote the user's data. */
const codeOnly = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit)) return Exit.void
  const code = outcomeOf(exit)
  if (code === "interrupted") return exit
  const error = new Error(code)
  error.name = code
  error.stack = code
  return Exit.fail(error)
}

/** A span that notes itself in the record of its operation. */
export class RecordedSpan implements Tracer.Span {
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
  /** The operation while it runs: a span that starts later is no step of it. */
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
