import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { CliExtra, CliSurface } from "../../contract/rows/operation.ts"
import { type Operation, operations } from "../../contract/rows/operations.ts"
import { mappingOf, MAX_SECRET_BYTES } from "../../contract/rows/secret-fields.ts"
import { named } from "../../contract/text/names.ts"
import { numberOf } from "../../contract/text/units.ts"
import { strictText } from "../../contract/text/utf8.ts"
import { isLossyVariable } from "../../system/settings/own-bytes.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { unitOf } from "./flags.ts"
import type { Typed } from "./parser.ts"

/** The longest value and a newline at the end. */
const MAX_FILE_BYTES = MAX_SECRET_BYTES + 2

type SecretFlag = readonly [flag: string, extra: Extract<CliExtra, { readonly _tag: "secret" }>]

/** Fills the field `secrets` from files and from pyro's own environment, so that no command line has a value. */
export const fillSecrets = (
  { cli }: { readonly cli: CliSurface },
  typed: Typed
): Effect.Effect<Typed, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const flags = Object.entries(cli.extras ?? {}).flatMap(([flag, extra]): ReadonlyArray<SecretFlag> =>
      extra._tag === "secret" && extra.fills === undefined ? [[flag, extra]] : []
    )
    if (flags.length === 0) return typed
    const given = Object.entries((typed.raw["secrets"] ?? {}) as Readonly<Record<string, string>>)
    const secrets = named<unknown>(given)
    for (const [flag, { from }] of flags) {
      for (const word of typed.lists?.[flag] ?? []) {
        const { name, value } = yield* readers[from](flag, word)
        if (name in secrets) {
          return yield* new InvalidRequest({ field: `--${flag}`, detail: `the secret ${name} is given twice` })
        }
        secrets[name] = value
      }
    }
    if (!("secret-env" in (cli.extras ?? {}))) {
      for (const [name, value] of yield* fromMappings(typed, secrets)) secrets[name] = value
    }
    return Object.keys(secrets).length === 0
      ? typed
      : { ...typed, raw: named([...Object.entries(typed.raw), ["secrets", secrets]]) }
  })

const fromFile = (flag: string, word: string) =>
  Effect.gen(function*() {
    const { readFile } = yield* Terminal
    const refuse = (detail: string) => new InvalidRequest({ field: `--${flag}`, detail })
    const { name, to: path } = mappingOf(word)
    if (path === undefined || path === "") return yield* refuse("must be NAME=PATH")
    const bytes = yield* Effect.mapError(readFile(path, MAX_FILE_BYTES), ({ detail }) => refuse(detail))
    const value = strictText(bytes)
    return value === undefined
      ? yield* refuse(`${path} is not UTF-8; encode the file first: base64 ${path}`)
      : { name, value }
  })

/** The value of a secret in a variable of pyro's own environment. Undefined without the variable. */
const secretVariable = (
  flag: string,
  name: string
): Effect.Effect<string | undefined, InvalidRequest, Terminal> =>
  Effect.flatMap(Terminal, ({ variable }) => {
    const value = variable(name)
    return value !== undefined && isLossyVariable(name, value)
      ? new InvalidRequest({ field: `--${flag}`, detail: `the variable ${name} is not UTF-8; encode the value first` })
      : Effect.succeed(value)
  })

/** The same for a variable that must be there. */
export const demandedVariable = (flag: string, name: string): Effect.Effect<string, InvalidRequest, Terminal> =>
  Effect.flatMap(secretVariable(flag, name), (value) =>
    value === undefined
      ? new InvalidRequest({
        field: `--${flag}`,
        detail: `the variable ${name} is not set; set it first: export ${name}=…`
      })
      : Effect.succeed(value))

const fromEnvironment = (flag: string, name: string) =>
  Effect.map(demandedVariable(flag, name), (value) => ({ name, value }))

/** `id=ID,src=FILE`, `id=ID,env=VARIABLE` or `id=ID`, which is `id=ID,env=ID` (docs.docker.com, "Build secrets"). */
const fromDocker = (flag: string, word: string) => {
  const parts = new Map(word.split(",").map((part) => [mappingOf(part).name, mappingOf(part).to ?? ""] as const))
  const [id, file, variable] = [parts.get("id"), parts.get("src") ?? parts.get("source"), parts.get("env")]
  const type = parts.get("type")
  const known = ["id", "src", "source", "env", "type"]
  const isGood = id !== undefined && id !== "" && [...parts.keys()].every((key) => known.includes(key)) &&
    (file === undefined || variable === undefined) && (type === undefined || type === "file" || type === "env")
  if (!isGood) {
    return Effect.fail(
      new InvalidRequest({ field: `--${flag}`, detail: "must be id=ID,src=FILE or id=ID,env=VARIABLE" })
    )
  }
  return Effect.map(
    file === undefined ? fromEnvironment(flag, variable ?? id) : fromFile(flag, `${id}=${file}`),
    ({ value }) => ({ name: id, value })
  )
}

const readers = { file: fromFile, environment: fromEnvironment, docker: fromDocker }

const nameOf = (item: string) => /^[^=@]*/.exec(item)![0]

/** A command's secrets may come from variables of pyro's own environment. */
const fromMappings = ({ raw }: Typed, known: Readonly<Record<string, unknown>>) =>
  Effect.gen(function*() {
    const fields = ["secret_env", "secret_mount", "secret_http"]
    const values = new Map<string, string>()
    for (const field of fields) {
      for (const name of ((raw[field] ?? []) as ReadonlyArray<string>).map(nameOf)) {
        const value = name in known ? undefined : yield* secretVariable(field.replaceAll("_", "-"), name)
        if (value !== undefined) values.set(name, value)
      }
    }
    return [...values]
  })

/** Maximum bytes of a file that fills a field. No operation accepts more. */
const MAX_BYTES = 8 * 1024 * 1024

/** A file of the host, or stdin for `-`, that an operation reads while it runs. */
export interface Input {
  readonly flag: string
  readonly path: string
  /** Name of the operation. */
  readonly operation: string
}

/** Fills fields with the content of files that flags name. An input is not read yet. */
export const fillFromFiles = (
  operation: Operation,
  { extras, raw }: Pick<Typed, "extras" | "raw">
): Effect.Effect<{ readonly raw: Typed["raw"]; readonly input?: Input }, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const cli: CliSurface = operation.cli
    const flags = Object.entries(cli.extras ?? {}).flatMap(([name, extra]) =>
      extra._tag === "file" || extra._tag === "input" ? [{ ...extra, name }] : []
    )
    if (flags.length === 0) return { raw }
    const terminal = yield* Terminal
    // Without `oneOf` the flags are optional.
    const { fields, stdin } = cli.oneOf ??
      { fields: flags.flatMap((flag) => flag._tag === "file" ? [flag.fills] : []), stdin: "" }
    const given = [
      ...fields.filter((field) => field in raw),
      ...flags.flatMap(({ name }) => name in extras ? [name] : [])
    ].map((name) => `--${name}`)
    if (given.length > 1) {
      return yield* new InvalidRequest({ field: "", detail: `${given.join(" and ")} cannot be combined` })
    }
    if (cli.oneOf !== undefined && given.length === 0 && (terminal.stdinIsTerminal || terminal.stdinIsNull)) {
      const names = [
        ...fields.filter((field) => cli.filled?.includes(field) !== true),
        ...flags.map(({ name }) => name)
      ]
      return yield* new InvalidRequest({
        field: "",
        detail: `give one of ${names.map((name) => `--${name}`).join(", ")}, or pipe something in`
      })
    }
    const filled = named(Object.entries(raw))
    for (const flag of flags) {
      const { name } = flag
      const path = extras[name] ?? (given.length === 0 && name === stdin ? "-" : undefined)
      if (path === undefined) continue
      if (flag._tag === "input") return { raw, input: { flag: name, path, operation: flag.operation } }
      const { as, fills } = flag
      const refuse = (detail: string) => new InvalidRequest({ field: `--${name}`, detail })
      const bytes = yield* Effect.mapError(terminal.readFile(path, MAX_BYTES), ({ detail }) => refuse(detail))
      const content = as === "bytes" ? bytes : strictText(bytes)
      if (content === undefined) return yield* refuse(`${path} is not UTF-8`)
      filled[fills] = content
    }
    return { raw: filled }
  })

/** Lowers fields to the limits that flags without a field set. */
export const withLimits = (
  { cli }: { readonly cli: CliSurface },
  typed: Typed
): Effect.Effect<Typed, InvalidRequest> =>
  Effect.gen(function*() {
    const raw = named(Object.entries(typed.raw))
    for (const [name, extra] of Object.entries(cli.extras ?? {})) {
      const word = typed.extras[name]
      if (extra._tag !== "limit" || word === undefined) continue
      const limit = numberOf(word, unitOf(extra.field))
      if (typeof limit === "string" || limit <= 0) {
        const detail = typeof limit === "string" ? limit : "must be more than 0"
        return yield* new InvalidRequest({ field: `--${name}`, detail })
      }
      const given = raw[extra.field]
      raw[extra.field] = typeof given === "number" ? Math.min(given, limit) : limit
    }
    return { ...typed, raw }
  })

interface Request {
  readonly operation: Operation
  readonly raw: Typed["raw"]
}

/** Fields of an operation whose bytes go to a pipe or a file. Any other field chooses what to display. */
const PIPED = ["workspace", "path", "user", "allow_secrets"]

/** Turns an operation into the one that gives the bytes as they are, if the output is no terminal. */
export const asPiped = (
  { operation, raw }: Request,
  json: boolean
): Effect.Effect<Request, never, Terminal> =>
  Effect.map(Terminal, ({ stdoutIsTerminal }) => {
    const { piped }: CliSurface = operation.cli
    const isPiped = piped !== undefined && !json && !stdoutIsTerminal &&
      Object.keys(raw).every((field) => PIPED.includes(field))
    return isPiped ? { operation: operationOf(piped), raw } : { operation, raw }
  })

export const operationOf = (name: string): Operation => operations.find((one) => one.name === name)!

/** Turns a read with an `export` flag into an export, which has no limit of size. */
export const asExport = (
  operation: Operation,
  { extras, raw }: Pick<Typed, "extras" | "raw">
): Effect.Effect<Request, InvalidRequest> => {
  const cli: CliSurface = operation.cli
  const found =
    Object.entries(cli.extras ?? {}).flatMap(([flag, extra]) =>
      extra._tag === "export" ? [{ flag, exports: extra.operation }] : []
    )[0]
  const output = found && extras[found.flag]
  if (found === undefined || output === undefined) return Effect.succeed({ operation, raw })
  const { allow_secrets: allowSecrets, path, workspace, ...others } = raw
  const other = Object.keys(others)[0]
  if (other !== undefined) {
    return new InvalidRequest({
      field: `--${other.replaceAll("_", "-")}`,
      detail: `cannot be combined with --${found.flag}`
    })
  }
  return Effect.succeed({
    operation: operationOf(found.exports),
    raw: {
      workspace,
      path,
      output,
      ...(allowSecrets === undefined ? {} : { allow_secrets: allowSecrets }),
      overwrite: extras["overwrite"] !== undefined,
      // Bytes in a pipe are not in a file that a tool would load.
      allow_executable_config: extras["allow-executable-config"] !== undefined || output === "-"
    }
  })
}
