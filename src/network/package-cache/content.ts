import type { RegistryKind } from "./access.ts"

/** How an answer to a GET request is kept. */
export interface Content {
  /** `immutable`: the registry never changes the file of a URL. `index`: asked about again once it is stale. */
  readonly keeps: "immutable" | "index"
  /** Accept header of the request to the registry. One URL may have several contents. */
  readonly accept: string
}

const ANY = "*/*"
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

/** Name of an answer: all that the cache sends to the registry. */
export const keyOf = (
  { name, port }: { readonly name?: string | undefined; readonly port: number },
  path: string,
  accept: string
) => `${name}:${port}${path} ${accept}`

/** What a path of a registry has; undefined for all that the cache passes on and never keeps. */
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
  }
}
