import { count } from "../text/count.ts"
import { nextCharacter, utf8Text, wholeCharacters } from "../text/utf8.ts"
import type { CommandOutput } from "./operation.ts"

/** The kept part of a stream of bytes, as text. */
interface KeptOutput {
  readonly text: string
  /** Total bytes of the stream. */
  readonly bytes: number
  /** The middle is missing: more than the limit was produced. */
  readonly truncated: boolean
  /** Some bytes were not UTF-8 and are shown as U+FFFD. */
  readonly lossy: boolean
}

/**
 * Keeps the head and the tail of a stream of bytes, together at most `limit` bytes.
 */
export const boundedOutput = (limit: number) => {
  const headLimit = Math.ceil(limit / 2)
  const tailLimit = limit - headLimit
  let head = new Uint8Array(0)
  let headLength = 0
  /** Linear until `tailLimit` bytes were seen, then a ring whose oldest byte is at `seen % tailLimit`. */
  let tail = new Uint8Array(0)
  let seen = 0

  const addTail = (bytes: Uint8Array) => {
    if (tailLimit === 0) {
      seen += bytes.length
      return
    }
    const skipped = Math.max(0, bytes.length - tailLimit)
    seen += skipped
    let rest = bytes.subarray(skipped)
    tail = grown(tail, Math.min(tailLimit, seen + rest.length), tailLimit)
    while (rest.length > 0) {
      const at = seen % tailLimit
      const piece = rest.subarray(0, tailLimit - at)
      tail.set(piece, at)
      seen += piece.length
      rest = rest.subarray(piece.length)
    }
  }

  const add = (bytes: Uint8Array): void => {
    const toHead = bytes.subarray(0, headLimit - headLength)
    if (toHead.length > 0) {
      head = grown(head, headLength + toHead.length, headLimit)
      head.set(toHead, headLength)
      headLength += toHead.length
    }
    if (toHead.length < bytes.length) addTail(bytes.subarray(toHead.length))
  }

  const kept = (): KeptOutput => {
    const start = head.subarray(0, headLength)
    const bytes = headLength + seen
    if (seen <= tailLimit) {
      const whole = new Uint8Array(bytes)
      whole.set(start)
      whole.set(tail.subarray(0, seen), headLength)
      return { ...utf8Text(whole), bytes, truncated: false }
    }
    const at = tailLimit === 0 ? 0 : seen % tailLimit
    const end = new Uint8Array(tailLimit)
    end.set(tail.subarray(at))
    end.set(tail.subarray(0, at), tailLimit - at)
    const first = utf8Text(start.subarray(0, wholeCharacters(start)))
    const last = utf8Text(end.subarray(nextCharacter(end)))
    return {
      text: `${first.text}\n[... ${count(bytes - limit, "byte")} left out ...]\n${last.text}`,
      bytes,
      truncated: true,
      lossy: first.lossy || last.lossy
    }
  }

  return { add, kept } as const
}

/** Stdout and stderr of a command, and with `arrival` both together, each with at most `limit` bytes. */
export const commandOutput = (limit: number, order: "stream" | "arrival" | "written" = "stream") => {
  const output = { stdout: boundedOutput(limit), stderr: boundedOutput(limit) }
  const both = order === "arrival" ? boundedOutput(limit) : undefined
  return {
    add: (from: "stdout" | "stderr", bytes: Uint8Array): void => {
      output[from].add(bytes)
      both?.add(bytes)
    },
    kept: (): CommandOutput => {
      const stdout = output.stdout.kept()
      const stderr = output.stderr.kept()
      const arrived = both?.kept()
      return {
        stdout: stdout.text,
        stderr: stderr.text,
        ...(arrived === undefined ? {} : { output: arrived.text }),
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
        truncated: stdout.truncated || stderr.truncated || arrived?.truncated === true,
        lossy: stdout.lossy || stderr.lossy || arrived?.lossy === true
      }
    }
  } as const
}

const grown = (buffer: Uint8Array<ArrayBuffer>, needed: number, limit: number) => {
  if (buffer.length >= needed) return buffer
  const larger = new Uint8Array(Math.min(limit, Math.max(needed, buffer.length * 2)))
  larger.set(buffer)
  return larger
}
