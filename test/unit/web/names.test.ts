import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"

const folder = path.join(import.meta.dirname, "../../../apps/web/src")
const sources = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tsx"))

/** Expressions that hold no text of a guest, a file or a model. */
const OWN = /^(?:title|of\.at|since|diff\.digest|executable|lineText\(of\)|at|where|place|isOutdated \?.*)$/

/** Expressions of an attribute: the whole, or those within a template. */
const expressionsOf = (value: string) =>
  value.startsWith("`") ? Array.from(value.matchAll(/\$\{([^}]*)\}/g), ([, inner]) => inner!) : [value]

describe("attributes of the page", () => {
  it.each(sources)("%s shows names in them with nameText, as in visible text", (name) => {
    const source = fs.readFileSync(path.join(folder, name), "utf8")
    const attributes = [
      ...source.matchAll(/\b(?:aria-label|aria-description|title|alt|placeholder)=\{((?:[^{}]|\{[^{}]*\})*)\}/g)
    ]
    for (const [whole, value] of attributes) {
      for (const expression of expressionsOf(value!.trim())) {
        const isSafe = OWN.test(expression) || expression.includes("nameText(") ||
          !/[a-z]\w*/i.test(expression.replace(/"[^"]*"/g, ""))
        assert.isTrue(isSafe, whole)
      }
    }
  })
})
