import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { CliSurface } from "../contract/rows/operation.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { named } from "../contract/text/names.ts"
import type { Typed } from "./parser.ts"
import { Terminal } from "./terminal.ts"

/** Most bytes of a file that becomes a field, which no operation takes more of. */
const MAX_BYTES = 8 * 1024 * 1024

/** Puts the content of the files that flags name into the fields that they fill. */
export const fillFromFiles = (
  operation: Operation,
  { extras, raw }: Pick<Typed, "extras" | "raw">
): Effect.Effect<Typed["raw"], InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const cli: CliSurface = operation.cli
    const flags = Object.entries(cli.extras ?? {}).flatMap(([name, extra]) =>
      extra._tag === "file" ? [{ ...extra, name }] : []
    )
    if (flags.length === 0) return raw
    const terminal = yield* Terminal
    // Without `oneOf` the flags are optional.
    const { fields, stdin } = cli.oneOf ?? { fields: flags.map(({ fills }) => fills), stdin: "" }
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
    for (const { as, fills, name } of flags) {
      const path = extras[name] ?? (given.length === 0 && name === stdin ? "-" : undefined)
      if (path === undefined) continue
      const refuse = (detail: string) => new InvalidRequest({ field: `--${name}`, detail })
      const bytes = yield* Effect.mapError(terminal.readFile(path, MAX_BYTES), ({ detail }) => refuse(detail))
      const content = as === "bytes" ? bytes : textOf(bytes)
      if (content === undefined) return yield* refuse(`${path} is not UTF-8`)
      filled[fills] = content
    }
    return filled
  })

/** Undefined when it is not UTF-8. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
