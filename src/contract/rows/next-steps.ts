import type { PyroError } from "../errors/errors.ts"
import { type NextStep, withSteps } from "../errors/next-step.ts"
import { named } from "../text/names.ts"
import { typed } from "../text/printable.ts"
import type { Told } from "./notice.ts"
import type { CliSurface } from "./operation.ts"
import { type Operation, operations } from "./operations.ts"
import { payloadFields } from "./payload-fields.ts"

const rows: ReadonlyMap<string, Operation> = new Map(operations.map((row) => [row.name, row]))

/** The row that a step calls, and undefined for other steps. A peer of another version may name a call that this one lacks. */
export const calledRow = (step: NextStep): Operation | undefined => "call" in step ? rows.get(step.call) : undefined

/** `memory_mib` -> `mem-mib`: the flag of a field, without its dashes. */
export const flagName = (cli: CliSurface, field: string): string => cli.flags?.[field] ?? field.replaceAll("_", "-")

const fieldsOf = (row: Operation) => payloadFields(row.payload())

/** The steps with the workspace of the failed call, where a call needs a workspace and names none. */
const inWorkspace = (next: ReadonlyArray<NextStep>, workspace: string): ReadonlyArray<NextStep> =>
  next.map((step) => {
    const row = calledRow(step)
    if (row === undefined || !("call" in step) || step.with["workspace"] !== undefined) return step
    const needsOne = fieldsOf(row).some(({ name, required }) => name === "workspace" && required)
    return needsOne ? { ...step, with: named([["workspace", workspace], ...Object.entries(step.with)]) } : step
  })

/** The same error with other fields, and with the steps of its class if `fields` have none. */
export const withFields = <E extends PyroError>(error: E, fields: Partial<E>): E => {
  const Class = error.constructor as unknown as {
    new(fields: object): E
    readonly fields: object
  }
  const given = Object.keys(Class.fields).filter((field) => field !== "_tag" && field !== "next" && field in error)
  return new Class({ ...named(given.map((field) => [field, error[field as keyof E]])), ...fields })
}

/** Errors whose field has the id by its description. */
const WITH_ID: ReadonlySet<PyroError["_tag"]> = new Set(["StateTooNew", "WorkspaceNameTaken"])

/**
 * The error for a caller who knows the workspace by its name, or by its id if it has no name: in the error's own field, and in each step.
 * Guests and disks do not know the name.
 */
export const withWorkspace = <E extends PyroError>(error: E, workspace: string, id = workspace): E => {
  if ("workspace" in error && error.workspace === id && id !== workspace && !WITH_ID.has(error._tag)) {
    // Its own steps name the workspace, too.
    return withWorkspace(withFields<PyroError>(error, { workspace }) as E, workspace)
  }
  const next = inWorkspace(error.next, workspace)
  return next.every((step, at) => step === error.next[at]) ? error : withFields<PyroError>(error, { next }) as E
}

/** Whether a step names all that its call needs, or lets the caller choose it. */
const isComplete = (step: NextStep): boolean => {
  if (!("call" in step)) return true
  const row = calledRow(step)
  return row !== undefined &&
    fieldsOf(row).every(({ name, required }) => !required || name in step.with || step.choose?.includes(name) === true)
}

/** The steps that can be taken: one without a workspace would need some, if the failed call was of none. */
export const takeable = (next: ReadonlyArray<NextStep>): ReadonlyArray<NextStep> => next.filter(isComplete)

/** A word that stands for what the caller chooses. */
const placeholder = (field: string) => field.replace(/s$/, "").toUpperCase()

const wordsOf = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value : [value]).map(String)

const flagWords = (name: string, value: unknown): ReadonlyArray<string> => {
  if (value === true) return [`--${name}`]
  if (value === false) return []
  const values = typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).map(([key, one]) => `${key}=${one}`)
    : wordsOf(value)
  // A value that begins with a dash would be an option.
  return values.flatMap((one) => one.startsWith("-") ? [`--${name}=${one}`] : [`--${name}`, one])
}

/** The flag that takes the name of a secret, for a field of secrets whose values are never on a command line. */
const secretFlag = ({ extras = {} }: CliSurface, field: string) =>
  Object.entries(extras).find(([, extra]) =>
    extra._tag === "secret" && extra.from === "environment" && (extra.fills ?? "secrets") === field
  )?.[0]

/** The command line of a call, ready to be pasted into a shell. Words in capitals stand for what the caller chooses. */
export const commandLine = (
  row: Operation,
  given: Readonly<Record<string, unknown>>,
  choose: ReadonlyArray<string>,
  context?: string
) => {
  const cli: CliSurface = row.cli
  const values: Readonly<Record<string, unknown>> = named([
    ...Object.entries(given),
    ...choose.map((field) => [field, placeholder(field)] as const)
  ])
  const path = cli.path[0] === "workspace" ? cli.path.slice(1) : cli.path
  const operands = cli.args.flatMap((field) => values[field] === undefined ? [] : wordsOf(values[field]))
  // Behind `--`, no operand is an option.
  const isDashed = operands.some((word) => word.startsWith("-"))
  const flags = Object.entries(values).filter(([field]) => !cli.args.includes(field) && field !== cli.rest)
  const nameOf = (field: string) =>
    choose.includes(field) ? secretFlag(cli, field) ?? flagName(cli, field) : flagName(cli, field)
  const rest = cli.rest === undefined || values[cli.rest] === undefined ? [] : ["--", ...wordsOf(values[cli.rest])]
  return typed([
    "pyro",
    ...context === undefined ? [] : ["--context", context],
    ...path,
    ...isDashed ? [] : operands,
    ...flags.flatMap(([field, value]) => flagWords(nameOf(field), value)),
    ...isDashed ? ["--", ...operands] : rest
  ])
}

/** The flag of a field where the failed command is not known: the name that the commands with this field give it. */
const usualFlag = (field: string) =>
  operations.map(({ cli }: { readonly cli: CliSurface }) => cli.flags?.[field] ?? secretFlag(cli, field))
    .find((name) => name !== undefined) ??
    field.replaceAll("_", "-")

/** An option of the failed call as it is typed. An argument without a flag, or without a value, has none. */
const optionWords = (field: string, value: unknown, failed: CliSurface | undefined) => {
  if (failed?.args.includes(field) === true) return value === undefined ? undefined : typed(wordsOf(value))
  const name = failed === undefined ? usualFlag(field) : secretFlag(failed, field) ?? flagName(failed, field)
  return value === undefined ? `--${name}` : typed(flagWords(name, value))
}

/** A step for a person at a terminal. `failed`: the command that failed, if it is known. `context`: that of its option. */
export const typedStep = (step: NextStep, failed?: CliSurface, context?: string): string => {
  const row = calledRow(step)
  if ("call" in step) {
    return row === undefined ? step.label : `${step.label}: ${commandLine(row, step.with, step.choose ?? [], context)}`
  }
  if ("command" in step) return `${step.label}: ${step.command}`
  if (!("option" in step)) return step.page === undefined ? step.label : `${step.label} (${step.page})`
  const words = optionWords(step.option, step.value, failed)
  return words === undefined ? step.label : `${step.label}: ${words}`
}

/** An error for a person at a terminal. `failed`: the command that failed, if it is known. `context`: that of its option. */
export const typedMessage = ({ fact, next }: PyroError, failed?: CliSurface, context?: string): string =>
  withSteps(fact, takeable(next).map((step) => typedStep(step, failed, context)))

/** A notice or a warning for a person at a terminal. `asked`: the command that it is about, if it is known. */
export const typedTold = ({ message, next = [] }: Told, asked?: CliSurface): string =>
  withSteps(message, takeable(next).map((step) => typedStep(step, asked)))
