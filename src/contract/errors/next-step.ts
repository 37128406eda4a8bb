import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { byName, named } from "../text/names.ts"

/**
 * What to do next, as data. Each surface shows it in its own words: the command line as a line to paste, an MCP server as a call of a
 * tool, the page as a button, a program as it likes. `label` is the purpose: an imperative phrase without a full stop.
 */
export const NextStep = Schema.Union([
  Schema.Struct({
    label: Schema.String,
    /** Name of an operation of the table, such as `workspace.start`. */
    call: Schema.String,
    /** Its arguments by their JSON names. An absent `workspace` is that of the failed call. */
    with: byName(Schema.Json),
    /** JSON names of arguments that the caller chooses. Absent if there are none. */
    choose: optional(Schema.Array(Schema.String))
  }),
  Schema.Struct({
    label: Schema.String,
    /** JSON name of an argument of the call that failed. */
    option: Schema.String,
    /** Its value. Absent if the caller chooses. */
    value: optional(Schema.Json)
  }),
  Schema.Struct({
    label: Schema.String,
    /** A command for a shell of the host, which only a person can give. */
    command: Schema.String
  }),
  Schema.Struct({ label: Schema.String })
])
export type NextStep = typeof NextStep.Type

type Values = Readonly<Record<string, Schema.Json | undefined>>

/** A call of an operation. Values that are undefined are left out. `choose`: arguments that the caller chooses. */
export const call = (
  label: string,
  operation: string,
  values: Values = {},
  ...choose: ReadonlyArray<string>
): NextStep => ({
  label,
  call: operation,
  with: named(
    Object.entries(values).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])
  ),
  ...(choose.length === 0 ? {} : { choose })
})

/** Another value of an argument of the failed call. */
export const option = (label: string, field: string, value?: Schema.Json): NextStep => ({
  label,
  option: field,
  ...(value === undefined ? {} : { value })
})

/** A command for a shell of the host. */
export const command = (label: string, line: string): NextStep => ({ label, command: line })

/** What no call, option or command does. */
export const words = (label: string): NextStep => ({ label })

/** A step for programs: the name of the operation, and its arguments as JSON. */
const neutral = (step: NextStep): string => {
  if ("call" in step) {
    const given = Object.keys(step.with).length === 0 ? "" : ` ${JSON.stringify({ ...step.with })}`
    return `${step.label}: ${step.call}${given}`
  }
  if ("option" in step) {
    return `${step.label}: ${step.option}${step.value === undefined ? "" : `: ${JSON.stringify(step.value)}`}`
  }
  return "command" in step ? `${step.label}: ${step.command}` : step.label
}

/** Sentences in a row. A question needs no full stop. */
export const sentences = (all: ReadonlyArray<string>): string =>
  all.reduce((before, one) => before === "" ? one : `${before}${/[?!]$/.test(before) ? " " : ". "}${one}`, "")

/** A fact, and what to do next, each step by the text that a surface has for it. */
export const withSteps = (fact: string, steps: ReadonlyArray<string>): string => {
  if (steps.length === 0) return fact
  // A question or a line of output needs no full stop.
  const end = /\n$/.test(fact) ? "" : /[?.!]$/.test(fact) ? " " : fact.includes("\n") ? "\n" : ". "
  return `${fact}${end}${sentences(steps)}`
}

/** The text of an error for programs. */
export const neutralText = (fact: string, next: ReadonlyArray<NextStep>): string => withSteps(fact, next.map(neutral))
