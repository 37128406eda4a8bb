import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { ShellScreen } from "../../../contract/rows/shell-fields.ts"
import type { ShellReadPayload } from "../../../contract/rows/workspace-shell-io.ts"
import { count } from "../../../contract/text/count.ts"
import { nextCharacter, utf8Text } from "../../../contract/text/utf8.ts"
import { redactLines } from "../../../lib/redaction/redact.ts"
import { clockReader } from "../../../system/waits/time.ts"
import type { Commands } from "../exec/command-registry.ts"
import { pageOf } from "../exec/logs.ts"
import type { Renderings } from "./renderings.ts"
import type { Shell } from "./shell.ts"

/** Shortest pause between two searches for a text, in ms, while output flows. A pause is as long as the search before, too. */
const SEARCH_EVERY_MS = 50

interface Context {
  readonly commands: Commands
  readonly renderings: Renderings
}

/** Lines of a shell's screen from a cursor on, without secrets. */
const linesFrom = ({ commands, renderings }: Context, shell: Shell, cursor: number) =>
  renderings.withScreen(shell, cursor, (rendering) => {
    const text = rendering.textFrom(cursor)
    return { ...text, lines: redactLines(commands.secrets.set, text.lines), next: rendering.position }
  })

/** The newest lines that fit `maxBytes`, and whether some did not. */
const newest = (lines: ReadonlyArray<string>, maxBytes: number) => {
  let bytes = 0
  let first = lines.length
  while (first > 0) {
    const size = Buffer.byteLength(lines[first - 1]!) + 1
    if (bytes + size > maxBytes + 1) break
    bytes += size
    first--
  }
  if (first === 0) return { text: lines.join("\n"), isCut: false }
  // The end of a line that alone exceeds the limit.
  const kept = first === lines.length ? [endOf(lines.at(-1)!, maxBytes)] : lines.slice(first)
  return { text: kept.join("\n"), isCut: true }
}

const endOf = (line: string, maxBytes: number) => {
  const bytes = Buffer.from(line, "utf8")
  return bytes.toString("utf8", nextCharacter(bytes, Math.max(0, bytes.length - maxBytes)))
}

type Waited = NonNullable<ShellScreen["waited"]>

/** Waits for a text and then for a pause, as asked. The search keeps no output. */
const waitFor = (context: Context, shell: Shell, payload: ShellReadPayload): Effect.Effect<Waited | undefined> =>
  Effect.gen(function*() {
    const { cursor, waitFor: wanted, waitForIdleMs, waitSeconds } = payload
    const { log } = shell
    const { monotonicMs } = yield* clockReader
    const untilMs = monotonicMs() + waitSeconds * 1000
    let waited: Waited | undefined
    if (wanted !== undefined) {
      let tookMs = 0
      for (let searched = -1;;) {
        if (log.position > searched) {
          searched = log.position
          const beganMs = monotonicMs()
          const { lines } = yield* linesFrom(context, shell, cursor)
          tookMs = monotonicMs() - beganMs
          if (lines.some((line) => line.includes(wanted)) || lines.join("\n").includes(wanted)) break
        }
        // The rest of an ended log was searched.
        if (log.ended && log.position <= searched) return "ended"
        const leftMs = untilMs - monotonicMs()
        if (leftMs <= 0) return "timed_out"
        yield* log.more(searched, leftMs)
        yield* Effect.sleep(Math.min(Math.max(SEARCH_EVERY_MS, tookMs), leftMs))
      }
      waited = "found"
    }
    if (waitForIdleMs === undefined) return waited
    for (;;) {
      if (log.ended) return waited ?? "ended"
      const leftMs = untilMs - monotonicMs()
      if (leftMs <= 0) return waited ?? "timed_out"
      const before = log.position
      yield* log.more(before, Math.min(waitForIdleMs, leftMs))
      if (log.position === before && !log.ended) {
        return leftMs < waitForIdleMs
          ? waited ?? "timed_out"
          : waited ?? "idle"
      }
    }
  })

const outcomeOf = ({ commands }: Context, { id }: Shell) => {
  const end = commands.journal.get(id)?.end
  return { outcome: end?.outcome ?? "running" as const, ...(end?.status === undefined ? {} : { status: end.status }) }
}

/** The output of a shell from a cursor on: its bytes, or what a person sees. */
export const read = (
  context: Context,
  shell: Shell,
  payload: ShellReadPayload
): Effect.Effect<ShellScreen, InvalidRequest> =>
  Effect.gen(function*() {
    const { cursor, encoding, maxBytes, plain } = payload
    if (plain && encoding !== "text") {
      return yield* new InvalidRequest({ field: "encoding", detail: "cannot be combined with plain" })
    }
    if (shell.log.position < cursor) {
      return yield* new InvalidRequest({
        field: "cursor",
        detail: `the output has ${count(shell.log.position, "byte")} only`
      })
    }
    const waited = yield* waitFor(context, shell, payload)
    const common = { shellId: shell.id, ...outcomeOf(context, shell), ...(waited === undefined ? {} : { waited }) }
    if (plain) {
      const { isAlternate, isCut, lines, next } = yield* linesFrom(context, shell, cursor)
      const shown = newest(lines, maxBytes)
      return {
        ...common,
        output: shown.text,
        nextCursor: next,
        truncated: isCut || shown.isCut,
        ...(isAlternate ? { alternate: true as const } : {})
      }
    }
    const { bytes, next, skipped } = pageOf(shell.log, { cursor, encoding, maxBytes })
    const { lossy, text } = encoding === "text" ? utf8Text(bytes) : { text: bytes.toString("base64"), lossy: false }
    return {
      ...common,
      output: text,
      nextCursor: next,
      truncated: next < shell.log.position,
      ...(skipped === 0 ? {} : { skippedBytes: skipped }),
      lossy
    }
  })
