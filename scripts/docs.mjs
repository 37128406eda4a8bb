import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { importDaemonSources, importSources } from "./build/import-sources.mjs"
import { configuration } from "./docs/configuration.mjs"
import { errorClasses } from "./docs/error-classes.mjs"
import { folders } from "./docs/folders.mjs"
import { reference } from "./docs/reference.mjs"
import { shapes } from "./docs/shapes.mjs"
import { packedNames } from "./docs/version.mjs"

// Writes the reference pages from the tables in src, the lines about imports in the READMEs of src, the name of the packed file in the pages, and
// the worked change of CONTRIBUTING.md.
// With --check it only reports whether the pages are up to date.

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const modules = await importSources(
  root,
  `
  export { operations } from "./src/contract/rows/operations.ts"
  export { furtherTags, ofEachCall } from "./src/contract/rows/call-errors.ts"
  export { snakeCase } from "./src/contract/text/snake.ts"
  export { operationStates } from "./src/contract/rows/operations.ts"
  export { isInteger, payloadDefaults, payloadFields } from "./src/contract/rows/payload-fields.ts"
  export { PyroError } from "./src/contract/errors/errors.ts"
  export { exitStatus } from "./src/contract/errors/exit-status.ts"
  export { allowedText } from "./src/system/settings/allowed-values.ts"
  export { variables } from "./src/system/settings/variables.ts"
  export { isByName } from "./src/contract/text/names.ts"
  export { SchemaAST } from "effect"`
)
const { list } = await importDaemonSources(root, `export { list } from "./src/daemon/calls/list.ts"`)
const ofFolders = folders(root)
const pages = [
  ...ofFolders.pages,
  ...packedNames(root),
  {
    page: "docs/public-contract.md",
    source: "src/contract and src/daemon/calls",
    text: reference({ ...modules, list })
  },
  { page: "docs/configuration.md", source: "src/system/settings/variables.ts", text: configuration(modules) },
  { page: "src/sdk/promises/shapes.ts", source: "src/contract", text: shapes(modules) },
  { page: "src/sdk/promises/errors.ts", source: "src/contract/errors", text: errorClasses(modules, root) }
]

const isInStep = ({ page, text }) => {
  try {
    return readFileSync(join(root, page), "utf8") === text
  } catch {
    return false
  }
}

const isCheck = process.argv.includes("--check")
for (const one of pages.filter((page) => !isInStep(page))) {
  if (isCheck) {
    process.stderr.write(`${one.page} is out of step with ${one.source}; write it anew with: node scripts/docs.mjs\n`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(join(root, one.page)), { recursive: true })
    writeFileSync(join(root, one.page), one.text)
  }
}

for (const problem of ofFolders.problems) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 1
}

await import("./docs/worked-change.mjs")
