import { PatchRejected } from "../../contract/errors.ts"
import { pathText } from "../../disk/path-text.ts"
import { bytesOf, byteString } from "./bytes.ts"
import { parseUnified } from "./parse-unified.ts"
import { isV4A, parseV4A } from "./parse-v4a.ts"
import { limits, type Patch, PatchMalformed } from "./patch.ts"
import { pathProblem } from "./path-check.ts"

/**
 * Reads a patch of any kind: git's, `diff -u`, V4A. Time and memory are bounded by its size and `limits`. Throws
 * `PatchRejected`, and nothing else, when it cannot be read or names a path that no patch may touch.
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
  const refused = patch.files.flatMap((file) =>
    [file.from, file.to].flatMap((path) => {
      const reason = path === undefined ? undefined : pathProblem(path)
      return reason === undefined ? [] : [{ path: pathText(bytesOf(path!.slice(0, 200))), hunk: 0, reason }]
    })
  )
  if (refused.length > 0) throw rejected("it names paths that no patch may touch", refused.slice(0, MAX_REFUSED))
  return patch
}

const MAX_REFUSED = 20

const read = (text: string): Patch => {
  try {
    return isV4A(text) ? parseV4A(text) : parseUnified(text)
  } catch (error) {
    if (!(error instanceof PatchMalformed)) throw error
    throw rejected(`line ${error.line} of the patch: ${error.message}`)
  }
}

const rejected = (detail: string, rejects: PatchRejected["rejects"] = []) => new PatchRejected({ detail, rejects })
