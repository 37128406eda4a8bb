import { Effect } from "effect"
import type { ServiceLogsPayload, ServiceLogsResult } from "../../../contract/rows/workspace-service.ts"
import { printable } from "../../../contract/text/printable.ts"
import { nextCharacter, utf8Text, wholeCharacters } from "../../../contract/text/utf8.ts"
import { monotonicMs, nowMs } from "../../../system/waits/time.ts"
import type { Services } from "./services.ts"
import { logEnd, runsOf, type ServiceRecord, stateWithReason } from "./state.ts"

/** Maximum wait of a follower, in ms. */
const FOLLOW_MS = 20_000
/** Interval in which a follower looks whether a service between two runs goes on, in ms. */
const BETWEEN_RUNS_MS = 100

/** The end of a log in an error: lines and characters. */
const TAIL_LINES = 20
const TAIL_BYTES = 4_096

/** Bytes of a log from a cursor on, over all runs. */
const read = ({ commands }: Pick<Services, "commands">, service: ServiceRecord, cursor: number, maxBytes: number) => {
  const pieces: Array<Uint8Array> = []
  let [at, skipped, left] = [cursor, 0, maxBytes]
  if (at < service.outputBefore) [skipped, at] = [service.outputBefore - at, service.outputBefore]
  for (const { begin, end, log } of runsOf(commands, service)) {
    if (at >= end) continue
    // Output after a gap belongs to the next page.
    if (log === undefined) {
      if (pieces.length > 0) break
      skipped += end - at
      at = end
      continue
    }
    const page = log.page(at - begin, left)
    if (page.skipped > 0 && pieces.length > 0) break
    skipped += page.skipped
    if (page.bytes.length > 0) pieces.push(page.bytes)
    left -= page.bytes.length
    at += page.skipped + page.bytes.length
    if (at < end) break
  }
  return { bytes: Buffer.concat(pieces), next: at, skipped }
}

/** The newest lines of a log, as far as they fit. */
const newestLines = (services: Pick<Services, "commands">, service: ServiceRecord, lines: number, maxBytes: number) => {
  const end = logEnd(services.commands, service)
  const from = Math.max(service.outputBefore, end - maxBytes)
  const { bytes, next, skipped } = read(services, service, from, maxBytes)
  let at = bytes.length > 0 && bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length
  for (let left = lines; left > 0; left--) {
    at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1)
    if (at === -1) break
  }
  const isCut = at === -1 && from > service.outputBefore && skipped === 0
  // A line that the limit has cut begins with its next character.
  const begin = at + 1
  return { bytes: bytes.subarray(isCut ? nextCharacter(bytes) : begin), next, skipped: 0 }
}

/** The end of a service's log, safe to show. */
export const tailOf = (services: Pick<Services, "commands">, service: ServiceRecord): string =>
  printable(newestLines(services, service, TAIL_LINES, TAIL_BYTES).bytes.toString("utf8")).trimEnd()

/** One page of a service's log. A follower waits for output, for the end of the service, or for its time. */
export const serviceLogs = (
  services: Services,
  payload: ServiceLogsPayload
): Effect.Effect<ServiceLogsResult> =>
  Effect.gen(function*() {
    const { cursor, follow, maxBytes, name, tailLines } = payload
    const untilMs = (yield* monotonicMs) + FOLLOW_MS
    const service = () => services.get(name)
    const isLive = () => services.live.has(name)
    const first = service()!
    const from = cursor ?? first.outputBefore
    while (follow && isLive() && (yield* monotonicMs) < untilMs) {
      const now = service()
      const run = now === undefined ? undefined : runsOf(services.commands, now).at(-1)
      if (now === undefined || logEnd(services.commands, now) > from) break
      const waitMs = Math.max(1, untilMs - (yield* monotonicMs))
      yield* run?.log === undefined || run.log.ended
        ? Effect.sleep(BETWEEN_RUNS_MS)
        : run.log.more(from - run.begin, waitMs)
    }
    const now = service() ?? first
    const end = logEnd(services.commands, now)
    const { bytes: all, next, skipped } = tailLines === undefined
      ? read(services, now, from, maxBytes)
      : newestLines(services, now, tailLines, maxBytes)
    // A character that the page cuts comes with the next page.
    const bytes = next < end || isLive() ? all.subarray(0, wholeCharacters(all) || all.length) : all
    const { lossy, text } = utf8Text(bytes)
    const nextCursor = next - (all.length - bytes.length)
    const { restartInMs: _, ...state } = stateWithReason(now, yield* nowMs, services.isPaused)
    return {
      ...state,
      output: text,
      nextCursor,
      hasMore: nextCursor < end && bytes.length > 0,
      ...(skipped === 0 ? {} : { skippedBytes: skipped }),
      lossy
    }
  })
