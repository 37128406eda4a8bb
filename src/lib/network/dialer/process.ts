import type { Socket } from "node:net"
import { startTimer } from "../../../system/waits/signal.ts"
import {
  type AddressesMessage,
  type AuthorityMessage,
  DIAL_MS,
  type DialMessage,
  type LookUpMessage,
  type Request,
  type Response
} from "../both/dial/protocol.ts"
import { Refusal, refusalOf } from "../both/dial/refusal.ts"
import { reset } from "../model/reset.ts"
import { dial } from "./dial/dial.ts"
import { lookUp } from "./dial/records.ts"
import { addressesOf } from "./dial/resolve.ts"
import { dialCached, dialIntercepted } from "./dial/terminate.ts"
import { makeAuthority } from "./intercept/certificates.ts"

// The dial process: resolves names, asks proxies and ends TLS, so that neither a slow resolver nor cryptography stalls the daemon. It
// ends with the daemon's end of the IPC channel.

/** Time for one question, in ms; resolvers of guests ask again after 5 s. */
const LOOK_UP_MS = 10_000
/** Time for the keys of an authority, in ms. */
const MAKE_MS = 10_000

const controllers = new Map<number, AbortController>()

/** Answers a request within `ms`, unless it is cancelled. */
const answer = (id: number, ms: number, work: (signal: AbortSignal) => Promise<() => void>) => {
  const controller = new AbortController()
  controllers.set(id, controller)
  const timer = startTimer(
    ms,
    () => controller.abort(new Refusal("timeout", `timed out: no connection within ${ms / 1000} s`))
  )
  work(controller.signal)
    .catch((error: unknown) => () => {
      const { failure, message, remedy } = refusalOf(error)
      send({ _tag: "Refused", id, failure, detail: message, remedy })
    })
    .then((reply) => {
      timer.cancel()
      // A cancelled request gets no answer.
      if (controllers.delete(id)) reply()
    })
}

const send = (message: Response, socket?: Socket) => {
  process.send!(message, socket, {}, (error) => {
    if (error !== null) socket?.destroy()
  })
}

const connect = (request: DialMessage) =>
  answer(request.id, DIAL_MS, async (signal) => {
    const onDenied = (detail: string) => send({ _tag: "InterceptionDenied", id: request.id, detail })
    const { address, head, socket, viaProxy } = request.cache !== undefined
      ? await dialCached(request, request.cache, (served) => send({ _tag: "CacheServed", id: request.id, served }))
      : request.interception === undefined
      ? await dial(request, signal)
      : await dialIntercepted(request, request.interception, signal, onDenied)
    // A socket of a request that was cancelled meanwhile has no owner.
    if (!controllers.has(request.id)) reset(socket)
    return () => send({ _tag: "Connected", id: request.id, address, viaProxy, head }, socket)
  })

const ask = (request: LookUpMessage) =>
  answer(request.id, LOOK_UP_MS, async (signal) => {
    const answered = await lookUp(request, signal)
    return () => send({ _tag: "Answered", id: request.id, ...answered })
  })

const find = ({ group, id, name }: AddressesMessage) =>
  answer(id, DIAL_MS, async (signal) => {
    const addresses = await addressesOf(name, group, signal)
    return () => send({ _tag: "AddressesFound", id, addresses })
  })

const make = ({ hosts, id, nowMs }: AuthorityMessage) =>
  answer(id, MAKE_MS, async () => {
    const authority = await makeAuthority({ hosts, nowMs })
    return () => send({ _tag: "AuthorityMade", id, authority })
  })

const cancel = (id: number) => {
  const controller = controllers.get(id)
  controllers.delete(id)
  controller?.abort(new Refusal("failed", "the request was cancelled"))
}

process.on("message", (request: Request) => {
  switch (request._tag) {
    case "Dial":
      return connect(request)
    case "LookUp":
      return ask(request)
    case "FindAddresses":
      return find(request)
    case "MakeAuthority":
      return make(request)
    case "Cancel":
      return cancel(request.id)
  }
})
// An ordinary exit would wait for the threads that ask a dead resolver.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"))
