import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A token of distribution's "Token Authentication Specification", signed with the key of a certificate. */
const tokenFor = (
  { cert, key }: { readonly cert: string; readonly key: string },
  service: string,
  scopes: ReadonlyArray<string>
) => {
  const now = Math.floor(Date.now() / 1000)
  const access = scopes.map((scope) => {
    const [type, name, actions = ""] = scope.split(":")
    return { type, name, actions: actions.split(",") }
  })
  const claims = {
    iss: "tests",
    sub: "user",
    aud: service,
    exp: now + 600,
    nbf: now - 600,
    iat: now,
    jti: randomUUID()
  }
  const header = { typ: "JWT", alg: "ES256", x5c: [new X509Certificate(cert).raw.toString("base64")] }
  const text = `${encoded(header)}.${encoded({ ...claims, access })}`
  const signature = sign("sha256", Buffer.from(text), { key: createPrivateKey(key), dsaEncoding: "ieee-p1363" })
  return `${text}.${signature.toString("base64url")}`
}

/** Gives tokens to whoever has the Basic credentials. */
export const tokenServer =
  (identity: { readonly cert: string; readonly key: string }, basic: string, seen: Array<string>) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "", "https://tokens")
    seen.push(`${request.method} ${url.pathname} ${url.searchParams.getAll("scope").join(" ")}`)
    if (request.headers.authorization !== basic) return response.writeHead(401).end("{}")
    const token = tokenFor(identity, url.searchParams.get("service") ?? "", url.searchParams.getAll("scope"))
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, expires_in: 600 }))
  }
