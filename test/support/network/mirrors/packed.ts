import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { NpmPackage } from "./downloads.ts"

/** A package of a test's own, as `npm pack` makes it, in a folder of the test. */
export const packedIn = (
  folder: string,
  manifest: { readonly name: string; readonly version: string } & Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>> = {}
): NpmPackage => {
  const { name, version } = manifest
  const own = path.join(folder, `${name}-${version}`)
  fs.mkdirSync(path.join(own, "package"), { recursive: true })
  for (const [file, text] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })) {
    fs.writeFileSync(path.join(own, "package", file), text)
  }
  const file = `${own}.tgz`
  execFileSync("tar", ["-czf", file, "package"], { cwd: own })
  const integrity = `sha512-${createHash("sha512").update(fs.readFileSync(file)).digest("base64")}`
  return { name, version, integrity, file }
}
