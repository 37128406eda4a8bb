import type { IncomingHttpHeaders } from "node:http"
import type { RegistryKind } from "../../model/cache-access.ts"

/** How an answer to a GET request is kept. */
export interface Content {
  /** `immutable`: the registry never changes the file of a URL. `index`: asked about again once it is stale. */
  readonly keeps: "immutable" | "index"
  /** Accept header of the request to the registry. One URL may have several contents. */
  readonly accept: string
}

export const ANY = "*/*"
const NPM_INSTALL = "application/vnd.npm.install-v1+json"
const NPM_ACCEPT = `${NPM_INSTALL}; q=1.0, application/json; q=0.8, */*`
const PYPI_JSON = "application/vnd.pypi.simple.v1+json"
const PYPI_HTML = "text/html"

/** Accept headers of the indexes of each kind. */
export const indexAccepts = { npm: [NPM_ACCEPT, ANY], pypi: [PYPI_JSON, PYPI_HTML] } as const

const immutable: Content = { keeps: "immutable", accept: ANY }
const index = (accept = ANY): Content => ({ keeps: "index", accept })

/** Name of an npm package in a URL; the slash of a scope may be encoded. */
const NPM_NAME = String.raw`(?:@[\w.~-]+(?:%2[fF]|/))?(?!-(?:/|$))[\w.~-]+`
const NPM_PACKUMENT = new RegExp(`^/${NPM_NAME}$`)
const NPM_TARBALL = new RegExp(String.raw`^/${NPM_NAME}/-/[\w.~+%@-]+\.tgz$`)

const PYPI_INDEX = /^\/simple\/(?:[\w.-]+\/)?$/
const PYPI_FILE = /^\/packages\/[\w./+%!~-]+$/

const DEBIAN_PACKAGE = /^\/[^?]*\/pool\/[^?]+\.(?:deb|udeb|dsc|asc|tar\.\w+|diff\.gz)$/
const DEBIAN_BY_HASH = /^\/[^?]*\/by-hash\/\w+\/[0-9a-f]+$/
const DEBIAN_INDEX = /^\/[^?]*\/dists\/[^?]+$/

/** `config.json`, or a crate's file by the length of its name (doc.rust-lang.org/cargo, "Index Format"). */
const CRATES_INDEX = /^\/(?:config\.json|1\/[\w-]|2\/[\w-]{2}|3\/[\w-]\/[\w-]{3}|[\w-]{2}\/[\w-]{2}\/[\w-]{4,64})$/
const CRATES_FILE = /^\/crates\/[\w-]{1,64}\/[\w.+-]+\/download$/

/** Path of a Go module, with `!` before each former capital letter (go.dev/ref/mod, "GOPROXY protocol"). */
const GO_MODULE = String.raw`(?:[\w.~!-]+/)+`
/** A whole version never changes. A shorter one, or the name of a branch, is a question. */
const GO_FILE = new RegExp(String.raw`^/${GO_MODULE}@v/v\d+\.\d+\.\d+[\w.+!-]*\.(?:info|mod|zip)$`)
const GO_INDEX = new RegExp(String.raw`^/${GO_MODULE}(?:@v/list|@latest)$`)
/** Records and tiles of the checksum database, which the client verifies (go.dev/design/25530-sumdb). */
const GO_SUM = /^\/(?:lookup\/[\w./~!+-]+@v[\w.+!-]+|tile\/8\/[\w./-]+)$/

const MAVEN_METADATA = /^\/maven2\/(?:[\w.-]+\/)+maven-metadata\.xml(?:\.\w+)?$/
const MAVEN_FILE = /^\/maven2\/(?:[\w.+-]+\/){3,}[\w.+-]+\.\w+$/

/** Name of an answer: all that the cache sends to the registry. */
export const keyOf = (
  { name, port }: { readonly name?: string | undefined; readonly port: number },
  path: string,
  accept: string
) => `${name}:${port}${path} ${accept}`

/** Content of a path of a registry; undefined for content that the cache passes on and never keeps. */
export const contentOf = (kind: RegistryKind, path: string, accept: string): Content | undefined => {
  switch (kind) {
    case "npm":
      if (NPM_TARBALL.test(path)) return immutable
      if (!NPM_PACKUMENT.test(path)) return undefined
      return index(accept.includes(NPM_INSTALL) ? NPM_ACCEPT : ANY)
    case "pypi-index":
      if (!PYPI_INDEX.test(path)) return undefined
      return index(accept.includes(PYPI_JSON) ? PYPI_JSON : PYPI_HTML)
    case "pypi-files":
      return PYPI_FILE.test(path) ? immutable : undefined
    case "debian":
      if (DEBIAN_PACKAGE.test(path) || DEBIAN_BY_HASH.test(path)) return immutable
      return DEBIAN_INDEX.test(path) ? index() : undefined
    case "crates-index":
      return CRATES_INDEX.test(path) ? index() : undefined
    case "crates-files":
      return CRATES_FILE.test(path) ? immutable : undefined
    case "go":
      if (GO_FILE.test(path)) return immutable
      return GO_INDEX.test(path) ? index() : undefined
    case "go-sums":
      return GO_SUM.test(path) ? immutable : path === "/latest" ? index() : undefined
    case "maven":
      if (MAVEN_METADATA.test(path)) return index()
      return MAVEN_FILE.test(path) ? immutable : undefined
    // Layers have rules of their own (layers.ts): who may read one is asked each time.
    case "images":
      return undefined
  }
}

/** Directives of a Cache-Control header (RFC 9111, 5.2), in lower case. */
const directives = (header: string | undefined) => new Set((header ?? "").toLowerCase().split(/[\s,]+/))

const seconds = (header: string | undefined, name: string): number | undefined => {
  const [, number] = new RegExp(`(?:^|[\\s,])${name}="?(\\d{1,9})`).exec((header ?? "").toLowerCase()) ?? []
  return number === undefined ? undefined : Number(number)
}

/** An index that a registry calls fresh for longer is asked about after this time, in seconds. */
const MAX_FRESH_S = 3_600

/** Demands of a client on a cache. */
export interface Demand {
  /** The client wants no answer that was kept: it may have found one that is damaged. */
  readonly isNew: boolean
  /** Maximum age of an index, in seconds. */
  readonly maxAgeS: number
  /** Nothing of the answer may be kept. */
  readonly isPrivate: boolean
}

export const demandOf = (headers: IncomingHttpHeaders, kind: RegistryKind): Demand => {
  const control = headers["cache-control"]
  const given = directives(control)
  const isUncached = given.has("no-cache") || (control === undefined && headers.pragma?.toLowerCase() === "no-cache")
  return {
    // Maven sends `no-cache` with every request.
    isNew: isUncached && kind !== "maven",
    maxAgeS: isUncached ? 0 : seconds(control, "max-age") ?? Infinity,
    isPrivate: given.has("no-store") || headers.authorization !== undefined || headers.cookie !== undefined
  }
}

/** Whether an entry answers the client without a question to the registry. */
export const isFresh = (
  { keeps }: Content,
  entry: { readonly cacheControl: string | undefined; readonly validatedMs: number },
  { maxAgeS }: Demand,
  nowMs: number
): boolean => {
  if (keeps === "immutable") return true
  const ageS = (nowMs - entry.validatedMs) / 1000
  const freshS = directives(entry.cacheControl).has("no-cache") ? 0 : seconds(entry.cacheControl, "max-age") ?? 0
  // A clock that was set back makes an entry stale.
  return ageS >= 0 && ageS < Math.min(freshS, maxAgeS, MAX_FRESH_S)
}

/** Codings that the cache can undo for a client that does not know them. */
const CODINGS = new Set([undefined, "identity", "gzip"])

/** Whether an answer may be kept for all guests. */
export const isKeepable = (status: number, headers: IncomingHttpHeaders): boolean => {
  const given = directives(headers["cache-control"])
  return status === 200 && !given.has("no-store") && !given.has("private") && headers.vary?.includes("*") !== true &&
    CODINGS.has(headers["content-encoding"]?.toLowerCase())
}
