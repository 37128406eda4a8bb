import { PatchRejected } from "../../contract/errors/errors.ts"
import { pathText } from "../../contract/text/path-text.ts"
import { bytesOf, byteString, type FilePatch, limits, type Patch, pathProblem, relativePath } from "./model/patch.ts"
import { parseUnified } from "./parse/git-format.ts"
import { LineReader, PatchMalformed } from "./parse/line-reader.ts"
import { parseV4A, seekV4A } from "./parse/v4a.ts"

/**
 * Reads a patch of any kind: git's, `diff -u`, V4A. Its size and `limits` bound time and memory. Throws only `PatchRejected`, for
 * an unreadable patch or a forbidden path.
 */
export const parsePatch = (bytes: Uint8Array): Patch => {
  if (bytes.length > limits.patch) throw rejected(`it is larger than ${limits.patch / 1024 / 1024} MiB`)
  const text = byteString(bytes)
  const patch = read(text)
  if (patch.files.length === 0) {
    throw rejected(
      "there is no patch in it; give git's format, diff -u (--- a/file, +++ b/file, @@), or *** Begin Patch"
    )
  }
  const named = new Set(patch.files.flatMap(({ from, to }) => [from, to].filter((path) => path !== undefined)))
  const refused = Array.from(named).flatMap((path) => {
    const reason = pathProblem(relativePath(path))
    return reason === undefined ? [] : [{ path: pathText(bytesOf(path.slice(0, 200))), hunk: 0, reason }]
  })
  if (refused.length > 0) {
    const all = refused.length > 1 ? `, ${refused.length} of them` : ""
    throw rejected(`it names paths that no patch may touch${all}`, refused.slice(0, MAX_REFUSED))
  }
  return { files: patch.files.map(withRelativePaths) }
}

const MAX_REFUSED = 1_000

const withRelativePaths = (file: FilePatch): FilePatch => ({
  ...file,
  from: file.from === undefined ? undefined : relativePath(file.from),
  to: file.to === undefined ? undefined : relativePath(file.to)
})

const read = (text: string): Patch => {
  try {
    const reader = new LineReader(text)
    return seekV4A(reader) ? parseV4A(reader) : parseUnified(new LineReader(text))
  } catch (error) {
    if (!(error instanceof PatchMalformed)) throw error
    throw rejected(`line ${error.line} of the patch: ${error.message}`)
  }
}

const rejected = (detail: string, rejects: PatchRejected["rejects"] = []) => new PatchRejected({ detail, rejects })
