import { Transform } from "node:stream"
import type { CacheAccess, Link } from "../cache-access.ts"
import { contentOf } from "./content.ts"

/** A request whose answer may get links to the cache. */
interface Asked {
  readonly access: Pick<CacheAccess, "kind" | "link">
  readonly request: {
    readonly url?: string | undefined
    readonly headers: { readonly "user-agent"?: string | undefined }
  }
}

/** The link that the answer gets: in indexes only, and only for the clients of the link. */
export const linkOf = ({ access: { kind, link }, request: { headers, url = "" } }: Asked): Link | undefined =>
  link !== undefined && contentOf(kind, url, "")?.keeps === "index" &&
    (link.client === undefined || headers["user-agent"]?.startsWith(link.client) === true)
    ? link
    : undefined

/** A stream of text. Each step gives what is done, and what waits for the next piece. */
const transform = (step: (text: string) => readonly [done: string, held: string]) => {
  let held = ""
  return new Transform({
    transform(bytes: Buffer, _, callback) {
      const [done, rest] = step(held + bytes.toString("latin1"))
      held = rest
      callback(null, Buffer.from(done, "latin1"))
    },
    flush(callback) {
      callback(null, Buffer.from(held, "latin1"))
    }
  })
}

/** Replaces a text in a stream, also where a piece ends within the text. */
export const replacing = ({ from, to }: Pick<Link, "from" | "to">): Transform =>
  transform((found) => {
    const text = found.replaceAll(from, to)
    const cut = Math.max(0, text.length - (from.length - 1))
    return [text.slice(0, cut), text.slice(cut)]
  })

/** Numbers of a version without leading zeros, and no build metadata (semver.org). */
const NUMBER = "(?:0|[1-9][0-9]*)"
const VERSION = String.raw`${NUMBER}\.${NUMBER}\.${NUMBER}(?:-[\w.-]+)?`
/** Longer than any link: npm's names have 214 characters at most, its versions 256. */
const MAX_LINK_CHARACTERS = 1_024

const escaped = (text: string) => text.replace(/[^\w]/g, String.raw`\$&`)

/**
 * Replaces the links of an npm document that clients make of the registry, the name and the version. Lock files leave these out. Clients write
 * all others into lock files, so the others stay.
 */
export const replacingTarballs = ({ from, to }: Pick<Link, "from" | "to">, path: string): Transform => {
  const [scope, name] = /^\/(?:(@[^/%]+)(?:%2f|\/))?(.*)$/i.exec(path)!.slice(1, 3) as [string | undefined, string]
  const full = scope === undefined ? escaped(name) : `${escaped(scope)}(?:/|%2[fF])${escaped(name)}`
  const tarball = new RegExp(
    `"${escaped(from).replace("https", "https?")}(${full}/-/${escaped(name)}-${VERSION}\\.tgz")`,
    "g"
  )
  return transform((found) => {
    const text = found.replace(tarball, (_, rest: string) => `"${to}${rest}`)
    // The piece may end within a link, which begins with a quotation mark.
    const cut = Math.max(text.lastIndexOf("\""), text.length - MAX_LINK_CHARACTERS, 0)
    return [text.slice(0, cut), text.slice(cut)]
  })
}
