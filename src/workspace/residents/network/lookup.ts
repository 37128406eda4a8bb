import { Clock, Effect } from "effect"
import type { ResolveRequest } from "../../../guest-channel/network.ts"
import type { Connecting } from "./connecting.ts"

/** Time in which a resolver asks for the other types of a name's records, in ms. */
const SAME_MS = 2_000

/** Port of the cache. */
const HTTP = 80

/** Names of recent denials. Bounded, since a guest chooses the names. */
const MAX_RECENT = 256

/** Whether a denied question only adds a record type to a question of a moment ago, as A and AAAA of one look-up. */
export const makeRecent = () => {
  const denied = new Map<string, { readonly type: number; readonly atMs: number }>()
  return ({ name, type }: Pick<ResolveRequest, "name" | "type">, atMs: number): boolean => {
    const before = denied.get(name)
    if (before !== undefined && before.type !== type && atMs - before.atMs < SAME_MS) return true
    denied.delete(name)
    denied.set(name, { type, atMs })
    if (denied.size > MAX_RECENT) denied.delete(denied.keys().next().value!)
    return false
  }
}

/** Answers a look-up, or ends with it: the bound of open requests then bounds what waits for resolvers. The log has denials only: an allowed look-up precedes a connection, which the log has. */
export const lookUp = (
  request: ResolveRequest,
  { caching, dialler, group, record, rules }: Connecting,
  isRecent: ReturnType<typeof makeRecent>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { type } = request
    // The cache has names of its own; they are allowed as their registries are.
    const name = caching.of(request.name, HTTP)?.registry.host ?? request.name
    const { answer, denied } = yield* dialler.resolve({ name, type, rules: rules(), group })
    const nowMs = yield* Clock.currentTimeMillis
    if (denied !== undefined && !isRecent(request, nowMs)) {
      const { option, reason } = denied
      yield* record({
        at: new Date(nowMs).toISOString(),
        kind: "lookup",
        outcome: "denied",
        host: name,
        reason,
        ...(option === undefined ? {} : { option }),
        bytesOut: 0,
        bytesIn: 0,
        durationMs: 0
      })
    }
    yield* request.answer(answer)
  }).pipe(Effect.raceFirst(request.withdrawn))
