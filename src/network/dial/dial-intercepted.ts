import { intercept } from "../intercept/intercept.ts"
import type { Interception } from "../intercept/interception.ts"
import { Heads } from "../intercept/request.ts"
import { type Connected, dial } from "./dial.ts"
import type { DialMessage } from "./protocol.ts"
import { Refusal } from "./refusal.ts"

/** Maximum intercepted connections at a time: each has the buffers of two TLS sessions. */
const MAX_OPEN = 1_024
const MAX_OPEN_PER_GROUP = 256

const open = new Map<string, { readonly heads: Heads; count: number }>()

const add = (group: string, count: 1 | -1): Heads => {
  const one = open.get(group) ?? { heads: new Heads(), count: 0 }
  one.count += count
  if (one.count === 0) open.delete(group)
  else open.set(group, one)
  return one.heads
}

const isFull = (group: string) =>
  (open.get(group)?.count ?? 0) >= MAX_OPEN_PER_GROUP ||
  [...open.values()].reduce((sum, { count }) => sum + count, 0) >= MAX_OPEN

/** Connects, and ends TLS between the guest and the host. The guest's side has the socket that is given. */
export const dialIntercepted = async (
  request: DialMessage,
  interception: Interception,
  signal: AbortSignal,
  onDenied: (detail: string) => void
): Promise<Connected> => {
  const { group, name } = request
  if (isFull(group)) throw new Refusal("failed", "too many connections to hosts of secrets are open")
  const heads = add(group, 1)
  try {
    const connected = await dial(request, signal)
    const { head, socket: outward } = connected
    outward.once("close", () => add(group, -1))
    if (head !== "") outward.unshift(Buffer.from(head, "base64"))
    const socket = await intercept({ socket: outward, host: name!, interception, heads, onDenied })
    return { ...connected, head: "", socket }
  } catch (error) {
    add(group, -1)
    throw error
  }
}
