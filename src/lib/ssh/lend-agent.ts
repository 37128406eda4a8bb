import { type Cause, Deferred, Effect, Queue, Stream } from "effect"
import * as path from "node:path"
import { readIfReadable } from "../../system/files/content.ts"
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

/** A host as known_hosts has it, as a person gives it to ssh. */
const sshWords = (host: string) => {
  const [, name, port] = /^\[(.+)\]:(\d+)$/.exec(host) ?? []
  return name === undefined || port === undefined ? host : `-p ${port} ${name}`
}

/** The refusal to lend an agent for a host of which known_hosts has no key. */
export const unknownHostText = (host: string) =>
  `your known_hosts has no key of ${host}. Connect to it once yourself: ssh ${sshWords(host)}`

/** Outcome of a request of the guest that matters to the person. */
export type Use =
  | { readonly _tag: "Signed"; readonly wanted: Wanted }
  | { readonly _tag: "Refused"; readonly reason: string }

/** A use as a sentence without a subject. */
export const useText = (use: Use): string =>
  use._tag === "Refused"
    ? `refuses ${use.reason}`
    : `signs a login as ${use.wanted.user} to ${use.wanted.host} with ${use.wanted.fingerprint}`

export interface LendOptions {
  /** The hosts with their keys, as they are when a client of the guest begins. */
  readonly hosts: () => ReadonlyMap<string, HostKeys>
  /** Socket of the person's agent. */
  readonly agent: string
  /** Whether the socket is still the person's. @default always */
  readonly mayAsk?: () => boolean
  /** Asks the person before a signature. `gone` succeeds when the program of the guest no longer waits. */
  readonly allows: (wanted: Wanted, gone: Effect.Effect<void>) => Effect.Effect<boolean>
  /** Tells the person of a use, or of a refusal. */
  readonly tell: (use: Use) => Effect.Effect<void>
  /** Waits before each message of the guest. @default no wait */
  readonly pace?: Effect.Effect<void>
}

/** Messages of the guest that wait for their turn: a person answers one question at a time. */
const WAITING = 64
/** Answer of an agent that has signed. */
const SIGNED = 14

/**
 * Serves the guest's programs: takes bytes of the guest, and gives bytes for it. Each message is judged before the agent sees it. `listening` runs
 * when the guest has the socket. The stream of answers ends after bytes that are no frames.
 */
export const lend = (
  { agent, allows, hosts, mayAsk = () => true, pace = Effect.void, tell }: LendOptions,
  listening: Effect.Effect<void>
): Effect.Effect<{
  readonly answers: Stream.Stream<Uint8Array>
  readonly take: (bytes: Uint8Array) => Effect.Effect<void>
}> =>
  Effect.gen(function*() {
    const frames = yield* Queue.bounded<Frame, Cause.Done>(WAITING)
    const cut = makeCutter()
    const filters = new Map<number, (message: Uint8Array) => Judgement>()
    let asking: { readonly client: number; readonly gone: Deferred.Deferred<void> } | undefined

    const isAllowed = (client: number, wanted: Wanted) =>
      Effect.suspend(() => {
        const gone = Deferred.makeUnsafe<void>()
        asking = { client, gone }
        return Effect.ensuring(allows(wanted, Deferred.await(gone)), Effect.sync(() => void (asking = undefined)))
      })

    const passOn = (client: number, message: Buffer, wanted: Wanted | undefined) =>
      Effect.gen(function*() {
        if (wanted !== undefined && !(yield* isAllowed(client, wanted))) return refusal
        const reply = mayAsk() ? yield* askAgent(agent, message) : undefined
        if (reply === undefined) {
          yield* tell({ _tag: "Refused", reason: "a request, because your agent does not answer" })
        } else if (wanted !== undefined) {
          yield* tell(
            reply[0] === SIGNED
              ? { _tag: "Signed", wanted }
              : { _tag: "Refused", reason: `a login to ${wanted.host}, because your agent refuses it` }
          )
        }
        return reply ?? refusal
      })

    const answer = ({ client, message }: Frame): Effect.Effect<ReadonlyArray<Uint8Array>> =>
      Effect.gen(function*() {
        if (client === LISTENING) return yield* Effect.as(listening, [])
        if (message.length === 0) {
          filters.delete(client)
          return []
        }
        yield* pace
        const judge = filters.get(client) ?? makeFilter(hosts())
        filters.set(client, judge)
        const judgement = judge(message)
        if (judgement._tag === "Answer" && judgement.refused !== undefined) {
          yield* tell({ _tag: "Refused", reason: judgement.refused })
        }
        const reply = judgement._tag === "Answer" ? judgement.message : yield* passOn(client, message, judgement.wanted)
        return [frameBytes({ client, message: reply })]
      })

    return {
      answers: Stream.flattenIterable(Stream.mapEffect(Stream.fromQueue(frames), answer)),
      take: (bytes) =>
        Effect.suspend(() => {
          const found = cut(bytes)
          if (found === undefined) return Effect.asVoid(Queue.end(frames))
          for (const { client, message } of found) {
            if (message.length === 0 && client === asking?.client) Deferred.doneUnsafe(asking.gone, Effect.void)
          }
          return Effect.forEach(found, (frame) => Queue.offer(frames, frame), { discard: true })
        })
    }
  })
