import type { DialMessage } from "../../both/dial/protocol.ts"
import type { Interception } from "../../both/intercept/interception.ts"
import type { CacheAccess, Served } from "../../model/cache-access.ts"
import { intercept } from "../intercept/intercept.ts"
import { Heads } from "../intercept/request.ts"
import { socketPair } from "../intercept/socket-pair.ts"
import { serveImages } from "../package-cache/images.ts"
import { serve } from "../package-cache/serve.ts"
import { type Connected, dial } from "./dial.ts"
import { OpenConnections } from "./open-connections.ts"

const cached = new OpenConnections("the package cache", () => new Heads())

/** Answers a connection from the cache of packages, in place of the registry. The guest's side has the socket that is given. */
export const dialCached = async (
  request: DialMessage,
  access: CacheAccess,
  onEnd: (served: Served) => void
): Promise<Connected> => {
  const { close, shared: heads } = cached.add(request.group)
  try {
    const [near, far] = await socketPair()
    const end = (served: Served) => {
      close()
      onEnd(served)
    }
    if (access.kind === "images") void serveImages(far, request, { access, heads }, end)
    else serve(far, { dial: request, trust: access.trust }, access, end)
    return { socket: near, address: "package cache", viaProxy: true, head: "" }
  } catch (error) {
    close()
    throw error
  }
}

const intercepted = new OpenConnections("hosts of secrets", () => new Heads())

/** Connects, and ends TLS between the guest and the host. The guest's side has the socket that is given. */
export const dialIntercepted = async (
  request: DialMessage,
  interception: Interception,
  signal: AbortSignal,
  onDenied: (detail: string) => void
): Promise<Connected> => {
  const { close, shared: heads } = intercepted.add(request.group)
  try {
    const connected = await dial(request, signal)
    const { head, socket: outward } = connected
    outward.once("close", close)
    if (head !== "") outward.unshift(Buffer.from(head, "base64"))
    const socket = await intercept({ socket: outward, host: request.name!, interception, heads, onDenied })
    return { ...connected, head: "", socket }
  } catch (error) {
    close()
    throw error
  }
}
