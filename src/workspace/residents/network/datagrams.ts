import { Clock, Effect, type Scope } from "effect"
import type { Socket } from "node:dgram"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { DatagramRequest, GuestSocket } from "../../../lib/guest-channel/model/network.ts"
import { relayDatagrams, type RelayEnd } from "../../../lib/network/datagrams.ts"
import { DialRefused } from "../../../lib/network/Dialler.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import { waitFor } from "../../../system/waits/signal.ts"
import { clockReader } from "../../../system/waits/time.ts"
import { accept, type Opened, refusalByNumber } from "./accept.ts"
import {
  type Connecting,
  type Ended,
  GAVE_UP,
  type Open,
  type Opening,
  openingOf,
  recordEnd,
  refusedAs,
  type Reset,
  VM_ENDED
} from "./open.ts"

/** Maximum flows of datagrams of one guest at a time. A further one ends the flow that was not used for the longest time. */
const MAX_FLOWS = 256

/** Grows with each datagram of any guest: a clock would cost more. */
let uses = 0

const overTcpAlone = (detail: string) => new DialRefused({ reason: "failed", detail, remedy: undefined })

const evicted: Ended = { outcome: "allowed", reason: `the guest has more than ${MAX_FLOWS} flows of datagrams` }

/** Makes room for one more flow. Those that are about to end are room already. */
const evict = ({ open }: Pick<Connecting, "open">) => {
  const flows = [...open].filter((one) => one.datagrams !== undefined && one.reset.value === undefined)
  if (flows.length < MAX_FLOWS) return
  const oldest = flows.reduce((a, b) => b.datagrams!.usedAt < a.datagrams!.usedAt ? b : a)
  oldest.reset.send({ outcome: "allowed", reason: evicted.reason! })
}

/** Opens a socket on the host, and tells the guest. */
const open = (
  opening: Opening,
  connecting: Connecting
): Effect.Effect<Opened<Socket>, DialRefused, Scope.Scope> =>
  Effect.gen(function*() {
    const { dialler, group, interceptionOf, rules } = connecting
    const { cache, name, port, request } = opening
    const refusal = refusalByNumber(connecting)
    if (refusal !== undefined) return yield* refusal
    if (cache !== undefined) return yield* overTcpAlone(`the package cache answers for ${name} over TCP alone`)
    const intercepted = name === undefined
      ? undefined
      : yield* Effect.mapError(interceptionOf(name, port), ({ message }) => overTcpAlone(message))
    // A program that meets the refusal uses TCP, where the secret is put in.
    if (intercepted !== undefined) return yield* overTcpAlone(`${name} gets a secret, which is put in over TCP alone`)
    const judgedBy = rules()
    const { address, socket } = yield* dialler.openDatagrams({
      name,
      address: request.address,
      port,
      rules: judgedBy,
      group
    })
    const dialled = { address, socket, viaProxy: false }
    return yield* acquirePlain(
      Effect.suspend(() => {
        // Not before: others were opened meanwhile.
        evict(connecting)
        return Effect.fromResult(
          accept(opening, { dialled, judgedBy, once: undefined, isIntercepted: false, served: undefined }, connecting)
        )
      }),
      (opened) => opened.release()
    )
  })

/** Waits for a guest that was told of its flow, as long as the flow is not reset: a guest may never answer. */
const untilReset = <A, E>(accepted: Effect.Effect<A, E>, reset: Open["reset"]): Effect.Effect<A, E | Reset> =>
  Effect.raceFirst(
    accepted,
    waitFor<never, Reset>((resume) => Effect.sync(reset.listen((how) => resume(Effect.fail(how)))))
  )

/** Longest wait for a guest to take a refusal of an open flow. */
const REFUSAL_MS = 1_000 * deadlineScale

/** Makes the socket of the guest's program fail, as a refused request does: the release alone would be silent. */
const refuseOpen = ({ closed, end }: Pick<GuestSocket, "closed" | "end">) =>
  Effect.andThen(end, closed).pipe(Effect.timeoutOption(REFUSAL_MS), Effect.ignore)

const endedAs = (end: Exclude<RelayEnd, { readonly _tag: "Stopped" }>): Ended => {
  switch (end._tag) {
    case "Idle":
    case "EndedByGuest":
      return { outcome: "allowed" }
    case "Failed":
      return { outcome: "failed", reason: `the other side does not take datagrams: ${end.detail}` }
    case "Denied":
      return { outcome: "denied", reason: end.detail }
  }
}

/**
 * Serves a flow of datagrams until nothing came for a while, and records its end. The guest's socket fails with ECONNREFUSED where the policy
 * denies the flow, and where the other side refuses a datagram. An interruption ends it.
 */
export const serveDatagrams = (request: DatagramRequest, connecting: Connecting): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (startMs) => {
    const opening = openingOf(request, startMs, connecting.caching)
    const record = (ended: Ended) => recordEnd(opening, ended, connecting.record)
    const moved: Effect.Effect<Ended, DialRefused, Scope.Scope> = Effect.gen(function*() {
      const { expectedName, guest: accepted, open: flow, socket } = yield* open(opening, connecting)
      const { counts, datagrams, reset } = flow
      const guest = yield* Effect.option(untilReset(accepted, reset))
      if (guest._tag === "None") return reset.value ?? GAVE_UP
      opening.open = flow
      const { monotonicMs } = yield* clockReader
      const { isDatagramNow, isHandshakeNow } = connecting.pace
      const end = yield* relayDatagrams<AgentCallFailed | ChannelFailed>({
        guest: guest.value,
        socket,
        counts,
        expectedName,
        firstIds: connecting.firstIds,
        pace: { mayPass: () => isDatagramNow(monotonicMs()), mayRead: () => isHandshakeNow(monotonicMs()) },
        onUse: () => (datagrams!.usedAt = ++uses),
        stop: reset
      })
      if (end._tag === "Failed" || end._tag === "Denied") yield* refuseOpen(guest.value)
      return end._tag === "Stopped" ? reset.value! : endedAs(end)
    })
    return Effect.scoped(moved).pipe(
      Effect.matchEffect({
        onFailure: (refusal) => Effect.andThen(record(refusedAs(refusal)), request.refuse),
        onSuccess: record
      }),
      Effect.onInterrupt(() => record(opening.open === undefined ? GAVE_UP : VM_ENDED))
    )
  })
