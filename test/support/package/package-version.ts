import * as fs from "node:fs"
import * as path from "node:path"

const manifest = path.join(import.meta.dirname, "../../../package.json")

/** The version of pyro, which only package.json has. */
export const packageVersion: string =
  (JSON.parse(fs.readFileSync(manifest, "utf8")) as { readonly version: string }).version
