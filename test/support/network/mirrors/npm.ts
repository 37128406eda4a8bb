import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import type { NpmPackage } from "./downloads.ts"
import { IMMUTABLE, type Mirror, notFound, sendFile, sendText } from "./mirror.ts"

const HOST = "registry.npmjs.org"

const tarballPath = ({ name, version }: NpmPackage) => `/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`

/** The manifest inside a tarball, whose folder has any name. */
const manifestOf = (file: string) =>
  JSON.parse(
    execFileSync("tar", ["-xzOf", file, "--wildcards", "--no-wildcards-match-slash", "*/package.json"], {
      encoding: "utf8"
    })
  ) as Readonly<Record<string, unknown>>

/** A version as the registry describes it (docs of npm/registry, "package metadata"). */
const versionOf = (one: NpmPackage) => ({
  ...manifestOf(one.file),
  _id: `${one.name}@${one.version}`,
  dist: {
    tarball: `https://${HOST}${tarballPath(one)}`,
    integrity: one.integrity,
    shasum: createHash("sha1").update(fs.readFileSync(one.file)).digest("hex")
  }
})

const packumentOf = (versions: ReadonlyArray<NpmPackage>) => ({
  name: versions[0]!.name,
  "dist-tags": { latest: versions.at(-1)!.version },
  versions: Object.fromEntries(versions.map((one) => [one.version, versionOf(one)]))
})

/** The npm registry with some packages: documents of packages, and tarballs. */
export const npmMirror = (packages: ReadonlyArray<NpmPackage>): Mirror => ({
  hosts: [HOST],
  answer: async (request, response) => {
    const path = decodeURIComponent((request.url ?? "").split("?", 1)[0]!)
    // `npm audit`, which `npm ci` asks for: no advisories.
    if (request.method === "POST" && path.startsWith("/-/npm/v1/security/")) {
      request.resume()
      return sendText(request, response, "{}", { "Content-Type": "application/json", "Cache-Control": "no-store" })
    }
    const tarball = packages.find((one) => tarballPath(one) === path)
    if (tarball !== undefined) {
      const headers = { "Content-Type": "application/octet-stream", "Cache-Control": IMMUTABLE }
      return sendFile(request, response, tarball.file, headers)
    }
    const versions = packages.filter(({ name }) => `/${name}` === path)
    if (versions.length === 0) return notFound(response)
    sendText(request, response, JSON.stringify(packumentOf(versions)), { "Content-Type": "application/json" })
  }
})
