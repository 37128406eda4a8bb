import { createHash, randomBytes, timingSafeEqual } from "node:crypto"

/** A browser that may use the page. Only hashes of its secrets are kept. */
export interface KeptSession {
  /** SHA-256 of the cookie, in hex. */
  readonly cookie: string
  /** SHA-256 of the key, in hex. */
  readonly key: string
  /** Time of the last use, in ms since 1970. */
  readonly usedAtMs: number
  /**
   * User of this host whose browser opened the page, and who alone has the session. Absent if the kernel did not tell the user: then the session is
   * lost if the kernel tells a user later.
   */
  readonly user?: number | undefined
}

/** Secrets of a new session. The browser gets them once. */
export interface NewSession {
  readonly cookie: string
  readonly key: string
}

/** Time in which a token opens the page, in ms. */
export const TOKEN_MS = 60_000
/** Time after which a session without a use ends, in ms. */
export const SESSION_MS = 24 * 60 * 60 * 1_000
/** A use is recorded at most this often, in ms. */
const RECORD_EVERY_MS = 60_000
/** Maximum unused tokens, and maximum sessions. The oldest goes first. */
const MOST = 32

const secret = () => randomBytes(32).toString("base64url")
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex")

/** Compares in a time that does not depend on the place of the first difference. */
const isSame = (hash: string, other: string) => {
  const [one, two] = [Buffer.from(hash), Buffer.from(other)]
  return one.length === two.length && timingSafeEqual(one, two)
}

/**
 * Browsers that may use the page. A browser has a cookie and a key. Browsers send a cookie of 127.0.0.1 to each of its ports, so that a
 * guest behind a published port sees the cookie. The key is in the storage of the page's origin, which no other port reads.
 */
export class Sessions {
  readonly #nowMs: () => number
  readonly #changed: () => void
  /** Expiry of each token, by its hash. */
  readonly #tokens = new Map<string, number>()
  #sessions: Array<KeptSession>

  /** @param changed is called after each change that a restart must not forget */
  constructor(nowMs: () => number, kept: ReadonlyArray<KeptSession>, changed: () => void) {
    this.#nowMs = nowMs
    this.#changed = changed
    this.#sessions = [...kept]
    this.#sweep()
  }

  /** The sessions that have not ended. */
  kept(): ReadonlyArray<KeptSession> {
    this.#sweep()
    return this.#sessions
  }

  /** Whether a browser may come: it has a session, or a token waits for its use. */
  isWanted(): boolean {
    this.#sweep()
    return this.#sessions.length + this.#tokens.size > 0
  }

  #sweep() {
    const now = this.#nowMs()
    for (const [hash, untilMs] of this.#tokens) if (untilMs <= now) this.#tokens.delete(hash)
    this.#sessions = this.#sessions.filter(({ usedAtMs }) => usedAtMs + SESSION_MS > now)
  }

  /** A token that opens the page once, within TOKEN_MS. */
  token(): string {
    this.#sweep()
    const token = secret()
    const [oldest] = this.#tokens.keys()
    if (oldest !== undefined && this.#tokens.size >= MOST) this.#tokens.delete(oldest)
    this.#tokens.set(hashOf(token), this.#nowMs() + TOKEN_MS)
    return token
  }

  /** Exchanges a token of this user's browser for a session. Undefined for a token that is unknown, used or expired. */
  redeem(token: string, user?: number): NewSession | undefined {
    this.#sweep()
    const given = hashOf(token)
    const found = [...this.#tokens.keys()].filter((hash) => isSame(hash, given))[0]
    if (found === undefined) return undefined
    this.#tokens.delete(found)
    const made = { cookie: secret(), key: secret() }
    const session = {
      cookie: hashOf(made.cookie),
      key: hashOf(made.key),
      usedAtMs: this.#nowMs(),
      ...(user === undefined ? {} : { user })
    }
    this.#sessions = [...this.#sessions, session].slice(-MOST)
    this.#changed()
    return made
  }

  /** The session of this user's cookie, which counts as used now. */
  find(cookie: string, user?: number): KeptSession | undefined {
    this.#sweep()
    const given = hashOf(cookie)
    const found = this.#sessions.filter((session) => isSame(session.cookie, given) && session.user === user)[0]
    if (found !== undefined) this.use(found)
    return found
  }

  /** Counts now as the last use. */
  use({ cookie }: KeptSession): void {
    const now = this.#nowMs()
    const found = this.#sessions.find((session) => session.cookie === cookie)
    if (found === undefined || now - found.usedAtMs < RECORD_EVERY_MS) return
    this.#sessions = this.#sessions.map((session) => session === found ? { ...session, usedAtMs: now } : session)
    this.#changed()
  }

  /** Whether a key belongs to a session. */
  hasKey({ key }: KeptSession, given: string): boolean {
    return isSame(key, hashOf(given))
  }

  /** Ends all sessions and tokens. */
  clear(): void {
    this.#tokens.clear()
    this.#sessions = []
    this.#changed()
  }
}
