import { flagName } from "../../contract/rows/next-steps.ts"
import type { CliExtra, CliSurface } from "../../contract/rows/operation.ts"
import { type PayloadField, payloadFields } from "../../contract/rows/payload-fields.ts"
import { table } from "../../contract/text/names.ts"
import type { Unit } from "../../contract/text/units.ts"
import { type Command, mcpServe } from "../rows/rows.ts"

/** One flag of a command line. */
export type Flag =
  & {
    /** Without its dashes. */
    readonly name: string
    /** Its short form, without the dash. */
    readonly letter?: string
    /** Name of its field with dashes, which is also accepted: `memory-mib` for `mem-mib`. */
    readonly also?: string
    readonly description: string
    /** Placeholder of its value in help; undefined for a switch. */
    readonly value: string | undefined
    readonly repeated: boolean
    readonly required: boolean
  }
  & (
    | { readonly field: PayloadField; readonly extra?: never }
    | { readonly field?: never; readonly extra: CliExtra }
  )

/** Name of the flag that chooses the machine. */
export const CONTEXT = "context"

/** Flag of every command whose work another machine's pyro can do. */
const machine: NonNullable<CliSurface["extras"]> = {
  [CONTEXT]: {
    _tag: "context",
    description: "Machine to use: a name of `pyro context list`. Default: PYRO_CONTEXT, else that of `pyro context use`"
  }
}

/** Flags of every command with a result. */
const common: NonNullable<CliSurface["extras"]> = {
  json: { _tag: "switch", description: "Print one JSON document" },
  quiet: { _tag: "switch", description: "Print only the result and errors" }
}

const VALUES = table<string | undefined>({
  boolean: undefined,
  integer: "N",
  number: "N",
  map: "NAME=VALUE"
})

/** Short flags as in docker, for commands that run a program in a guest. */
const LETTERS = table({ env: "e", cwd: "w", tty: "t", interactive: "i", user: "u", detach: "d" })

/** Short flags of other commands: a workspace has the variables and the directory of its commands. */
const OTHER_LETTERS = table({ follow: "f", recursive: "r", env: "e", cwd: "w", output: "o", labels: "l" })

const letterOf = (cli: CliSurface, name: string) => {
  const letter = (cli.rest === undefined ? OTHER_LETTERS : LETTERS)[name]
  return letter === undefined ? {} : { letter }
}

const ofField = (cli: CliSurface, field: PayloadField): Flag => {
  const { kind } = field
  const unit = kind._tag === "integer" || kind._tag === "number" ? unitOf(field.name) : undefined
  const also = field.name.replaceAll("_", "-")
  return {
    name: flagName(cli, field.name),
    ...(also === flagName(cli, field.name) ? {} : { also }),
    ...letterOf(cli, field.name),
    description: field.description,
    value: unit !== undefined
      ? unitHelp[unit].value
      : kind._tag === "choice"
      ? kind.choices.join("|")
      : kind._tag in VALUES
      ? VALUES[kind._tag]
      : cli.hostPaths?.includes(field.name) === true
      ? "PATH"
      : "TEXT",
    repeated: kind._tag === "list" || kind._tag === "map",
    required: field.required,
    field
  }
}

const extraValue = (extra: CliExtra): string | undefined => {
  switch (extra._tag) {
    case "switch":
      return undefined
    case "context":
      return "NAME"
    case "limit":
      return unitHelp.time.value
    case "candidates":
      return extra.from === "command" ? "COMMAND" : extra.from === "patch" ? "FILE" : "PATH"
    case "file":
    case "input":
      return "FILE"
    case "export":
      return "PATH"
    case "secret":
      return extra.fills !== undefined
        ? extra.from === "file" ? "HOST=PATH" : "HOST=NAME"
        : extra.from === "docker"
        ? "id=ID,src=FILE"
        : extra.from === "file"
        ? "NAME=PATH"
        : "NAME"
  }
}

const ofExtra = (cli: CliSurface) => ([name, extra]: readonly [string, CliExtra]): Flag => ({
  name,
  ...letterOf(cli, name),
  description: extra.description,
  value: extraValue(extra),
  repeated: extra._tag === "secret" || extra._tag === "candidates",
  required: false,
  extra
})

/** Groups of commands that are about this machine alone. */
const HERE = ["context", "host", "serve"]

/** Whether a command works on this machine, whatever the context. */
const worksHere = ({ cli }: Command) => HERE.includes(cli.path[0])

/** The flags of an operation, in the order of the help. */
export const flagsOf = (operation: Command): ReadonlyArray<Flag> => {
  const cli: CliSurface = operation.cli
  const fields = payloadFields(operation.payload()).filter(({ name }) =>
    !cli.args.includes(name) && cli.rest !== name && cli.filled?.includes(name) !== true
  )
  return [
    ...fields.map((field) => ofField(cli, field)),
    ...Object.entries({
      ...cli.extras,
      ...(worksHere(operation) ? {} : machine),
      ...(operation === mcpServe ? {} : common)
    }).map(ofExtra(cli))
  ]
}

/** The unit of a field, by the end of its JSON name. */
export const unitOf = (field: string): Unit | undefined =>
  field.endsWith("_seconds") ? "time" : field.endsWith("_mib") ? "mib" : field.endsWith("_bytes") ? "bytes" : undefined

/** Help text of each unit. */
export const unitHelp: Readonly<Record<Unit, { readonly value: string; readonly line: string }>> = {
  time: { value: "TIME", line: "TIME is a number of seconds, or one with a unit: 90s, 10m, 2h, 1d." },
  mib: { value: "MIB", line: "MIB is a number of MiB, or one with a unit: 512M, 2G, 1T." },
  bytes: { value: "BYTES", line: "BYTES is a number of bytes, or one with a unit: 64K, 10M, 1G." }
}
