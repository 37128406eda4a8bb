import { Result } from "effect"
import { type Change, changed, isEqual, isTable } from "./json.ts"
import { jsonc } from "./jsonc.ts"
import type { Format, FormatName } from "./language.ts"
import { toml } from "./toml.ts"
import { yaml } from "./yaml.ts"

const formats: { readonly [Name in FormatName]: Format } = { json: jsonc, toml, yaml }

const BOM = "\uFEFF"

/** The table that a configuration file is. */
export const read = (name: FormatName, text: string): Result.Result<{ readonly [key: string]: unknown }, string> =>
  Result.flatMap(
    formats[name].parse(text.startsWith(BOM) ? text.slice(1) : text),
    (value) => isTable(value) ? Result.succeed(value) : Result.fail("the document has no keys at its top")
  )

/** Applies changes to a text, keeps the rest of the text, and checks that the result says exactly what was wanted. */
export const edit = (
  name: FormatName,
  original: string,
  changes: ReadonlyArray<Change>
): Result.Result<string, string> =>
  Result.gen(function*() {
    const format = formats[name]
    const bom = original.startsWith(BOM) ? BOM : ""
    let text = original.slice(bom.length)
    let value: unknown = yield* read(name, text)
    for (const change of changes) {
      const wanted = changed(value, change)
      const next = yield* Result.try({
        try: () => format.change(text, value, change),
        catch: () => `pyro cannot change ${change.path.join(".")} in the form that this file has`
      })
      const got = yield* Result.orElse(format.parse(next), () => Result.succeed(undefined))
      if (!isEqual(got, wanted)) {
        return yield* Result.fail(`pyro cannot change ${change.path.join(".")} in the form that this file has`)
      }
      text = next
      value = wanted
    }
    return bom + text
  })
