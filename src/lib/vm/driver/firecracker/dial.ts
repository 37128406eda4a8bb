import { Effect, Schedule, type Scope } from "effect"
import type { Socket } from "node:net"
import { ChannelFailed } from "../../../../contract/errors/errors.ts"
import { connectUnix } from "../../../../system/processes/unix-socket.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { allOrNothing } from "../../../../system/waits/effects.ts"
import { brokeProtocol } from "../../../guest-channel/model/errors.ts"
import type { VmError } from "../../model/Vm.ts"
import { AGENT_PORT } from "./machine.ts"

/** Longest answer of Firecracker to a request for a connection: `OK` and a port. */
const longestLine = 32

const refused = (detail: string) => new ChannelFailed({ detail })

/** Takes the line `OK PORT` from a socket, and nothing after it (docs/vsock.md of Firecracker). */
const confirmed = (socket: Socket) =>
  Effect.callback<Socket, ChannelFailed>((resume) => {
    let line = ""
    const end = () => settle(refused("the guest does not listen"))
    const settle = (answer: Effect.Effect<Socket, ChannelFailed>) => {
      socket.off("readable", take).off("close", end).off("end", end)
      resume(answer)
    }
    const take = () => {
      while (!line.endsWith("\n")) {
        const byte = socket.read(1) as Buffer | null
        if (byte === null) return
        line += byte.toString("latin1")
        if (line.length > longestLine) return settle(refused("Firecracker answers without a meaning"))
      }
      settle(line.startsWith("OK ") ? Effect.succeed(socket) : refused("Firecracker refuses the connection"))
    }
    socket.on("readable", take).once("close", end).once("end", end)
    socket.write(`CONNECT ${AGENT_PORT}\n`)
    return Effect.sync(() => void socket.off("readable", take).off("close", end).off("end", end))
  })

/** An attempt that fails leaves no connection: the Scope may be the VM's, and there may be thousands of attempts. */
const dialOnce = (file: string): Effect.Effect<Socket, ChannelFailed, Scope.Scope> =>
  allOrNothing(
    Effect.flatMap(
      Effect.mapError(connectUnix(file), ({ message }) => refused(message)),
      confirmed
    )
  )

/** Delay between attempts: the guest's agent listens some time after the start of its kernel. */
const dialEvery = "5 millis"

/** Connects to the agent through Firecracker's vsock, as soon as the agent listens. The caller sets a deadline. */
export const dialAgent = (file: string): Effect.Effect<Socket, ChannelFailed, Scope.Scope> =>
  Effect.retry(dialOnce(file), Schedule.spaced(dialEvery))

/** Time of a first attempt to get an answer over a new connection, which takes a few ms. */
const firstAttemptMs = 250 * deadlineScale

/**
 * Repeats an attempt that gets the agent's answer over a new connection, with twice the time each. A restored guest's kernel ends all of its
 * connections, perhaps a new one too, and Firecracker is not told: the connection stays open here, without an answer. The caller sets a deadline.
 */
export const insistently = <A, E, R>(
  attempt: (timeoutMs: number) => Effect.Effect<A, E, R>,
  again: (failure: E) => boolean
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let nextMs = firstAttemptMs
    return Effect.retry(
      Effect.suspend(() => {
        const timeoutMs = nextMs
        nextMs *= 2
        return attempt(timeoutMs)
      }),
      { schedule: Schedule.spaced("2 millis"), while: again }
    )
  })

/** Whether another connection may get the agent's answer. */
export const mayAnswer = (failure: VmError | ChannelFailed): boolean =>
  failure._tag === "ChannelFailed" ? !brokeProtocol(failure) : "step" in failure && failure.step === "hello"
