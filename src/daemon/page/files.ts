import * as fs from "node:fs"
import * as path from "node:path"

/** A file of the page. */
export interface PageFile {
  readonly bytes: Uint8Array
  readonly type: string
  /** The name has a hash of the content: the file never changes. */
  readonly isHashed: boolean
}

/** Files by their path in URLs, from `/` on. `/` is the page itself. */
export type PageFiles = ReadonlyMap<string, PageFile>

const TYPES = new Map([
  [".css", "text/css; charset=utf-8"],
  [".html", "text/html; charset=utf-8"],
  [".ico", "image/x-icon"],
  [".js", "text/javascript; charset=utf-8"],
  [".json", "application/json"],
  [".png", "image/png"],
  [".svg", "image/svg+xml"],
  [".txt", "text/plain; charset=utf-8"],
  [".webmanifest", "application/manifest+json"],
  [".woff2", "font/woff2"]
])

/** Maximum bytes of all files. A build of the page has less than two MiB. */
const MOST_BYTES = 32 * 1024 * 1024

const beneath = (directory: string, prefix: string): ReadonlyArray<string> =>
  fs.readdirSync(path.join(directory, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = `${prefix}/${entry.name}`
    // A symbolic link is neither.
    return entry.isDirectory() ? beneath(directory, name) : entry.isFile() ? [name] : []
  })

/**
 * Reads the page's files into memory. A request names one of them by its whole path, so no request reaches another file. Undefined if the
 * page is not built.
 */
export const readPageFiles = (directory: string): PageFiles | undefined => {
  const files = new Map<string, PageFile>()
  let total = 0
  try {
    for (const name of beneath(directory, "")) {
      const type = TYPES.get(path.extname(name))
      if (type === undefined) continue
      const bytes = fs.readFileSync(path.join(directory, name))
      total += bytes.length
      if (total > MOST_BYTES) return undefined
      files.set(name === "/index.html" ? "/" : name, { bytes, type, isHashed: name.startsWith("/assets/") })
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw cause
  }
  return files.has("/") ? files : undefined
}
