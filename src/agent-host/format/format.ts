import { Either } from "effect"
import { type Change, changed, isEqual, isTable } from "./json.ts"
import { jsonc } from "./jsonc.ts"
import type { Format, FormatName } from "./language.ts"
import { toml } from "./toml.ts"
import { yaml } from "./yaml.ts"

const formats: { readonly [Name in FormatName]: Format } = { json: jsonc, toml, yaml }

const BOM = "\uFEFF"

/** The table that a configuration file is. */
export const read = (name: FormatName, text: string): Either.Either<{ readonly [key: string]: unknown }, string> =>
  Either.flatMap(
    formats[name].parse(text.startsWith(BOM) ? text.slice(1) : text),
    (value) => isTable(value) ? Either.right(value) : Either.left("the document has no keys at its top")
  )

/** Applies changes to a text, keeps the rest of the text, and checks that the result says exactly what was wanted. */
export const edit = (
  name: FormatName,
  original: string,
  changes: ReadonlyArray<Change>
): Either.Either<string, string> =>
  Either.gen(function*() {
    const format = formats[name]
    const bom = original.startsWith(BOM) ? BOM : ""
    let text = original.slice(bom.length)
    let value: unknown = yield* read(name, text)
    for (const change of changes) {
      const wanted = changed(value, change)
      const next = yield* Either.try({
        try: () => format.change(text, value, change),
        catch: () => `pyro cannot change ${change.path.join(".")} in the form that this file has`
      })
      const got = yield* Either.orElse(format.parse(next), () => Either.right(undefined))
      if (!isEqual(got, wanted)) {
        return yield* Either.left(`pyro cannot change ${change.path.join(".")} in the form that this file has`)
      }
      text = next
      value = wanted
    }
    return bom + text
  })
