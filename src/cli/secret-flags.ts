import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { CliExtra, CliSurface } from "../contract/rows/operation.ts"
import { mappingOf, MAX_SECRET_BYTES } from "../contract/rows/secret-fields.ts"
import { named } from "../contract/text/names.ts"
import type { Typed } from "./parser.ts"
import { Terminal } from "./terminal.ts"

/** Room for a newline at the end beside the longest value. */
const MAX_FILE_BYTES = MAX_SECRET_BYTES + 2

type SecretFlag = readonly [flag: string, extra: Extract<CliExtra, { readonly _tag: "secret" }>]

/** Fills the field `secrets` from files and from pyro's own environment, so that no value is on a command line. */
export const fillSecrets = (
  { cli }: { readonly cli: CliSurface },
  typed: Typed
): Effect.Effect<Typed, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const flags = Object.entries(cli.extras ?? {}).flatMap(([flag, extra]): ReadonlyArray<SecretFlag> =>
      extra._tag === "secret" ? [[flag, extra]] : []
    )
    if (flags.length === 0) return typed
    const given = Object.entries((typed.raw["secrets"] ?? {}) as Readonly<Record<string, string>>)
    const secrets = named<unknown>(given)
    for (const [flag, { from }] of flags) {
      for (const word of typed.lists?.[flag] ?? []) {
        const { name, value } = yield* from === "file" ? fromFile(flag, word) : fromEnvironment(flag, word)
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
    const value = yield* Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
      catch: () => refuse(`${path} is not UTF-8; encode the file first: base64 ${path}`)
    })
    return { name, value }
  })

const fromEnvironment = (flag: string, name: string) =>
  Effect.flatMap(Terminal, ({ variable }) => {
    const value = variable(name)
    return value === undefined
      ? new InvalidRequest({
        field: `--${flag}`,
        detail: `the variable ${name} is not set; set it first: export ${name}=…`
      })
      : Effect.succeed({ name, value })
  })

const nameOf = (item: string) => /^[^=@]*/.exec(item)![0]

/** The secrets of one command may be variables of pyro's own environment. */
const fromMappings = ({ raw }: Typed, known: Readonly<Record<string, unknown>>) =>
  Effect.map(Terminal, ({ variable }) => {
    const wanted = ["secret_env", "secret_mount", "secret_http"].flatMap((field) =>
      (raw[field] ?? []) as ReadonlyArray<string>
    )
    const names = new Set(wanted.map(nameOf).filter((name) => !(name in known)))
    return [...names].flatMap((name) => {
      const value = variable(name)
      return value === undefined ? [] : [[name, value] as const]
    })
  })
