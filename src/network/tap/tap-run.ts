import { type ChildProcess, spawn } from "node:child_process"
import { nodeEnvironment } from "../../system/processes/node-environment.ts"
import { dialProgram } from "../dial/program.ts"
import type { DeniedMessage, QuestionMessage, ReplyMessage, Request, Response } from "./protocol.ts"

/** Maximum heap of the process, in MiB. */
const HEAP_MIB = 64

/** Descriptor of the network namespace in the new process. */
const NAMESPACE = 4

export interface TapPlace {
  /** Descriptor of the network namespace. */
  readonly namespace: number
  /** Argument by which sweeps find the process. */
  readonly tag: string
  /** Path of pyro-denied. */
  readonly deniedTool: string
}

export interface TapListeners {
  readonly onQuestion: (question: QuestionMessage) => void
  readonly onDenied: (denied: DeniedMessage) => void
  /** The process has ended; a sentence without its full stop. */
  readonly onEnd: (detail: string) => void
}

/** One run of the process in a network's namespace. Every script is answered, at the latest when the process ends. */
export class TapRun {
  readonly #child: ChildProcess
  readonly #listeners: TapListeners
  readonly #pending = new Map<number, (failure: string | undefined) => void>()
  #lastId = 0
  #isOver = false
  /** Settles once the resolver listens, or the process has ended. */
  readonly ready: Promise<string | undefined>
  #settleReady: (failure: string | undefined) => void = () => {}

  constructor({ deniedTool, namespace, tag }: TapPlace, listeners: TapListeners) {
    this.#listeners = listeners
    this.ready = new Promise((resolve) => this.#settleReady = resolve)
    const variables = nodeEnvironment()
    const node = [process.execPath, `--max-old-space-size=${HEAP_MIB}`, "-", "network-tap", deniedTool, tag]
    const child = spawn("nsenter", [`--net=/proc/self/fd/${NAMESPACE}`, "--", ...node], {
      cwd: "/",
      // A session of its own: a terminal's Ctrl-C is for its owner, which ends the process.
      detached: true,
      env: variables,
      stdio: ["pipe", "ignore", "inherit", "ipc", namespace]
    })
    this.#child = child
    child.on("error", (error) => this.#end(`the process of the network cannot start: ${error.message}`))
    child.on("exit", (code, signal) => this.#end(`the process of the network ended with ${signal ?? `status ${code}`}`))
    child.on("message", (message) => this.#receive(message as Response))
    child.stdin!.on("error", () => {}) // its exit tells
    child.stdin!.end(dialProgram())
  }

  /** Runs a script of nft. Gives its last words, or nothing for success. */
  apply(script: string): Promise<string | undefined> {
    return new Promise((settle) => {
      const id = (this.#lastId += 1)
      this.#pending.set(id, settle)
      this.#send({ _tag: "Apply", id, script })
    })
  }

  reply(reply: Omit<ReplyMessage, "_tag">) {
    this.#send({ _tag: "Reply", ...reply })
  }

  stop() {
    this.#isOver = true
    this.#child.kill("SIGKILL")
    this.#settle("the network was closed")
  }

  #send(message: Request) {
    if (this.#isOver) return this.#settle("the process of the network has ended")
    this.#child.send(message, (error) => {
      if (error !== null) this.#end(`the process of the network cannot be reached: ${error.message}`)
    })
  }

  #receive(message: Response) {
    switch (message._tag) {
      case "Ready":
        return this.#settleReady(undefined)
      case "Question":
        return this.#listeners.onQuestion(message)
      case "Denied":
        return this.#listeners.onDenied(message)
      case "Applied": {
        const settle = this.#pending.get(message.id)
        this.#pending.delete(message.id)
        return settle?.(message.failure)
      }
    }
  }

  #settle(detail: string) {
    this.#settleReady(detail)
    for (const settle of [...this.#pending.values()]) settle(detail)
    this.#pending.clear()
  }

  #end(detail: string) {
    if (this.#isOver) return
    this.#isOver = true
    this.#child.kill("SIGKILL")
    this.#settle(detail)
    this.#listeners.onEnd(detail)
  }
}
