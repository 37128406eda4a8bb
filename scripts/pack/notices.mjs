import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The licenses of the bundled npm packages, which have to go with their code. */
export const notices = (root, packages) =>
  packages.map(({ license, name, place, version }) => {
    const files = readdirSync(join(root, place)).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort()
    const texts = files.map((file) => readFileSync(join(root, place, file), "utf8").trim())
    return [`${name} ${version} (${license ?? "no license named"})`, ...texts].join("\n\n")
  }).join(`\n\n${"-".repeat(78)}\n\n`) + "\n"
