import { Schema } from "effect"
import { optional, string } from "../text/fields.ts"
import { byName, named } from "../text/names.ts"

/**
 * What to do next, as data. Each surface shows it in its own words: the command line as a line to paste, an MCP server as a call of a
 * tool, the page as a button, a program as it likes. `label` is the purpose: an imperative phrase without a full stop.
 */
export type NextStep =
  | {
    readonly label: string
    /** Name of an operation of the table, such as `workspace.start`. */
    readonly call: string
    /** Its arguments by their JSON names. An absent `workspace` is that of the failed call. */
    readonly with: Readonly<Record<string, Schema.Json>>
    /** JSON names of arguments that the caller chooses. Absent if there are none. */
    readonly choose?: ReadonlyArray<string>
  }
  | {
    readonly label: string
    /** JSON name of an argument of the call that failed. */
    readonly option: string
    /** Its value. Absent if the caller chooses. */
    readonly value?: Schema.Json
  }
  | {
    readonly label: string
    /** A command for a shell of the host, which only a person can give. */
    readonly command: string
  }
  | {
    readonly label: string
    /** A page of the documents that says more. A model cannot read it. */
    readonly page?: string
  }

/** One form for all kinds: the binary form of messages tells structs apart by a tag alone. */
export const NextStep = Schema.Struct({
  label: string("Purpose of the step, without a full stop"),
  call: optional(string("Name of an operation, such as `workspace.start`")),
  with: optional(byName(Schema.Json).annotate({ description: "Arguments of `call` by their JSON names" })),
  choose: optional(
    Schema.Array(Schema.String).annotate({ description: "JSON names of arguments of `call` that the caller chooses" })
  ),
  option: optional(string("JSON name of an argument of the call that this is about")),
  value: optional(Schema.Json.annotate({ description: "Value of `option`. Absent if the caller chooses" })),
  command: optional(string("Command for a shell of the host, which only a person can give")),
  page: optional(string("Page of the documents that says more"))
}) as unknown as Schema.Codec<NextStep>

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

/** What no call, option or command does. `page`: a page of the documents that says more. */
export const words = (label: string, page?: string): NextStep => ({ label, ...(page === undefined ? {} : { page }) })

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
