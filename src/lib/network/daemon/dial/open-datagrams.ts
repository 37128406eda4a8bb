import { Effect, type Scope } from "effect"
import * as dgram from "node:dgram"
import * as net from "node:net"
import { acquirePlain } from "../../../../system/waits/effects.ts"
import { waitFor } from "../../../../system/waits/signal.ts"
import { itself, type JudgedTarget, judgeFound } from "../../both/dial/connect-judged.ts"
import { connectRefusal, Refusal } from "../../both/dial/refusal.ts"
import { judgeAddress } from "../../model/judge.ts"
import type { Failure } from "./dial-process.ts"

/** A socket for datagrams that takes those of one address alone. The Scope closes it. */
export interface DatagramSocket {
  readonly socket: dgram.Socket
  readonly address: string
}

const failureOf = ({ failure, message, remedy }: Refusal): Failure => ({ failure, detail: message, remedy })

const makeSocket = (address: string) =>
  acquirePlain(
    Effect.sync(() => {
      const socket = dgram.createSocket(net.isIPv6(address) ? "udp6" : "udp4")
      // Errors are for the relay; without a listener they would end the daemon.
      return socket.on("error", () => {})
    }),
    (socket) => socket.close()
  )

const connectOne = (address: string, { port, rules }: Pick<JudgedTarget, "port" | "rules">) =>
  Effect.flatMap(makeSocket(address), (socket) =>
    waitFor<DatagramSocket, Refusal>((resume) => {
      const failed = (error: Error) => resume(Effect.fail(connectRefusal(address, error)))
      // Without a descriptor, or without IPv6, Node has no socket to connect, and calls nothing back.
      socket.once("error", failed)
      socket.connect(port, address, (error?: Error) => {
        socket.off("error", failed)
        if (error !== undefined) return failed(error)
        // Judged once more, by the connection.
        const own = itself({ localAddress: socket.address().address, remoteAddress: socket.remoteAddress().address })
        const verdict = judgeAddress(rules, address, port, () => own)
        resume(
          verdict._tag === "Allowed"
            ? Effect.succeed({ socket, address })
            : Effect.fail(new Refusal("denied", verdict.reason, verdict.remedy))
        )
      })
    }))

/**
 * Opens a socket to the first judged address that this host has a route to. Nothing is sent: whether the other side is there, only
 * its datagrams tell.
 */
export const openDatagrams = (
  found: ReadonlyArray<string>,
  target: Omit<JudgedTarget, "group">
): Effect.Effect<DatagramSocket, Failure, Scope.Scope> =>
  Effect.suspend(() => {
    const allowed = judgeFound(found, target)
    if (allowed instanceof Refusal) return Effect.fail(allowed)
    const [first, ...others] = allowed
    if (first === undefined) return Effect.fail(new Refusal("unresolved", "the name has no address"))
    return others.reduce(
      (attempt, address) => Effect.catch(attempt, () => connectOne(address, target)),
      connectOne(first, target)
    )
  }).pipe(Effect.mapError(failureOf))
