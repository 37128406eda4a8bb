import { Result } from "effect"
import { type Change, changed, type Format, type FormatName, isEqual, isTable } from "./document.ts"
import { jsonc } from "./jsonc.ts"
import { toml } from "./toml.ts"
import { yaml } from "./yaml.ts"

const formats: { readonly [Name in FormatName]: Format } = { json: jsonc, toml, yaml }

const BOM = "\uFEFF"

/** Reads a configuration file, whose top level must be a table. */
export const read = (name: FormatName, text: string): Result.Result<{ readonly [key: string]: unknown }, string> =>
  Result.flatMap(
    formats[name].parse(text.startsWith(BOM) ? text.slice(1) : text),
    (value) => isTable(value) ? Result.succeed(value) : Result.fail("the document has no keys at its top")
  )

/** Applies changes to a text and keeps the rest of the text. Parses the result, and fails if its value is not the wanted one. */
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
