import type { CacheAccess, Served } from "../cache-access.ts"
import { socketPair } from "../intercept/socket-pair.ts"
import { serve } from "../package-cache/serve.ts"
import type { Connected } from "./dial.ts"
import { OpenConnections } from "./open-connections.ts"
import type { DialMessage } from "./protocol.ts"

const open = new OpenConnections("the package cache")

/** Answers a connection from the cache of packages, in place of the registry. The guest's side has the socket that is given. */
export const dialCached = async (
  request: DialMessage,
  access: CacheAccess,
  onEnd: (served: Served) => void
): Promise<Connected> => {
  const close = open.add(request.group)
  try {
    const [near, far] = await socketPair()
    serve(far, request, access, (served) => {
      close()
      onEnd(served)
    })
    return { socket: near, address: "package cache", viaProxy: true, head: "" }
  } catch (error) {
    close()
    throw error
  }
}
