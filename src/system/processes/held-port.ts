import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import type { Server } from "node:net"
import { createInterface } from "node:readline"

/** A port of 127.0.0.1 that pyro-port keeps. No user of this host can listen there meanwhile, nor at the same port of ::1. */
export interface HeldPort {
  /** Listens, as soon as it is given to `listen` of another server. */
  readonly listener: Server
  /** The port was never free since an earlier daemon had it. */
  readonly wasHeld: boolean
  /** User whose process has the other end of the connection from 127.0.0.1:`clientPort`. Undefined if the kernel names none. */
  readonly userAt: (clientPort: number) => Promise<number | undefined>
  /** Whether the port stays taken after `release` and after the end of this process. At first it does not. */
  readonly keep: (isKept: boolean) => void
  /** Called once if pyro-port ends before `release`: no client is known any more. */
  readonly onLost: (lost: () => void) => void
  /** Ends this process's part. Resolves when the port is free, or when pyro-port knows that it keeps the port alone. */
  readonly release: () => Promise<void>
}

/** Why there is no port. */
export class PortNotHeld extends Error {
  override readonly name = "PortNotHeld"
  /** `EADDRINUSE`: another program has the port. `sock_diag`: the kernel tells nothing about connections. */
  readonly reason: string
  /** The address at fault. Empty if it is unknown. */
  readonly where: string
  constructor(reason: string, where: string, detail: string) {
    super(detail)
    this.reason = reason
    this.where = where
  }
}

interface Failure {
  readonly failed: string
  readonly where: string
  readonly detail: string
}

/** Maximum questions that wait for the kernel. Each is a connection: a listener has fewer. */
const MOST_QUESTIONS = 2_048

/** The questions about one child's connections. Its answers come in the order of the questions. */
const questionsOf = (child: ChildProcess) => {
  const waiting: Array<(user: number | undefined) => void> = []
  let isOver = false
  const end = () => {
    isOver = true
    for (const answer of waiting.splice(0)) answer(undefined)
  }
  createInterface({ input: child.stdout! }).on(
    "line",
    (line) => waiting.shift()?.(/^\d+$/.test(line) ? Number(line) : undefined)
  ).on("close", end)
  child.stdin!.on("error", end)
  return (clientPort: number) =>
    new Promise<number | undefined>((resolve) => {
      if (isOver || waiting.length >= MOST_QUESTIONS) return resolve(undefined)
      waiting.push(resolve)
      child.stdin!.write(`${clientPort}\n`)
    })
}

const heldBy = (child: ChildProcess, listener: Server, wasHeld: boolean): HeldPort => {
  let isKept = false
  let isReleased = false
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  // Before any answer is missing.
  const silent = new Promise<void>((resolve) => child.stdout!.once("end", resolve).once("close", resolve))
  return {
    listener,
    wasHeld,
    userAt: questionsOf(child),
    keep: (value) => {
      if (value !== isKept) child.stdin!.write(value ? "keep\n" : "free\n")
      isKept = value
    },
    onLost: (lost) => void silent.then(() => isReleased ? undefined : lost()),
    release: () => {
      isReleased = true
      const told = new Promise<void>((resolve) => child.stdin!.end(() => resolve()))
      return isKept ? Promise.race([told, ended]) : ended
    }
  }
}

/**
 * Takes a port of 127.0.0.1 by `tool`, which is pyro-port. 0: any free one. `directory` has the Unix socket by which the next process of this
 * user takes the port over. Rejects with PortNotHeld.
 */
export const holdPort = (tool: string, directory: string, port: number): Promise<HeldPort> =>
  new Promise((resolve, reject) => {
    const child = spawn(tool, [directory, String(port)], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore", "ipc"]
    })
    const failed = (reason: string, detail: string, where = "") => reject(new PortNotHeld(reason, where, detail))
    child.once("error", ({ message }) => failed("start", message))
    // Comes after the last message, unlike the exit.
    child.once("disconnect", () => failed("start", "pyro-port ended"))
    child.once("message", (said, listener) => {
      if (listener === undefined) {
        const { detail, failed: reason, where } = said as Failure
        return failed(reason, detail, where)
      }
      // An unused channel would keep this process alive, and so would the child.
      child.channel?.unref()
      child.unref()
      for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref: () => void }).unref()
      resolve(heldBy(child, listener as Server, (said as { readonly wasHeld: boolean }).wasHeld))
    })
  })
