import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

/** The name of the packed file in a command of a page. */
const PACKED = /\bpyro-\d+\.\d+\.\d+\.tgz\b/g

/** The pages that name the packed file, each with the version of package.json. */
export const packedNames = (root) => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return execFileSync("git", ["ls-files", "-z", "--", "README.md", "docs/*.md"], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((page) => page !== "")
    .map((page) => ({ page, source: "package.json", text: readFileSync(join(root, page), "utf8") }))
    .filter(({ text }) => text.search(PACKED) >= 0)
    .map(({ text, ...rest }) => ({ ...rest, text: text.replaceAll(PACKED, `pyro-${version}.tgz`) }))
}
