import { PAGE_KEY, PAGE_PROTOCOL, PAGE_RPC_PATH, PAGE_SESSION_PATH } from "../../contract/wire/page.ts"
import type { PageFile, PageFiles } from "./files.ts"
import type { KeptSession, Sessions } from "./sessions.ts"

/** An HTTP request, as far as an answer depends on it. */
export interface Asked {
  readonly method: string
  /** Path and query, as the client wrote them. */
  readonly target: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly cookie: string | undefined
  /** The offered subprotocols of a WebSocket, separated by commas. */
  readonly protocols: string | undefined
  /** User of this host at the other end of the connection. Undefined if the kernel does not tell. */
  readonly user?: number | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/** Inputs of the answers. */
export interface Answering {
  readonly port: number
  readonly files: PageFiles
  readonly sessions: Sessions
}

/** No source but the page's own files, and images that the page makes itself. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'"
].join("; ")

const SAFETY = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY"
} as const

const text = (status: number, body: string, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { ...SAFETY, "Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8", ...headers },
  body: `${body}\n`
})

const UNKNOWN_HOST = text(403, "This address is not pyro's page. Run: pyro ui")
const NO_SESSION = text(401, "This browser has no session of pyro's page. Run: pyro ui")
const USED_TOKEN = text(401, "This link was used already, or is older than a minute. Run: pyro ui")
const FOREIGN = text(403, "Another page may not use pyro.")
const NOT_FOUND = text(404, "pyro's page has no such file.")

const hostsOf = (port: number) => [`127.0.0.1:${port}`, `localhost:${port}`]

/** Name of the cookie. Browsers send cookies of 127.0.0.1 to each of its ports, so each port has a name of its own. */
const cookieName = (port: number) => `pyro-${port}`

/** The values of a cookie. Another port of this host can add some of the same name. */
const cookiesOf = (header: string | undefined, name: string): ReadonlyArray<string> =>
  (header ?? "").split(";").flatMap((pair) => {
    const [own, ...value] = pair.split("=")
    return own?.trim() === name ? [value.join("=").trim()] : []
  })

const sessionOf = ({ port, sessions }: Answering, { cookie, user }: Asked): KeptSession | undefined => {
  for (const value of cookiesOf(cookie, cookieName(port))) {
    const found = sessions.find(value, user)
    if (found !== undefined) return found
  }
  return undefined
}

/** The parts of a request's target. Undefined if the target is no path of this server. */
const parsed = (target: string): URL | undefined => {
  if (!target.startsWith("/")) return undefined
  try {
    const url = new URL(`http://page${target}`)
    // Two slashes in front would name another host.
    url.pathname = url.pathname.replace(/^\/+/, "/")
    return url.host === "page" ? url : undefined
  } catch {
    return undefined
  }
}

const escaped = (value: string) => value.replace(/[^A-Za-z0-9/_.~-]/g, (one) => `&#${one.codePointAt(0)};`)

/** The page's icon. A browser asks for /favicon.ico, which is no file of the page, if a document names no icon. */
const iconLink = (files: PageFiles) => {
  const icon = [...files.keys()].find((name) => /\/favicon[^/]*\.svg$/.test(name))
  return icon === undefined ? "" : `<link rel="icon" href="${escaped(icon)}" type="image/svg+xml">`
}

/**
 * The answer to a valid token. A document that goes on by itself, and no redirection: a browser counts the request after a redirection as
 * part of the first one, which came from another program, and sends no strict cookie.
 */
const opened = (answering: Answering, { pathname, searchParams }: URL, user: number | undefined): Answer => {
  const { files, port, sessions } = answering
  const session = sessions.redeem(searchParams.get("token") ?? "", user)
  if (session === undefined) return USED_TOKEN
  const next = `${escaped(pathname)}#${PAGE_KEY}=${session.key}`
  return {
    status: 200,
    headers: {
      ...SAFETY,
      "Cache-Control": "no-store",
      "Content-Type": "text/html; charset=utf-8",
      "Set-Cookie": `${cookieName(port)}=${session.cookie}; HttpOnly; SameSite=Strict; Path=/`
    },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pyro</title>` +
      iconLink(files) +
      `<meta http-equiv="refresh" content="0;url=${next}"></head>` +
      `<body><p><a href="${next}">Open pyro's page</a></p></body></html>\n`
  }
}

const ofFile = ({ bytes, isHashed, type }: PageFile): Answer => ({
  status: 200,
  headers: {
    ...SAFETY,
    "Cache-Control": isHashed ? "private, max-age=31536000, immutable" : "no-cache",
    "Content-Type": type
  },
  body: bytes
})

/** A path of the page's own views. Names of workspaces may have dots; files beside `/` and its folder `assets` have one, too. */
const isView = (pathname: string) => !/^\/(assets\/|[^/]*\.[^/]*$)/.test(pathname)

/** The answer to a request that is no WebSocket. */
export const answer = (answering: Answering, asked: Asked): Answer => {
  if (!hostsOf(answering.port).includes(asked.host ?? "")) return UNKNOWN_HOST
  if (asked.method !== "GET" && asked.method !== "HEAD") {
    return text(405, "pyro's page has no such request.", { Allow: "GET, HEAD" })
  }
  const url = parsed(asked.target)
  if (url === undefined) return NOT_FOUND
  // A HEAD of a link checker must not use the token up.
  if (url.searchParams.has("token") && asked.method === "GET") return opened(answering, url, asked.user)
  if (sessionOf(answering, asked) === undefined) return NO_SESSION
  if (url.pathname === PAGE_SESSION_PATH) {
    return text(200, JSON.stringify({ ok: true }), { "Content-Type": "application/json" })
  }
  if (url.pathname === PAGE_RPC_PATH) return text(426, "A WebSocket is needed here.", { Upgrade: "websocket" })
  const file = answering.files.get(url.pathname) ??
    (isView(url.pathname) ? answering.files.get("/") : undefined)
  return file === undefined ? NOT_FOUND : ofFile(file)
}

/** Whether a WebSocket may connect: its session, or the refusal. */
export const admit = (answering: Answering, asked: Asked): { readonly session: KeptSession } | Answer => {
  const { host } = asked
  if (!hostsOf(answering.port).includes(host ?? "")) return UNKNOWN_HOST
  if (asked.origin !== `http://${host}`) return FOREIGN
  if (asked.method !== "GET" || asked.target !== PAGE_RPC_PATH) return NOT_FOUND
  const session = sessionOf(answering, asked)
  if (session === undefined) return NO_SESSION
  const [protocol, key, ...more] = (asked.protocols ?? "").split(",").map((one) => one.trim())
  const hasKey = protocol === PAGE_PROTOCOL && more.length === 0 && answering.sessions.hasKey(session, key ?? "")
  return hasKey ? { session } : NO_SESSION
}
