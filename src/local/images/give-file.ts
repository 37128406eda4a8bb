import { Deferred, Effect, Schema, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { FileUploadPayload } from "../../contract/rows/workspace-file-stream.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { readPieces } from "../../system/files/pieces.ts"

/** Writes bytes to a file of a builder. A source that fails must not look like its end: the file would be a part of it. */
export const giveFile = (
  pyro: PyroService,
  { path, workspace }: { readonly workspace: string; readonly path: string },
  bytes: Stream.Stream<Uint8Array, PyroError>
) =>
  Effect.gen(function*() {
    const failed = yield* Deferred.make<never, PyroError>()
    const stdin = Stream.catch(
      bytes,
      (failure) => Stream.concat(Stream.fromEffectDrain(Deferred.fail(failed, failure)), Stream.never)
    )
    const payload = Schema.decodeSync(FileUploadPayload())({ workspace, path })
    yield* Effect.raceFirst(Stream.runDrain(pyro.workspace.file.upload(payload, { stdin })), Deferred.await(failed))
  })

/** The bytes of an open file of the host, from its beginning to its end. */
export const bytesOfFile = (fd: number, path: string): Stream.Stream<Uint8Array, PyroError> =>
  Stream.mapError(readPieces(fd, path), toHostErrorOf(path))
