import { Transform } from "node:stream"
import { startTimer } from "../../../../system/waits/signal.ts"
import { OutputFilter } from "../../../redaction/filter.ts"
import { firstSecretIn, redactBytes } from "../../../redaction/redact.ts"
import { answerSet, type SecretSet } from "../../../redaction/secrets.ts"
import type { HeaderSecret } from "../../both/intercept/interception.ts"
import type { Header } from "./request.ts"

/** Silence after which the first bytes of a possible value are sent, in ms: a program may wait for the end of a message. */
const PAUSE_MS = 100

/** A text that may be base64 with a value of eight bytes in it. */
const BASE64 = /[A-Za-z0-9+/_-]{10,}={0,2}/g

/** Takes values out of the answers of one host. */
export interface AnswerFilter {
  /** A line of an answer, such as the reason phrase. The placeholder takes the place of a value. */
  readonly text: (text: string) => string
  readonly headers: (headers: ReadonlyArray<Header>) => ReadonlyArray<Header>
  /** The filter of one body, or of the bytes after an upgrade. Asterisks take the place of a value. */
  readonly body: () => Transform
}

const masked = (set: SecretSet, text: string) => {
  const bytes = Buffer.from(text, "latin1")
  return firstSecretIn(set, bytes) === undefined ? text : Buffer.from(redactBytes(set, bytes)).toString("latin1")
}

/** Puts the placeholders back, also inside base64. A value that stays, because other characters of base64 touch it, is masked. */
const withoutValues = (secrets: ReadonlyArray<HeaderSecret>, set: SecretSet, text: string): string => {
  const replaced = (part: string) =>
    secrets.reduce((sum, { placeholder, value }) => sum.replaceAll(value, () => placeholder), part)
  const recoded = replaced(text).replace(BASE64, (run) => {
    const inside = Buffer.from(run, "base64").toString("latin1")
    const clean = replaced(inside)
    return clean === inside ? run : Buffer.from(clean, "latin1").toString("base64")
  })
  return masked(set, recoded)
}

/** Moves the bytes of a body on. Those that may begin a value wait for the next ones. */
const bodyFilter = (set: SecretSet): Transform => {
  const filter = new OutputFilter(set)
  let timer: ReturnType<typeof startTimer> | undefined
  const give = (body: Transform, pieces: ReadonlyArray<Uint8Array>) => {
    for (const piece of pieces) body.push(piece)
  }
  return new Transform({
    transform(bytes: Buffer, _, done) {
      timer?.cancel()
      give(this, filter.push(bytes))
      if (filter.isBuffering) timer = startTimer(PAUSE_MS, () => this.destroyed || give(this, filter.pause()))
      done()
    },
    flush(done) {
      timer?.cancel()
      give(this, filter.end())
      done()
    },
    destroy(error, done) {
      timer?.cancel()
      done(error)
    }
  })
}

/** Maximum sets that are kept: a value of 16 KiB makes megabytes. */
const MAX_KEPT = 16
const kept = new Map<string, SecretSet>()

/** The set of these secrets. Each connection sends its secrets again. */
const keptSet = (secrets: ReadonlyArray<HeaderSecret>): SecretSet => {
  const key = JSON.stringify(secrets.map(({ value }) => value))
  const set = kept.get(key) ?? answerSet(secrets)
  kept.delete(key)
  kept.set(key, set)
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break
    kept.delete(oldest)
  }
  return set
}

export const answerFilter = (secrets: ReadonlyArray<HeaderSecret>): AnswerFilter => {
  const set = keptSet(secrets)
  const text = (one: string) => withoutValues(secrets, set, one)
  return {
    text,
    headers: (headers) => headers.map(([name, value]) => [text(name), text(value)]),
    body: () => bodyFilter(set)
  }
}
