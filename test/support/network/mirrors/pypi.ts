import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { IMMUTABLE, type Mirror, notFound, sendFile, sendText } from "./mirror.ts"

const INDEX = "pypi.org"
const FILES = "files.pythonhosted.org"
const SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"

interface Distribution {
  readonly name: string
  readonly file: string
  readonly sha256: string
  readonly path: string
}

/** Reads `NAME-VERSION…` of a wheel or an sdist, and gives the normalised name of PEP 503. */
const nameOf = (file: string) => {
  const base = path.basename(file)
  const [, name = ""] = (base.endsWith(".whl") ? /^([^-]+)-/ : /^(.+)-[^-]+$/).exec(base) ?? []
  return name.toLowerCase().replace(/[-_.]+/g, "-")
}

const distributionOf = (file: string): Distribution => {
  const sha256 = createHash("sha256").update(fs.readFileSync(file)).digest("hex")
  const folder = `/packages/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4)}`
  return { name: nameOf(file), file, sha256, path: `${folder}/${path.basename(file)}` }
}

const urlOf = (one: Distribution) => `https://${FILES}${one.path.split("/").map(encodeURIComponent).join("/")}`

/** The page of a project (PEP 503). */
const htmlOf = (found: ReadonlyArray<Distribution>) =>
  `<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0"></head><body>\n${
    found.map((one) => `<a href="${urlOf(one)}#sha256=${one.sha256}">${path.basename(one.file)}</a><br>\n`).join("")
  }</body></html>\n`

/** The same as JSON (PEP 691). */
const jsonOf = (name: string, found: ReadonlyArray<Distribution>) =>
  JSON.stringify({
    meta: { "api-version": "1.0" },
    name,
    files: found.map((one) => ({
      filename: path.basename(one.file),
      url: urlOf(one),
      hashes: { sha256: one.sha256 }
    }))
  })

/** PyPI with some wheels and sdists: the simple index in HTML and JSON, and the files. */
export const pypiMirror = (files: ReadonlyArray<string>): Mirror => {
  const distributions = files.map(distributionOf)
  return {
    hosts: [INDEX, FILES],
    answer: async (request, response) => {
      const url = decodeURIComponent((request.url ?? "").split("?", 1)[0]!)
      if (request.headers.host === FILES) {
        const found = distributions.find((one) => one.path === url)
        return found === undefined ? notFound(response) : sendFile(request, response, found.file, {
          "Content-Type": "application/octet-stream",
          "Cache-Control": IMMUTABLE
        })
      }
      const [, name = ""] = /^\/simple\/([^/]+)\/$/.exec(url) ?? []
      const found = distributions.filter((one) => one.name === name)
      if (found.length === 0) return notFound(response)
      response.setHeader("Vary", "Accept")
      return request.headers.accept?.includes(SIMPLE_JSON) === true
        ? sendText(request, response, jsonOf(name, found), { "Content-Type": SIMPLE_JSON })
        : sendText(request, response, htmlOf(found), { "Content-Type": "text/html" })
    }
  }
}
