import { type NextStep, sentences, withSteps } from "../contract/errors/next-step.ts"
import { calledRow, takeable, typedStep } from "../contract/rows/next-steps.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { named, table } from "../contract/text/names.ts"
import type { Argument } from "./arguments.ts"
import type { ToolRow } from "./profile.ts"

/** The tool that failed, as far as its next steps need it. */
export interface StepContext {
  readonly args: ReadonlyArray<Argument>
  readonly row?: ToolRow
  /** Arguments of a tool of the server. Undefined if the server has no such tool. */
  readonly argumentsOf?: (tool: string) => ReadonlyArray<Argument> | undefined
}

type Given = Readonly<{ [field: string]: unknown }>

interface ToolCall {
  readonly tool: string
  readonly given: Given
}

/** Calls whose work is an argument of another tool. */
const ELSEWHERE = table<(given: Given) => ToolCall>({
  "workspace.rewind": ({ before, steps, workspace }) => ({
    tool: "workspace_reset",
    given: { workspace, before: String(before ?? steps ?? 1) }
  }),
  "workspace.rename": ({ workspace, name }) => ({ tool: "workspace_update", given: { workspace, name } })
})

const toolCall = (row: Operation, given: Given): ToolCall | undefined =>
  ELSEWHERE[row.name]?.(given) ?? ("tool" in row.mcp ? { tool: row.mcp.tool, given } : undefined)

/** A call by the names of a tool's arguments. Undefined if the tool lacks one: then only the user can make the call. */
const callText = (
  { given, tool }: ToolCall,
  choose: ReadonlyArray<string>,
  args: ReadonlyArray<Argument> | undefined
): string | undefined => {
  const nameOf = (field: string) => args?.find((one) => one.field === field)?.name
  const fields = Object.entries(given).filter(([, value]) => value !== undefined)
  if (
    args === undefined || [...fields.map(([field]) => field), ...choose].some((field) => nameOf(field) === undefined)
  ) {
    return undefined
  }
  const chosen = choose.length === 0 ? "" : `, with ${choose.map(nameOf).join(" and ")} of your choice`
  const json = JSON.stringify({ ...named(fields.map(([field, value]) => [nameOf(field)!, value])) })
  return `call ${tool} ${json}${chosen}`
}

/** A step that a model can take. Undefined if only the user can. */
const ownStep = (step: NextStep, context: StepContext): string | undefined => {
  if ("call" in step) {
    const row = calledRow(step)
    const found = row === undefined ? undefined : toolCall(row, step.with)
    const text = found && callText(found, step.choose ?? [], context.argumentsOf?.(found.tool))
    return text === undefined ? undefined : `${step.label}: ${text}`
  }
  if ("command" in step) return undefined
  if (!("option" in step)) return step.label
  const argument = context.args.find(({ field }) => field === step.option)
  if (argument === undefined) return undefined
  return step.value === undefined
    ? `${step.label}: another ${argument.name}`
    : `${step.label}: ${argument.name} ${JSON.stringify(step.value)}`
}

/** For an error without a step that could be taken. */
const ASK = "ask the user"

/**
 * What a model does next: the steps that it can take with the tools of its server. If there are none, what the user could do, in the words
 * of the command line.
 */
export const nextText = (next: ReadonlyArray<NextStep>, context: StepContext): string => {
  const steps = takeable(next).map((step) => ({ step, own: ownStep(step, context) }))
  const own = steps.flatMap((one) => one.own ?? [])
  const ofUser = steps.flatMap((one) => one.own === undefined ? [typedStep(one.step, context.row?.cli)] : [])
  if (own.length === 0) return steps.length === 0 ? ASK : sentences([`${ASK}, who alone can do this`, ...ofUser])
  // A model that can call something needs no way of the user.
  const isCall = steps.some((one) => one.own !== undefined && ("call" in one.step || "option" in one.step))
  return sentences(isCall || ofUser.length === 0 ? own : [...own, `Or ${ASK}`, ...ofUser])
}

/** A notice for a model: what happened, and what to do next. */
export const toldText = (
  { message, next = [] }: { readonly message: string; readonly next?: ReadonlyArray<NextStep> | undefined },
  context: StepContext
): string => withSteps(message, next.length === 0 ? [] : [nextText(next, context)])
