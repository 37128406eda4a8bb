import { Effect, Stream } from "effect"
import { ExportRefused, type InvalidRequest } from "../../contract/errors/errors.ts"
import { call, option } from "../../contract/errors/next-step.ts"
import { notice } from "../../contract/rows/notice.ts"
import type { ExportEvent, ExportPayload } from "../../contract/rows/workspace-export.ts"
import { patchLimits } from "../../contract/rows/workspace-patch.ts"
import { count } from "../../contract/text/count.ts"
import { executablePaths } from "../../contract/text/executable-config.ts"
import { pathText } from "../../contract/text/path-text.ts"
import { hasGitName, isPlainPath, raw } from "../../system/files/folded-name.ts"
import { countLines, forEachPiece } from "../patch/format.ts"
import { type Change, pathProblem } from "../patch/model/patch.ts"
import type { ExportBounds } from "./bounds.ts"
import { deliver, type DeliveryFailed } from "./deliver.ts"
import { hostOutput } from "./host-output.ts"
import { demandSize, Remarks, type TreeEntry } from "./tree.ts"

const pieceBytes = 64 * 1024

/**
 * Writes the patch of some changes to the host. It must have no other paths than those of the changes. `digest` is the digest of
 * the diff, which must be the expected one.
 */
export const exportPatch = (
  patch: Uint8Array,
  changes: ReadonlyArray<Pick<Change, "from" | "path">>,
  digest: string,
  payload: ExportPayload,
  bounds: ExportBounds & { readonly converted?: ReadonlyArray<Uint8Array> } = {}
): Stream.Stream<ExportEvent, DeliveryFailed | InvalidRequest> =>
  Stream.unwrap(Effect.gen(function*() {
    const output = hostOutput(payload.output ?? "", bounds.within)
    if (output._tag === "InvalidRequest" || output._tag === "ExportRefused") return yield* output
    yield* demandExpected(digest, payload)
    const touched = yield* demandPatchable(changes)
    const entry: TreeEntry = { path: "", type: "file", mode: 0o644, size: patch.length }
    yield* demandSize([entry], payload)
    const delivered = deliver({
      output,
      overwrite: payload.overwrite,
      kind: "patch",
      digest,
      changedFiles: changes.length,
      entries: [entry],
      contents: Stream.make({ entry, content: piecesOf(patch) }),
      skips: new Remarks(),
      executable: new Map([
        ...executablePaths(touched),
        ...(output._tag === "stdout" ? [] : executablePaths([output.tail]))
      ]),
      allowExecutable: payload.allowExecutableConfig,
      consent: bounds.consent
    })
    return Stream.concat(delivered, Stream.fromIterable(convertedWarnings(bounds.converted ?? [])))
  }))

/** Number of converted files in a warning. */
const CONVERTED_NAMED = 10

const convertedWarnings = (converted: ReadonlyArray<Uint8Array>) =>
  converted.length === 0 ? [] : [
    notice(
      "warning",
      `git apply may refuse this patch, because git converts ${
        converted.length === 1 ? "a file" : `${converted.length} files`
      } in it (ident, working-tree-encoding or filter in .gitattributes): ${
        [...converted.slice(0, CONVERTED_NAMED).map(pathText), ...(converted.length > CONVERTED_NAMED ? ["..."] : [])]
          .join(", ")
      }`,
      [option("Make these changes", "apply", true), option("Or leave the files out", "exclude")]
    )
  ]

/** Fails if the diff is not the one that the caller has reviewed. */
export const demandExpected = (
  digest: string,
  { expect }: Pick<ExportPayload, "expect">
): Effect.Effect<void, ExportRefused> =>
  expect === undefined || expect === digest ? Effect.void : new ExportRefused({
    detail: `the diff is not the expected one any more: its digest is ${digest}, expected was ${expect}`,
    next: [call("The workspace has changed since. Review it again", "workspace.diff")],
    paths: []
  })

/** The raw paths that some changes touch. Fails for a path that no patch may touch. */
export const demandPatchable = (
  changes: ReadonlyArray<Pick<Change, "from" | "path">>
): Effect.Effect<ReadonlyArray<string>, ExportRefused> => {
  const touched = changes.flatMap(({ from, path }) => from === undefined ? [path] : [from, path]).map(raw)
  const bad = touched.filter((path) => !isPlainPath(path) || hasGitName(path) || pathProblem(path) !== undefined)
  return bad.length === 0 ? Effect.succeed(touched) : new ExportRefused({
    detail: "the patch names paths that no patch may touch: in a git directory, outside, or too long",
    paths: bad.slice(0, 10).map((path) => pathText(Buffer.from(path, "latin1")))
  })
}

const piecesOf = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(Array.from(
    { length: Math.ceil(bytes.length / pieceBytes) },
    (_, piece) => bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)
  ))

/** Number of changes in a refusal. */
const NAMED = 3

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

/** The patch of some changes. Fails above the limits of `patch apply`. */
export const boundedPatch = (changes: ReadonlyArray<Change>): Effect.Effect<Uint8Array, ExportRefused> =>
  Effect.gen(function*() {
    const pieces: Array<Uint8Array> = []
    const bytesOf = new Map<Change, number>()
    let [bytes, lines] = [0, 0]
    yield* forEachPiece(changes, (piece, change) => {
      bytes += piece.length
      lines += countLines(piece, 0, piece.length)
      bytesOf.set(change, (bytesOf.get(change) ?? 0) + piece.length)
      if (bytes <= patchLimits.bytes) pieces.push(piece)
    })
    if (bytes <= patchLimits.bytes && lines <= patchLimits.lines && changes.length <= patchLimits.files) {
      return Buffer.concat(pieces)
    }
    const largest = [...bytesOf].sort(([, one], [, other]) => other - one).slice(0, NAMED)
    return yield* new ExportRefused({
      detail: `the patch would have ${mib(bytes)}, ${count(lines, "line")} and ${count(changes.length, "file")}; ` +
        `patch apply takes ${
          mib(patchLimits.bytes)
        }, ${patchLimits.lines} lines and ${patchLimits.files} files at most; ` +
        "export a path's part of the patch, or large files by themselves",
      paths: largest.map(([{ path }, size]) => `${pathText(path)}: ${mib(size)}`)
    })
  })
