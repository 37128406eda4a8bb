import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { filledFromVariable } from "../../contract/rows/from-variable.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import type { Operation } from "../../contract/rows/operations.ts"
import { parseArchive, withAbsolutePath } from "../../contract/text/image-archive.ts"
import { named } from "../../contract/text/names.ts"
import { typed } from "../../contract/text/printable.ts"
import { fillCandidates } from "../arguments/candidates.ts"
import {
  asExport,
  asPiped,
  fillFromFiles,
  fillSecrets,
  type Input,
  operationOf,
  withLimits
} from "../arguments/extras.ts"
import { decode, parse, surfaceAsTyped, type Typed } from "../arguments/parser.ts"
import { fillRegistryAuth } from "../arguments/registry-auth.ts"
import type { OutputOptions } from "../output/print.ts"
import { endsWithSeparator, isAbsolute } from "../terminal/files.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { mayHaveCommand, nothingToRun } from "./own-command.ts"

/** An operation with its decoded payload. */
export interface Prepared {
  readonly operation: Operation
  /** The operation's surface, for errors. */
  readonly cli: CliSurface
  readonly payload: unknown
  /** Input that the operation reads while it runs. */
  readonly input?: Input
  readonly json: boolean
  readonly outputOptions: OutputOptions
}

/** Sets the fields of the given switches. */
const withSwitches = (operation: Operation, typed: Typed): Typed => {
  const cli: CliSurface = operation.cli
  const fields = Object.entries(cli.extras ?? {}).flatMap(([name, extra]) =>
    extra._tag === "switch" && extra.sets !== undefined && typed.extras[name] !== undefined
      ? [[extra.sets, true] as const]
      : []
  )
  return fields.length === 0 ? typed : { ...typed, raw: named([...Object.entries(typed.raw), ...fields]) }
}

/** Parses an operation's command line. A failure has no side effect. */
export const prepare = (
  requested: Operation,
  words: ReadonlyArray<string>,
  rest: ReadonlyArray<string> | undefined
): Effect.Effect<Prepared, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const { resolvePath, variable, workspace } = yield* Terminal
    const parsed = yield* parse(requested, words, rest, { workspace })
    const limited = yield* withLimits(requested, withSwitches(requested, parsed))
    const secret = yield* fillRegistryAuth(requested, yield* fillSecrets(requested, limited))
    const completed = yield* fillCandidates(requested, secret)
    const typed = {
      ...completed,
      raw: named(Object.entries(filledFromVariable(requested.cli, completed.raw, variable)))
    }
    const switches = new Set(Object.keys(typed.extras).filter((name) => !["json", "quiet", "context"].includes(name)))
    for (const text of ["id-only", "content-only"].filter((name) => typed.json && switches.has(name))) {
      return yield* new InvalidRequest({ field: `--${text}`, detail: "cannot be combined with --json" })
    }
    if (typed.json && (typed.extras["output"] === "-" || typed.raw["output"] === "-")) {
      return yield* new InvalidRequest({
        field: "--output",
        detail: "- cannot be combined with --json: both are stdout"
      })
    }
    if (requested.name === "workspace.logs") yield* checkFollow(typed)
    yield* checkExecId(requested.name, typed)
    const { input, raw: filled } = takesInput(requested)
      ? { raw: yield* completeRun(requested, typed), input: undefined }
      : readsStdin(requested.cli, typed)
      ? { raw: typed.raw, input: { flag: "stdin", path: "-", operation: requested.name } }
      : { input: undefined, ...yield* fillFromFiles(requested, typed) }
    const { operation, raw } = input === undefined
      ? yield* asPiped(yield* asExport(requested, { ...typed, raw: filled }), typed.json)
      : { operation: operationOf(input.operation), raw: filled }
    const cli = surfaceAsTyped(operation.cli, typed)
    const paths = (cli.hostPaths ?? []).flatMap((name) => {
      const typedPath = raw[name]
      if (typeof typedPath !== "string") return []
      // A trailing slash requires a directory as output.
      const slash = name === "output" && endsWithSeparator(typedPath) ? "/" : ""
      return parseArchive(typedPath) !== undefined && cli.imageSources?.includes(name) === true
        ? []
        : [[name, resolvePath(typedPath) + slash] as const]
    })
    const sources = (cli.imageSources ?? []).flatMap((name) => {
      const source = raw[name]
      return typeof source === "string" && parseArchive(source) !== undefined
        ? [[name, withAbsolutePath(source, resolvePath)] as const]
        : []
    })
    const unresolved = paths.find(([, path]) => path !== "-" && path !== "" && !isAbsolute(path))
    if (unresolved !== undefined) {
      return yield* new InvalidRequest({
        field: cli.args.includes(unresolved[0]) ? unresolved[0] : `--${unresolved[0].replaceAll("_", "-")}`,
        detail: `"${
          unresolved[1]
        }" leads nowhere: the current directory was deleted, or its path is not UTF-8. Change to another, or give an absolute path`
      })
    }
    const payload = yield* decode(cli, operation.payload(), named([...Object.entries(raw), ...paths, ...sources]))
    return {
      operation,
      cli,
      payload,
      ...(input && { input }),
      json: typed.json,
      outputOptions: { quiet: typed.quiet, switches }
    }
  })

/** Whether the operation reads pyro's stdin in place of a file. */
const readsStdin = ({ input }: CliSurface, { raw }: Typed) => input !== undefined && raw[input] === "-"

/** Whether the operation runs a program that reads pyro's stdin. */
export const takesInput = ({ cli }: { readonly cli: CliSurface }) => cli.stdin !== undefined

/**
 * Completes the command line of `run` or `exec` from its terminal: a shell if there is no command, the
 * window's size, and `TERM`.
 */
const completeRun = (
  operation: Operation,
  given: Typed
): Effect.Effect<Typed["raw"], InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const onTerminal = terminal.stdinIsTerminal && terminal.stdoutIsTerminal
    // -it, a habit from docker, requests a terminal only if there is one.
    const isHabit = given.extras["interactive"] !== undefined && !onTerminal && !given.json
    const raw = isHabit ? named(Object.entries(given.raw).filter(([name]) => name !== "tty")) : given.raw
    if (raw["tty"] === true && given.json) {
      return yield* new InvalidRequest({ field: "--tty", detail: "cannot be combined with --json" })
    }
    if (raw["tty"] === true && !onTerminal) {
      return yield* new InvalidRequest({ field: "--tty", detail: "needs stdin and stdout to be a terminal" })
    }
    const command = (raw["command"] ?? []) as ReadonlyArray<string>
    const shell = command.length === 0 && raw["script"] === undefined && raw["exec_id"] === undefined
    if (shell && (given.json || !onTerminal)) {
      // An image has a command of its own, and `demandCommand` knows images by any name.
      if (operation.name === "run" && mayHaveCommand(raw["environment"])) return raw
      const operands = operation.cli.args.flatMap((name) => raw[name] === undefined ? [] : [String(raw[name])])
      return yield* nothingToRun(operation.cli, operands, terminal.workspace)
    }
    if (raw["tty"] !== true && !shell) {
      const isShown = !given.json && raw["detach"] !== true && raw["exec_id"] === undefined
      return isShown && raw["order"] === undefined && terminal.outputsAreOne ? { ...raw, order: "written" } : raw
    }
    const env = (raw["env"] ?? {}) as Readonly<Record<string, string>>
    return {
      ...raw,
      ...(yield* terminal.size),
      tty: true,
      env: terminal.type === undefined ? env : { TERM: terminal.type, ...env }
    }
  })

/** Options of `workspace logs` that select one page or a list. */
const OF_ONE_PAGE = ["encoding", "max_bytes", "limit"]

/** Refuses the options that --follow cannot be combined with. */
const checkFollow = ({ extras, json, raw }: Typed): Effect.Effect<void, InvalidRequest> => {
  if (extras["follow"] === undefined) return Effect.void
  if (json) {
    const command = typed([
      "pyro",
      "exec",
      String(raw["workspace"]),
      "--exec-id",
      String(raw["exec_id"] ?? "ID"),
      "--json"
    ])
    return new InvalidRequest({
      field: "--follow",
      detail: `cannot be combined with --json; ${command} waits for the command's end`
    })
  }
  const other = OF_ONE_PAGE.find((name) => raw[name] !== undefined)
  return other === undefined
    ? Effect.void
    : new InvalidRequest({ field: "--follow", detail: `cannot be combined with --${other.replaceAll("_", "-")}` })
}

/** Refuses a word that cannot be the id of a command. It may be the name of a service, which has its own log. */
const checkExecId = (operation: string, { raw }: Typed): Effect.Effect<void, InvalidRequest> => {
  const { exec_id: id, workspace } = raw
  if (
    operation !== "workspace.logs" || typeof id !== "string" || typeof workspace !== "string" || /^[0-9a-f]*$/.test(id)
  ) {
    return Effect.void
  }
  return new InvalidRequest({
    field: "--exec-id",
    detail: `must be 32 lower-case hexadecimal digits, or the first of them. The log of a service: ${
      typed(["pyro", "service", "logs", workspace, id])
    }`
  })
}
