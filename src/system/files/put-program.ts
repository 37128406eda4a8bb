import { Effect, type Scope } from "effect"
import type { HostToolMissing } from "../../contract/errors/errors.ts"
import { nativeTool } from "../processes/native.ts"
import { ContentHash } from "./digest.ts"
import { PutFailed } from "./put-failed.ts"
import { putProcess } from "./put-process.ts"
import { encodeEntry, HOLE, LAST_ENTRY, type PutPlace, putPlace, PutRecords, WITHDRAWN } from "./put-records.ts"
import type { PutRequest, SparsePut } from "./put-request.ts"

const pieceBytes = 1024 * 1024

/** By pyro-put, which also removes what is staged if this process dies. */
export const putByProgram = (request: PutRequest): Effect.Effect<SparsePut, PutFailed | HostToolMissing, Scope.Scope> =>
  Effect.gen(function*() {
    const tool = yield* nativeTool("pyro-put")
    const place = putPlace(request)
    const said = new PutRecords()
    const args = [
      ...(request.within === undefined ? [] : ["--within", request.within]),
      ...(request.overwrite ? ["--overwrite"] : []),
      place.parent,
      place.name
    ]
    const { add, ended, flush, ready, send } = yield* putProcess(
      tool,
      args,
      said,
      (detail) => failureOf(said, place, detail)
    )
    for (const entry of place.entries) {
      for (const part of encodeEntry(entry)) yield* send(part)
    }
    yield* send(LAST_ENTRY)
    yield* flush
    yield* ready
    const hash = new ContentHash()
    const writePiece = (bytes: Uint8Array) => {
      hash.add(bytes)
      add(number32(bytes.length))
      return send(bytes)
    }
    return {
      write: (bytes) =>
        Effect.suspend(() =>
          bytes.length === 0
            ? Effect.void
            : bytes.length <= pieceBytes
            ? writePiece(bytes)
            : Effect.forEach(cut(bytes), writePiece, { discard: true })
        ),
      skip: (bytes) => bytes === 0 ? Effect.void : Effect.suspend(() => send(holeOf(bytes))),
      endFile: Effect.suspend(() => Effect.as(send(number32(0)), hash.take())),
      omitFile: Effect.suspend(() => (hash.take(), send(number32(WITHDRAWN)))),
      commit: Effect.suspend(() => send(Buffer.from("c"))).pipe(
        Effect.andThen(flush),
        Effect.andThen(ended),
        Effect.map(() => ({
          replaced: ownPaths(place, said.replaced),
          there: ownPaths(place, said.there),
          // Another program may have made the folder in the meantime.
          ...(place.missing === undefined || said.there.some(({ length }) => length === 0)
            ? {}
            : { made: place.missing })
        }))
      )
    }
  })

/** The reported paths without those of missing folders. */
const ownPaths = ({ own }: PutPlace, reported: ReadonlyArray<Uint8Array>) => reported.flatMap((one) => own(one) ?? [])

const failureOf = (said: PutRecords, { folderOf, own }: PutPlace, detail: string) =>
  new PutFailed({
    reason: said.error?.outcome === "conflict" || said.error?.outcome === "full" ? said.error.outcome : "failed",
    detail: said.error?.detail ?? detail,
    conflicts: said.conflicts.map(({ path, reason }) => ({ path: own(path) ?? folderOf(path), reason })),
    needed: said.counts.get("neededBytes"),
    free: said.counts.get("freeBytes")
  })

const holeOf = (length: number) => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(HOLE)
  bytes.writeBigUInt64BE(BigInt(length), 4)
  return bytes
}

const number32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function* cut(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
