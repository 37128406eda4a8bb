import { Deferred, Effect, Result, Schema, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  type NetworkLogPayload,
  type NetworkLogResult,
  NetworkRecord
} from "../../../contract/rows/workspace-network.ts"
import { named } from "../../../contract/text/names.ts"
import { snakeCase, snakeStruct } from "../../../contract/text/snake.ts"
import { redactValue } from "../../../lib/redaction/redact.ts"
import { SecretRegistry } from "../../../lib/redaction/secrets.ts"
import { openLineLog, readEnd, readTail } from "../../../system/files/line-log.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"

/** Maximum size of one file of the log; the log has two. */
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Bytes at the end of a file that have its last line. */
const TAIL_BYTES = 16_384

/** Two files of lines: a full one replaces the older one, so that a guest cannot fill the host's disk. */
interface LogFile {
  /** Appends a line. Throws errors of the file system. */
  readonly append: (line: string) => void
  /** Lines of both files, oldest first. The first and the last one may be cut. */
  readonly lines: () => ReadonlyArray<string>
  /** The last lines, oldest first. */
  readonly tail: () => ReadonlyArray<string>
  readonly close: () => void
}

/** Opens the log in a folder, with each line as `redact` gives it. The first line makes the file. */
const openLogFile = (folder: string, name: string, redact: (line: string) => string): LogFile => {
  const current = path.join(folder, name)
  const older = path.join(folder, `${name}.1`)
  let open: { readonly fd: number; size: number } | undefined
  const close = () => {
    if (open !== undefined) fs.closeSync(open.fd)
    open = undefined
  }
  return {
    append: (line) => {
      open ??= openLineLog(current)
      if (open.size >= MAX_FILE_BYTES) {
        close()
        fs.renameSync(current, older)
        open = openLineLog(current)
      }
      open.size += fs.writeSync(open.fd, `${redact(line)}\n`)
    },
    lines: () => [older, current].flatMap((file) => readEnd(file, Number.MAX_SAFE_INTEGER).text.split("\n")),
    tail: () => {
      const lines = readTail(current, TAIL_BYTES).split("\n")
      return lines.length > 1 ? lines : readTail(older, TAIL_BYTES).split("\n")
    },
    close
  }
}

const Totals = snakeStruct({
  allowed: Schema.Int,
  denied: Schema.Int,
  failed: Schema.Int,
  bytesOut: Schema.Number,
  bytesIn: Schema.Number
})
/** Sums since the creation or the last reset of the workspace. */
type Totals = typeof Totals.Type

const NOTHING: Totals = { allowed: 0, denied: 0, failed: 0, bytesOut: 0, bytesIn: 0 }

/** A line. `number` comes first, so that a line is found without decoding. Each line has the totals: the last one is enough after a start. */
const Line = Schema.fromJsonString(Schema.Struct({
  number: Schema.Int,
  /** Absent in the line of a reset. */
  entry: Schema.optional(NetworkRecord()),
  totals: Totals
}))
const decodeLine = Schema.decodeResult(Line)

const names = new Map<string, string>()

const nameOf = (field: string) => {
  const name = names.get(field) ?? snakeCase(field)
  names.set(field, name)
  return name
}

const renamed = (fields: object) => named(Object.entries(fields).map(([field, value]) => [nameOf(field), value]))

/** Gives the same text as the schema's encoder, which takes 0.1 ms for each connection. */
const encodeLine = ({ entry, number, totals }: typeof Line.Type) =>
  JSON.stringify({ number, entry: entry && renamed(entry), totals: renamed(totals) })

export type NewRecord = Omit<NetworkRecord, "number">

/** Newest entries in memory: a follower and a command's end read no file. */
const KEPT = 512

/** The connections of one workspace: what was allowed, denied and failed. Bounded; outlives resets. */
export interface ConnectionLog {
  /** Never fails: a connection goes on without its entry if the host's disk refuses it. */
  readonly append: (record: NewRecord) => Effect.Effect<void>
  /** Number of the newest entry. */
  readonly position: () => number
  readonly totals: () => Totals
  /** The newest entries after a position, as far as memory has them. */
  readonly since: (position: number) => ReadonlyArray<NetworkRecord>
  readonly page: (asked: Pick<NetworkLogPayload, "cursor" | "denied" | "limit">) => Omit<NetworkLogResult, "open">
  /** Waits for an entry after a position. */
  readonly after: (position: number) => Effect.Effect<void>
  /** Begins the totals anew. */
  readonly reset: Effect.Effect<void>
}

const numberOf = (line: string) => Number(/^\{"number":(\d{1,15}),/.exec(line)?.[1] ?? 0)

const isDenial = (line: string) => line.includes(`"outcome":"denied"`)

const recordsOf = (lines: ReadonlyArray<string>): ReadonlyArray<NetworkRecord> =>
  lines.flatMap((line) => {
    const read = decodeLine(line)
    return Result.isSuccess(read) && read.success.entry !== undefined ? [read.success.entry] : []
  })

/** The last whole line, if there is one. */
const lastOf = (file: LogFile) => {
  for (const line of file.tail().toReversed()) {
    const read = decodeLine(line)
    if (Result.isSuccess(read)) return read.success
  }
  return undefined
}

/** Opens the log in a workspace's folder. The log closes with the Scope. */
export const openConnectionLog = (folder: string): Effect.Effect<ConnectionLog, never, SecretRegistry | Scope.Scope> =>
  Effect.flatMap(SecretRegistry, ({ setsOf }) =>
    Effect.map(
      acquirePlain(
        Effect.sync(() => openLogFile(folder, "network.jsonl", (line) => redactValue(setsOf(folder), line))),
        (file) => file.close()
      ),
      makeLog
    ))

/** A log that nothing outlives. */
export const memoryLog = (): Pick<ConnectionLog, "append" | "position" | "since"> =>
  makeLog({ append: () => {}, lines: () => [], tail: () => [], close: () => {} })

const makeLog = (file: LogFile): ConnectionLog => {
  const last = lastOf(file)
  let number = last?.number ?? 0
  let totals = last?.totals ?? NOTHING
  /** Entries after `keptFrom`. */
  let kept: Array<NetworkRecord> = []
  let keptFrom = number
  let changed = Deferred.makeUnsafe<void>()

  const write = (entry: NetworkRecord | undefined) =>
    Effect.ignoreCause(Effect.try(() => file.append(encodeLine({ number, entry, totals }))))
  const append = (record: NewRecord) => {
    number += 1
    const entry: NetworkRecord = { number, ...record }
    const isConnection = record.kind === "connection" || record.kind === "datagrams"
    const { allowed, bytesIn, bytesOut, denied, failed } = totals
    totals = {
      allowed: allowed + (isConnection && record.outcome === "allowed" ? 1 : 0),
      denied: denied + (record.outcome === "denied" ? 1 : 0),
      failed: failed + (isConnection && record.outcome === "failed" ? 1 : 0),
      bytesOut: bytesOut + record.bytesOut,
      bytesIn: bytesIn + record.bytesIn
    }
    kept.push(entry)
    if (kept.length > KEPT * 2) {
      kept = kept.slice(-KEPT)
      keptFrom = kept[0]!.number - 1
    }
    const wake = changed
    changed = Deferred.makeUnsafe<void>()
    settleAfterwards(wake, Effect.void)
    return write(entry)
  }
  const reset = () => {
    if (number === 0) return Effect.void
    totals = NOTHING
    return write(undefined)
  }
  /** Entries after the position, or the newest ones, from memory or from the file. */
  const read = ({ cursor, denied, limit }: Pick<NetworkLogPayload, "cursor" | "denied" | "limit">) => {
    if (cursor !== undefined && cursor >= keptFrom) {
      return kept.filter((one) => one.number > cursor && (!denied || one.outcome === "denied")).slice(0, limit)
    }
    const lines = file.lines().filter((line) => numberOf(line) > (cursor ?? 0) && (!denied || isDenial(line)))
    return recordsOf(cursor === undefined ? lines.slice(-limit) : lines.slice(0, limit))
  }
  const oldest = () => file.lines().map(numberOf).find((one) => one > 0) ?? number + 1

  return {
    append: (record) => Effect.suspend(() => append(record)),
    reset: Effect.suspend(reset),
    position: () => number,
    totals: () => totals,
    since: (position) => kept.filter((one) => one.number > position),
    page: (asked) => {
      const entries = read(asked)
      const { cursor, limit } = asked
      const dropped = cursor === undefined || cursor >= keptFrom ? 0 : Math.max(0, oldest() - 1 - cursor)
      return {
        entries,
        // Whether more may follow: otherwise everything up to the newest entry was looked at.
        nextCursor: cursor !== undefined && entries.length === limit ? entries.at(-1)!.number : number,
        ...(dropped === 0 ? {} : { droppedCount: dropped })
      }
    },
    after: (position) => Effect.suspend(() => number > position ? Effect.void : Deferred.await(changed))
  }
}
