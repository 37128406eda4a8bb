import { readFileSync } from "node:fs"
import { join } from "node:path"
import { importSources } from "../build/import-sources.mjs"
import { roff } from "./roff.mjs"

/**
 * The manual pages of section 1: `pyro`, and one per first word of a command, whose verbs are parts of it. Their texts are those of
 * `--help`. `man` of package.json names each file, because npm links no others.
 */
export const manualPages = async (root) => {
  const { commands, documentOf, groupSummary, pageOf } = await helpOf(root)
  const helpPage = (path) => pageOf(documentOf(path))
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const words = [...new Set(commands.map(({ cli }) => cli.path[0]))]
  const overview = {
    name: "pyro",
    summary: "disposable microVM workspaces that coding agents inhabit",
    parts: [{ document: helpPage([]) }],
    seeAlso: words.map((word) => `pyro-${word}`)
  }
  const pages = words.map((word) => {
    const beneath = commands.filter(({ cli }) => cli.path[0] === word)
    const [only] = beneath
    const verbs = beneath.map(({ cli }) => ({ title: `pyro ${cli.path.join(" ")}`, document: helpPage(cli.path) }))
    const isVerb = beneath.length === 1
    return {
      name: `pyro-${word}`,
      summary: isVerb ? only.summary : groupSummary(word),
      parts: isVerb ? [{ document: verbs[0].document }] : [{ document: helpPage([word]) }, ...verbs],
      seeAlso: ["pyro"]
    }
  })
  return [overview, ...pages].map((page) => ({ file: `${page.name}.1`, text: roff({ ...page, version }) }))
}

const helpOf = (root) =>
  importSources(
    root,
    `export { commands } from "./src/cli/rows/rows.ts"; export { documentOf, groupSummary } from "./src/cli/help/help.ts"; export { pageOf } from "./src/cli/help/help-text.ts"`
  )
