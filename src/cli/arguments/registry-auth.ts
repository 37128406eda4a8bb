import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { mappingOf } from "../../contract/rows/secret-fields.ts"
import { named } from "../../contract/text/names.ts"
import { strictText } from "../../contract/text/utf8.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { demandedVariable } from "./extras.ts"
import type { Typed } from "./parser.ts"

/** A user, a password and a newline. */
const MAX_FILE_BYTES = 32_768

/** Fills the field `registry_auth`, so that no command line has a login. */
export const fillRegistryAuth = (
  { cli }: { readonly cli: CliSurface },
  typed: Typed
): Effect.Effect<Typed, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const logins = named<string>([])
    for (const [flag, extra] of Object.entries(cli.extras ?? {})) {
      if (extra._tag !== "secret" || extra.fills !== "registry_auth") continue
      const refuse = (detail: string) => new InvalidRequest({ field: `--${flag}`, detail })
      const { readFile } = yield* Terminal
      for (const word of typed.lists?.[flag] ?? []) {
        const { name: host, to } = mappingOf(word)
        // Without a place, the word may be the login itself.
        if (to === undefined || to === "") {
          return yield* refuse(`must be ${extra.from === "file" ? "HOST=PATH" : "HOST=NAME of a variable"}`)
        }
        const value = extra.from === "environment"
          ? yield* demandedVariable(flag, to)
          : strictText(yield* Effect.mapError(readFile(to, MAX_FILE_BYTES), ({ detail }) => refuse(detail))) ??
            (yield* refuse(`${to} is not UTF-8`))
        const registry = host.toLowerCase()
        if (registry in logins) return yield* refuse(`the login of ${registry} is given twice`)
        logins[registry] = value.replace(/[\r\n]+$/, "")
      }
    }
    return Object.keys(logins).length === 0
      ? typed
      : { ...typed, raw: named([...Object.entries(typed.raw), ["registry_auth", logins]]) }
  })
