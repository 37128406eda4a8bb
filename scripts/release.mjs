import { readFileSync } from "node:fs"
import process from "node:process"
import { inRoot } from "./setup/project.mjs"

// Prints the changelog of a release, and fails unless its tag, such as v1.2.3, is the version of package.json: node scripts/release.mjs v1.2.3

/** The changelog of one version, without its heading. Undefined if it has none. */
const changesOf = (changelog, version) => {
  const part = changelog.split(/^## /m).find((one) => one.split(/\s/, 1)[0] === version)
  return part?.slice(part.indexOf("\n")).trim()
}

const [tag = ""] = process.argv.slice(2)
const { version } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"))
const locked = JSON.parse(readFileSync(inRoot("package-lock.json"), "utf8"))
const changes = changesOf(readFileSync(inRoot("CHANGELOG.md"), "utf8"), version)

const faults = [
  tag === `v${version}` ? undefined : `the tag is ${tag}, and package.json has the version ${version}`,
  locked.version === version && locked.packages[""].version === version
    ? undefined
    : "package-lock.json has another version: npm install --package-lock-only",
  changes ? undefined : `CHANGELOG.md has nothing under a heading "## ${version}"`
].filter((fault) => fault !== undefined)

if (faults.length === 0) process.stdout.write(`${changes}\n`)
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exitCode = faults.length === 0 ? 0 : 1
