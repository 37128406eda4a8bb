import { Effect } from "effect"
import * as path from "node:path"
import { debianSources } from "../../../../src/lib/environment/model/debian-sources.ts"
import { cached, downloadByApt } from "./downloads.ts"
import { type Mirror, notFound, sendFile } from "./mirror.ts"

/** Roots of the archive at deb.debian.org and security.debian.org. */
const ROOT = /^\/(debian|debian-security)\/(.+)$/
/** Files that have one content for ever. The others are signed indices that the archive replaces. */
const IS_IMMUTABLE = /^pool\/|\/by-hash\//

/** Where this host fetches the archive from. */
const upstreamOf = async (root: string) => {
  const lines = await Effect.runPromise(debianSources("bookworm"))
  const uris = lines.map((line) => line.replace(/\[[^\]]*\] /, "").split(" ")[1]!.replace(/\/$/, ""))
  return uris.find((uri) => uri.endsWith(`/${root}`)) ?? `http://deb.debian.org/${root}`
}

/**
 * Debian's real archive, file by file: each file is fetched from this host's mirror once, and then comes from the tests' cache. Signed indices
 * are fetched once for each mirror.
 */
export const debianMirror = (): Mirror => {
  const fetched = new Map<string, Promise<string>>()
  const fetch = (root: string, name: string) =>
    cached(
      path.join(root, name),
      async (file) => downloadByApt(`${await upstreamOf(root)}/${name}`, file),
      { isStale: !IS_IMMUTABLE.test(name) }
    )
  return {
    hosts: ["deb.debian.org", "security.debian.org"],
    answer: async (request, response) => {
      const url = path.posix.normalize((request.url ?? "").split("?", 1)[0]!)
      const [, root, name] = ROOT.exec(url) ?? []
      if (root === undefined || name === undefined) return notFound(response)
      const file = fetched.get(url) ?? fetch(root, name)
      fetched.set(url, file)
      const found = await file.catch(() => undefined)
      if (found === undefined) return notFound(response)
      return sendFile(request, response, found, {
        "Content-Type": "application/octet-stream",
        "Cache-Control": IS_IMMUTABLE.test(name) ? "public, max-age=2592000" : "public, max-age=120"
      })
    }
  }
}
