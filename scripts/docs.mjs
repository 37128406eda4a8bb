import { build } from "esbuild"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { reference } from "./docs/reference.mjs"

// Writes docs/public-contract.md from the table of operations; with --check it only tells whether it is in step.

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, "docs/public-contract.md")

const { outputFiles: [contract] } = await build({
  stdin: {
    contents: `
      export { operations } from "./src/contract/operations.ts"
      export { payloadDefaults, payloadFields } from "./src/contract/payload-fields.ts"
      export { PyroError } from "./src/contract/errors.ts"
      export { exitStatus } from "./src/contract/exit-status.ts"
      export { JSONSchema } from "effect"`,
    resolveDir: root,
    loader: "ts"
  },
  bundle: true,
  platform: "node",
  format: "esm",
  write: false
})
const text = reference(await import(`data:text/javascript;base64,${Buffer.from(contract.contents).toString("base64")}`))

const isInStep = () => {
  try {
    return readFileSync(target, "utf8") === text
  } catch {
    return false
  }
}

if (process.argv.includes("--check")) {
  if (!isInStep()) {
    process.stderr.write(
      "docs/public-contract.md is out of step with src/contract; write it anew with: node scripts/docs.mjs\n"
    )
    process.exit(1)
  }
} else {
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
}
