import * as net from "node:net"
import type { Socket } from "node:net"
import { passHttp1 } from "../intercept/http1.ts"
import { Heads } from "../intercept/request.ts"
import { socketPair } from "../intercept/socket-pair.ts"
import { OpenConnections } from "./open-connections.ts"
import { authorizationOf, type Proxy } from "./proxy.ts"
import { authorityOf, connectToProxy, type ProxyTarget } from "./tunnel.ts"

const forwarded = new OpenConnections("the host's proxy", () => new Heads())

/**
 * Passes HTTP requests on to a proxy that makes no tunnel, each with the whole URL of its target (RFC 9112, 3.2.2). The host of the URL is the
 * judged one: a request for another host gets 421. The guest's side has the socket that is given.
 */
export const forwardThrough = async (
  proxy: Proxy,
  { group, host, port }: ProxyTarget,
  signal: AbortSignal
): Promise<{ readonly socket: Socket; readonly address: string; readonly head: string }> => {
  const { close, shared: heads } = forwarded.add(group)
  try {
    const outward = await connectToProxy(proxy, group, signal)
    outward.once("close", close).on("error", () => {})
    const [near, far] = await socketPair().catch((error: unknown) => {
      outward.destroy()
      throw error
    })
    const name = net.isIPv6(host) ? `[${host}]` : host
    passHttp1({
      inward: far,
      outward,
      host: name,
      interception: { secrets: [], foreign: [] },
      proxy: { origin: `http://${port === 80 ? name : `${name}:${port}`}`, authorization: authorizationOf(proxy) },
      heads,
      onDenied: () => {}
    })
    // Both come paused.
    for (const socket of [far, outward]) socket.resume()
    return { socket: near, address: authorityOf(proxy.host, proxy.port), head: "" }
  } catch (error) {
    close()
    throw error
  }
}
