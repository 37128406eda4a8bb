import { createHash } from "node:crypto"
import { Malformed, Reader } from "./bytes.ts"
import type { HostKeys } from "./known-hosts.ts"
import { isSigned } from "./signature.ts"

// The agent's protocol (draft-miller-ssh-agent), of which a guest gets three requests: list keys, bind to a session, sign for that session.

const FAILURE = Buffer.from([5])
const SUCCESS = Buffer.from([6])
const REQUEST_IDENTITIES = 11
const SIGN_REQUEST = 13
const EXTENSION = 27
const USERAUTH_REQUEST = 50
/** Maximum bytes of a session's id, which is a hash, and of a user's name. What a client says is kept, and shown to the person. */
const MAX_SESSION_BYTES = 64
const MAX_USER_BYTES = 256

/** Request of a guest to the person's agent. */
export interface Wanted {
  readonly host: string
  /** User on that host. */
  readonly user: string
  /** Fingerprint of the person's key, as OpenSSH shows it. */
  readonly fingerprint: string
}

/** Decision about a message: answer it, or pass it on to the agent, with the requested login if it asks for a signature. */
export type Judgement =
  | { readonly _tag: "Answer"; readonly message: Buffer; readonly refused?: string }
  | { readonly _tag: "Pass"; readonly wanted?: Wanted }

const refuse = (refused: string): Judgement => ({ _tag: "Answer", message: FAILURE, refused })

const fingerprintOf = (key: Buffer) => `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`

/**
 * Judges the messages of one client of a lent agent. The client must first bind its connection to a session with one of the named hosts: it shows
 * the host's signature of the session (`session-bind@openssh.com`, which OpenSSH sends from 8.9 on). Then the agent signs logins of this session
 * alone. So no program of the guest can log in to another host, sign a file or a commit, or use the agent through a host that it logged in to.
 */
export const makeFilter = (hosts: ReadonlyMap<string, HostKeys>) => {
  let bound: { readonly host: string; readonly key: Buffer; readonly session: Buffer } | undefined

  const bind = (request: Reader): Judgement => {
    const key = request.string()
    const session = Buffer.from(request.string())
    const signature = request.string()
    const isForwarding = request.u8() !== 0
    request.end()
    if (session.length > MAX_SESSION_BYTES) throw new Malformed()
    if (bound !== undefined || isForwarding) return refuse("a login through another host")
    const host = [...hosts].find(([, keys]) => keys.has(key.toString("base64")))?.[0]
    if (host === undefined) return refuse("a host that the agent is not lent for")
    if (!isSigned(key, session, signature)) return refuse(`a session that ${host} has not signed`)
    bound = { host, key: Buffer.from(key), session }
    return { _tag: "Answer", message: SUCCESS }
  }

  const sign = (request: Reader): Judgement => {
    const key = request.string()
    const data = new Reader(request.string())
    request.u32()
    request.end()
    if (bound === undefined) return refuse("a signature for no login, or by a client older than OpenSSH 8.9")
    const session = data.string()
    const isLogin = data.u8() === USERAUTH_REQUEST
    const user = data.text()
    if (user.length > MAX_USER_BYTES) throw new Malformed()
    const service = data.text()
    const method = data.text()
    const isSignature = data.u8() === 1
    data.text()
    const ofKey = data.string()
    const isBoundMethod = method === "publickey-hostbound-v00@openssh.com"
    const isOfHost = !isBoundMethod || data.string().equals(bound.key)
    data.end()
    const isAllowed = session.equals(bound.session) && isLogin && service === "ssh-connection" && isSignature &&
      (isBoundMethod || method === "publickey") && isOfHost && ofKey.equals(key)
    return isAllowed
      ? { _tag: "Pass", wanted: { host: bound.host, user, fingerprint: fingerprintOf(key) } }
      : refuse(`a signature for something else than a login to ${bound.host}`)
  }

  return (message: Uint8Array): Judgement => {
    try {
      const request = new Reader(message)
      switch (request.u8()) {
        case REQUEST_IDENTITIES:
          request.end()
          return { _tag: "Pass" }
        case SIGN_REQUEST:
          return sign(request)
        case EXTENSION:
          return request.text() === "session-bind@openssh.com" ? bind(request) : { _tag: "Answer", message: FAILURE }
        default:
          return refuse("a request that a guest may not make")
      }
    } catch (cause) {
      if (cause instanceof Malformed) return refuse("a malformed request")
      throw cause
    }
  }
}

export { FAILURE as refusal }
