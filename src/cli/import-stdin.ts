import { Effect, type Scope, Stream } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { type ImportPayload, MAX_STDIN_BYTES } from "../contract/rows/workspace-import.ts"
import { type Spool, spool } from "./terminal-spool.ts"
import { Terminal } from "./terminal.ts"

const MIB = 1024 * 1024

/** Permission bits of the copy in the guest. */
const MODE = 0o644

const refused = (detail: string) => new InvalidRequest({ field: "<source_path>", detail })

/** The request of an import whose source is `-`, with what stdin has: as a content, or as a temporary file if that is too long. */
export const withStdin = (
  payload: ImportPayload
): Effect.Effect<ImportPayload, InvalidRequest, Scope.Scope | Terminal> =>
  Effect.gen(function*() {
    const { stdin } = yield* Terminal
    const kept: Array<Uint8Array> = []
    let file: Spool | undefined
    let bytes = 0
    yield* Stream.runForEach(stdin, (piece) =>
      Effect.gen(function*() {
        kept.push(piece)
        bytes += piece.length
        if (bytes > payload.maxMib * MIB) {
          return yield* refused(`stdin has more than ${payload.maxMib} MiB; allow more with --max-mib`)
        }
        if (bytes <= MAX_STDIN_BYTES) return
        file ??= yield* spool(MODE)
        yield* file.append(kept.splice(0))
      }))
    return file === undefined
      ? { ...payload, content: Buffer.concat(kept) }
      : { ...payload, sourcePath: file.path, unnamed: true }
  }).pipe(Effect.catchTag("SpoolFailed", ({ detail }) => refused(detail)))
