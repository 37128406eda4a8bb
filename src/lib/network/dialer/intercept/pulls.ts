/** A part of an image: a manifest or a blob, by tag or digest (OCI distribution specification, "Pull"). */
const PART = /^(manifests|blobs)\/[A-Za-z0-9_][A-Za-z0-9._:+-]*$/

/** A path whose end is a token service: /token, /v2/auth, /jwt/auth, /service/token. No escapes, and no dots that servers resolve. */
const TOKEN_PATH = /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/(auth|token)\/?$/
/** Parameters of a request for a token that ends by itself (distribution's "Token authentication"). `offline_token` would give another one. */
const TOKEN_PARAMETERS = new Set(["account", "client_id", "scope", "service"])

const isOfToken = (repositories: ReadonlyArray<string>, query: string) => {
  const parameters = [...new URLSearchParams(query)]
  const scopes = parameters.flatMap(([name, value]) => name === "scope" ? value.split(" ") : [])
  return parameters.every(([name]) => TOKEN_PARAMETERS.has(name)) && scopes.length > 0 &&
    scopes.every((scope) => repositories.some((repository) => scope === `repository:${repository}:pull`))
}

/**
 * Whether a request pulls an image of these repositories, or asks for a token that can do only that. Everything else that a registry offers
 * to an account, such as other repositories and pushes, needs other requests.
 */
export const isPullOf = (
  repositories: ReadonlyArray<string>,
  { method, target }: { readonly method: string; readonly target: string }
): boolean => {
  if (method !== "GET" && method !== "HEAD") return false
  const [path = "", query, ...more] = target.split("?")
  if (more.length > 0) return false
  if (query !== undefined) return TOKEN_PATH.test(path) && isOfToken(repositories, query)
  return path === "/v2/" || repositories.some((repository) => {
    const start = `/v2/${repository}/`
    return path.startsWith(start) && PART.test(path.slice(start.length))
  })
}
