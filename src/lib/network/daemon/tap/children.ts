import { Deferred, Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { killGroup } from "../../../../system/processes/child.ts"
import { nodeEnvironment } from "../../../../system/processes/environment.ts"
import { settingNow } from "../../../../system/settings/config.ts"
import { settleAfterwards } from "../../../../system/waits/signal.ts"
import { monotonicMs } from "../../../../system/waits/time.ts"
import type { DeniedMessage, QuestionMessage, ReplyMessage, Request, Response } from "../../both/tap/protocol.ts"
import { OUTSIDE } from "../../both/tap/ruleset.ts"
import { dialProgram } from "../dial/program.ts"

/** Pause before a process that has ended is started again, in ms. It doubles while the process ends soon. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
const SOON_MS = 10_000

/** Keeps a process running until the Scope closes. Gives the process of the moment. */
export const keepRunning = <Process extends { readonly stop: () => void }>(
  name: string,
  start: (onEnd: (detail: string) => void) => Process
): Effect.Effect<() => Process, never, Scope.Scope> =>
  Effect.gen(function*() {
    const begin = Effect.gen(function*() {
      const ended = Deferred.makeUnsafe<string>()
      const process = start((detail) => settleAfterwards(ended, Effect.succeed(detail)))
      return { process, ended: Deferred.await(ended), sinceMs: yield* monotonicMs }
    })
    let current = yield* begin
    let pauseMs = FIRST_PAUSE_MS
    yield* Effect.addFinalizer(() => Effect.sync(() => current.process.stop()))
    yield* Effect.gen(function*() {
      const detail = yield* current.ended
      yield* Effect.logWarning(`${name} ended and is started again: ${detail}`)
      const ranMs = (yield* monotonicMs) - current.sinceMs
      pauseMs = ranMs < SOON_MS ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
      yield* Effect.sleep(pauseMs)
      current = yield* begin
    }).pipe(Effect.forever, Effect.forkScoped)
    return () => current.process
  })

/** Descriptor of the network namespace in the translator. */
const TRANSLATOR_NAMESPACE = 3

/** Longest text of a failure. */
const SAID_CHARACTERS = 1_000

/**
 * Arguments of pasta(1), which connects a network namespace to the host's network by sockets of its own: the host's firewall, routes and settings
 * stay as they are. No address leads to the host, and nothing is forwarded inwards.
 */
const PASTA = [
  ...["--foreground", "--stderr", "--quiet"],
  // The namespace belongs to root. Of root's capabilities pasta keeps CAP_SYS_ADMIN and CAP_NET_BIND_SERVICE, under a system call filter.
  ...["--runas", "0:0", "--netns-only", "--netns", `/proc/self/fd/${TRANSLATOR_NAMESPACE}`, "--no-netns-quit"],
  ...["--config-net", "--ns-ifname", OUTSIDE.device],
  ...["--address", OUTSIDE.address, "--netmask", OUTSIDE.netmask, "--gateway", OUTSIDE.gateway],
  // A host without IPv6, or without IPv4, connects the other one alone.
  ...["--address", OUTSIDE.address6, "--gateway", OUTSIDE.gateway6],
  ...["--no-map-gw", "--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none"],
  ...["--no-dhcp", "--no-ra", "--no-dhcpv6"]
]

/**
 * Its process namespace ends with this process, however it ends. The host's files are visible, read-only. The session of `startTranslator` is new
 * already: in one more, bubblewrap's child would survive an early end of its group.
 */
const confined = (tag: string) => [
  ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent"],
  ...["--ro-bind", "/", "/", "--dev", "/dev", "--dev-bind", "/dev/net/tun", "/dev/net/tun", "--proc", "/proc"],
  ...["--setenv", "PYRO_VM", tag, "--", "pasta", ...PASTA]
]

/** Starts the translator between a network namespace and this process's network. `onEnd` gets its last output. */
export const startTranslator = (
  namespace: number,
  tag: string,
  onEnd: (detail: string) => void
): { readonly stop: () => void } => {
  const child: ChildProcess = spawn("bwrap", confined(tag), {
    cwd: "/",
    detached: true,
    env: { PATH: settingNow("PATH"), LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe", namespace]
  })
  let said = ""
  child.stderr!.setEncoding("utf8").on("data", (text: string) => said = (said + text).slice(-SAID_CHARACTERS))
  child.on("error", ({ message }) => onEnd(message))
  child.on("close", (code, signal) => onEnd(`${signal ?? `status ${code}`}${said === "" ? "" : `: ${said.trim()}`}`))
  return { stop: () => killGroup(child, "SIGKILL") }
}

/** Maximum heap of the process, in MiB. */
const HEAP_MIB = 64

/** Descriptor of the network namespace in the process of the network. */
const TAP_NAMESPACE = 4

interface TapPlace {
  /** Descriptor of the network namespace. */
  readonly namespace: number
  /** Argument by which sweeps find the process. */
  readonly tag: string
  /** Path of pyro-denied. */
  readonly deniedTool: string
}

interface TapListeners {
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
    const child = spawn("nsenter", [`--net=/proc/self/fd/${TAP_NAMESPACE}`, "--", ...node], {
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

  /** Runs a script of nft. Returns its last output, or nothing for success. */
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
