import * as fs from "node:fs"
import { connect } from "node:net"
import type { StartedExec } from "../../sdk/started-exec.ts"
import { daemonSocket } from "./daemon-socket.ts"
import {
  CREDIT_EVENTS,
  creditFrame,
  nextEvents,
  type PlainEvent,
  type RecordedFrames,
  REQUEST_ID,
  requestFrame
} from "./frames.ts"
import { commandOf } from "./request.ts"

/** JSON of `RecordedFrames`, put in by the build. */
declare const RECORDED: string

/** Received bytes after which the program takes over: it bounds its memory, and it has time to load. */
const MAX_BYTES = 262_144

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Result: the exit status, or the state for the loaded program. */
export type QuickExec = { readonly status: number } | { readonly started: StartedExec }

const newId = () => {
  const random = Buffer.alloc(16)
  const source = fs.openSync("/dev/urandom", "r")
  fs.readSync(source, random)
  fs.closeSync(source)
  return random.toString("hex")
}

/**
 * Runs a simple command through a daemon that is there, without the program: loading that takes longer than most commands. Undefined
 * where nothing was asked for. Whatever is not plain output and an exit status is the program's, which then reads the connection from its
 * first byte.
 */
export const quickExec = (argv: ReadonlyArray<string>, build: string): Promise<QuickExec | undefined> | undefined => {
  const command = commandOf(argv)
  const address = command && daemonSocket(build, process.env)
  if (command === undefined || address === undefined) return undefined
  return new Promise((resolve) => {
    const socket = connect({ path: address })
    socket.once("error", () => resolve(undefined))
    socket.once("connect", () => {
      socket.removeAllListeners("error")
      resolve(run(socket))
    })
  })

  function run(socket: ReturnType<typeof connect>): Promise<QuickExec> {
    return new Promise((resolve) => {
      const frames = JSON.parse(RECORDED) as RecordedFrames
      const execId = newId()
      let creditedEvents = 0
      let takenEvents = 0
      let received = Buffer.alloc(0)
      let at = 0
      let shownBytes = 0
      let isOver = false

      const stop = () => {
        socket.off("data", data).off("close", lost)
        socket.pause()
      }
      const removeSignalListeners = () => SIGNALS.forEach((one) => process.off(one, signalled))
      const handOver = (given: { readonly isLost?: boolean; readonly signal?: StartedExec["signal"] }) => {
        if (isOver) return
        isOver = true
        stop()
        if (given.isLost !== true) socket.unshift(received)
        resolve({
          started: {
            execId,
            request: given.isLost === true ? undefined : { id: REQUEST_ID, socket, creditedEvents },
            shownBytes,
            signal: given.signal,
            removeSignalListeners
          }
        })
      }
      const lost = () => handOver({ isLost: true })
      const signalled = (signal: NodeJS.Signals) => handOver({ signal: signal as StartedExec["signal"] })

      /** False where the output cannot be written just now, or at all. */
      const show = ({ bytes, from, next }: Extract<PlainEvent, { readonly _tag: "Output" }>): boolean => {
        const left = () => bytes.subarray(Math.max(0, bytes.length - (next - shownBytes)))
        for (let rest = left(); rest.length > 0; rest = left()) {
          shownBytes = Math.max(shownBytes, next - rest.length)
          try {
            shownBytes += fs.writeSync(from === "stdout" ? 1 : 2, rest)
          } catch {
            return false
          }
        }
        return true
      }
      /** False where the program is to go on; a number is the status to leave with. */
      const take = (events: ReadonlyArray<PlainEvent>): boolean | number => {
        for (const event of events) {
          if (event._tag === "Exited") return event.status
          if (event._tag === "Output" && !show(event)) return false
        }
        return true
      }
      const data = (chunk: Buffer) => {
        received = Buffer.concat([received, chunk])
        for (let next = nextEvents(frames, received, at); next !== undefined; next = nextEvents(frames, received, at)) {
          const { end, events } = next
          at = end
          const went = events !== undefined && take(events)
          if (typeof went === "number") {
            isOver = true
            stop()
            socket.destroy()
            return resolve({ status: went })
          }
          if (!went) return handOver({})
          takenEvents += events.length
          for (; takenEvents - creditedEvents >= CREDIT_EVENTS; creditedEvents += CREDIT_EVENTS) {
            socket.write(creditFrame(frames))
          }
        }
        if (received.length > MAX_BYTES) handOver({})
      }

      SIGNALS.forEach((one) => process.on(one, signalled))
      socket.on("error", () => {}).on("data", data).on("close", lost)
      socket.write(requestFrame(frames, { ...command!, execId }))
    })
  }
}
