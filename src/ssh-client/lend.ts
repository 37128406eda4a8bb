import { type Cause, Effect, Queue, Stream } from "effect"
import * as path from "node:path"
import { readIfReadable } from "../system/files/content.ts"
import { askAgent } from "./agent/ask-agent.ts"
import { type Judgement, makeFilter, refusal, type Wanted } from "./agent/filter.ts"
import { type Frame, frameBytes, LISTENING, makeCutter } from "./agent/frames.ts"
import { type HostKeys, keysIn } from "./agent/known-hosts.ts"

export type { Wanted } from "./agent/filter.ts"

/** The keys of hosts in the person's known_hosts. A host without any key has an empty set. */
export const knownHosts = (home: string, hosts: ReadonlyArray<string>): ReadonlyMap<string, HostKeys> => {
  const text = [path.join(home, ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"].map((file) =>
    readIfReadable(file) ?? ""
  )
    .join("\n")
  return new Map(hosts.map((host) => [host, keysIn(text, host.toLowerCase())]))
}

export interface LendOptions {
  readonly hosts: ReadonlyMap<string, HostKeys>
  /** Socket of the person's agent. */
  readonly agent: string
  /** Asks the person before a signature. */
  readonly allows: (wanted: Wanted) => Effect.Effect<boolean>
  /** Tells the person of a use, or of a refusal. */
  readonly say: (sentence: string) => Effect.Effect<void>
}

/** Messages of the guest that wait for their turn: a person answers one question at a time. */
const WAITING = 64

/**
 * Serves the guest's programs: takes bytes of the guest, and gives bytes for it. Each message is judged before the agent sees it. `listening` runs
 * when the guest has the socket. The stream of answers ends after bytes that are no frames.
 */
export const lend = (
  { agent, allows, hosts, say }: LendOptions,
  listening: Effect.Effect<void>
): Effect.Effect<{
  readonly answers: Stream.Stream<Uint8Array>
  readonly take: (bytes: Uint8Array) => Effect.Effect<void>
}> =>
  Effect.gen(function*() {
    const frames = yield* Queue.bounded<Frame, Cause.Done>(WAITING)
    const cut = makeCutter()
    const filters = new Map<number, (message: Uint8Array) => Judgement>()

    const passOn = (message: Buffer, wanted: Wanted | undefined) =>
      Effect.gen(function*() {
        const isAllowed = wanted === undefined || (yield* allows(wanted))
        if (!isAllowed) return refusal
        if (wanted !== undefined) {
          yield* say(`signs a login as ${wanted.user} to ${wanted.host} with ${wanted.fingerprint}`)
        }
        return (yield* askAgent(agent, message)) ?? refusal
      })

    const answer = ({ client, message }: Frame): Effect.Effect<ReadonlyArray<Uint8Array>> =>
      Effect.gen(function*() {
        if (client === LISTENING) return yield* Effect.as(listening, [])
        if (message.length === 0) {
          filters.delete(client)
          return []
        }
        const judge = filters.get(client) ?? makeFilter(hosts)
        filters.set(client, judge)
        const judgement = judge(message)
        if (judgement._tag === "Answer" && judgement.refused !== undefined) yield* say(`refuses ${judgement.refused}`)
        const reply = judgement._tag === "Answer" ? judgement.message : yield* passOn(message, judgement.wanted)
        return [frameBytes({ client, message: reply })]
      })

    return {
      answers: Stream.flattenIterable(Stream.mapEffect(Stream.fromQueue(frames), answer)),
      take: (bytes) =>
        Effect.suspend(() => {
          const found = cut(bytes)
          if (found === undefined) return Effect.asVoid(Queue.end(frames))
          return Effect.forEach(found, (frame) => Queue.offer(frames, frame), { discard: true })
        })
    }
  })
