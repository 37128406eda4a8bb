import { existsSync } from "node:fs"
import { join } from "node:path"

const IMPORT = /^import (type )?\{([^}]*)\} from "effect"$/gm

/** `Array as Arr` -> `import * as Arr from "effect/Array"`; a type is nothing in a program. */
const statementOf = (root, specifier) => {
  const [name, local = name] = specifier.split(" as ")
  if (name.startsWith("type ")) return []
  if (existsSync(join(root, `node_modules/effect/dist/${name}.js`))) {
    return [`import * as ${local} from "effect/${name}"`]
  }
  return [`import { ${specifier} } from "effect/Function"`]
}

/**
 * The text of a module with each part of Effect imported from its own file. The index of the package evaluates all parts that anything in
 * a bundle uses, in each process.
 */
export const withDeepImports = (root, source) =>
  source.replace(IMPORT, (_, isType, specifiers) =>
    isType === undefined
      ? specifiers.split(",").map((one) => one.trim()).filter((one) => one !== "")
        .flatMap((one) => statementOf(root, one)).join("; ")
      : "")
