import { type ChildProcess, spawn } from "node:child_process"
import * as path from "node:path"
import * as readline from "node:readline"
import { assert } from "vitest"
import { stateOf } from "../host/process-facts.ts"
import { bundled, bundleDialProgram, linkBuilt } from "../package/bundled.ts"
import { until } from "../pyro-cli.ts"
import { openInstallations } from "../run/attempts.ts"
import type { Operation } from "./workspaces-process.ts"

/** Bundles the process beside links to what the project builds. */
const prepared = async (folder: string) => {
  const program = path.join(folder, "workspaces-process.mjs")
  await bundled(path.join(import.meta.dirname, "workspaces-process.ts"), program)
  await bundleDialProgram(folder)
  linkBuilt(folder)
  return program
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** The process has ended before it answered. */
export class ProcessEnded extends Error {
  readonly signal: NodeJS.Signals | null
  constructor(signal: NodeJS.Signals | null, said: string) {
    super(`the process that has the workspaces ended: ${String(signal)} ${said}`)
    this.signal = signal
  }
}

/** A process that has the workspaces. */
interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<NodeJS.Signals | null>
  readonly call: (operation: Operation, payload: object) => Promise<unknown>
}

const startProcess = (words: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Running => {
  const child = spawn(words[0]!, words.slice(1), { env, stdio: ["pipe", "pipe", "pipe"] })
  const waiting = new Map<number, { readonly done: (answer: Answer) => void; readonly lost: (cause: Error) => void }>()
  let said = ""
  let next = 0
  child.stderr.setEncoding("utf8").on("data", (text: string) => said += text)
  child.stdin.on("error", () => {}) // its end tells
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line) as Answer
    waiting.get(answer.id)?.done(answer)
    waiting.delete(answer.id)
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once("close", (code, signal) => {
      for (const { lost } of waiting.values()) lost(new ProcessEnded(signal, `${String(code)} ${said}`))
      resolve(signal)
    })
  )
  const call = (operation: Operation, payload: object) =>
    new Promise<unknown>((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) return reject(new ProcessEnded(child.signalCode, said))
      const id = next++
      const done = ({ error, result }: Answer) =>
        error === undefined ? resolve(result) : reject(new Error(`${operation} ${JSON.stringify(payload)}: ${error}`))
      waiting.set(id, { done, lost: reject })
      child.stdin.write(`${JSON.stringify({ id, operation, payload })}\n`)
    })
  return { child, ended, call }
}

/** Installation whose workspaces one process after the other has: the next call starts a process where none runs. */
export const workspacesClient = async (options: {
  readonly folder: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Words before the program, which make the program run in other namespaces. */
  readonly enter?: ReadonlyArray<string>
}) => {
  const program = await prepared(options.folder)
  const state = path.join(options.folder, "state")
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PYRO_STATE_DIR: state,
    PYRO_POOL_MEMBERS: "0",
    // A suite starts up to 100 processes, and each would compile the program anew.
    NODE_COMPILE_CACHE: path.join(options.folder, "code"),
    ...options.env
  }
  const words = [...options.enter ?? [], process.execPath, program, ...options.args]
  let running: Running | undefined

  const current = () => running ??= startProcess(words, env)

  const call = (operation: Operation, payload: object = {}) => current().call(operation, payload)

  openInstallations.add({ state, deleteWorkspaces: (workspaces) => call("delete", { workspaces }) })

  /** Ends the process; workspaces run on. */
  const close = async () => {
    const one = running
    running = undefined
    if (one === undefined) return
    one.child.stdin!.end()
    assert.isNull(await one.ended, "the process was killed")
    assert.strictEqual(one.child.exitCode, 0)
  }

  /** Kills the process at any moment. */
  const kill = async () => {
    const one = current()
    running = undefined
    one.child.kill("SIGKILL")
    await one.ended
  }

  /** Does one call, and expects that the process dies at a fault point of it. */
  const killedAt = async (point: string, operation: Operation, payload: object) => {
    await call("set-variable", { name: "PYRO_FAULT", value: point })
    const one = current()
    running = undefined
    const failure = await one.call(operation, payload).then(() => undefined, (cause: unknown) => cause)
    if (failure === undefined) one.child.kill("SIGKILL")
    assert.instanceOf(failure, ProcessEnded, `${point} was not reached`)
    assert.strictEqual(failure.signal, "SIGKILL", failure.message)
  }

  /**
   * Does one call in a process that halts at a fault point of it. `harm` comes before the process goes on. Gives whether the call succeeds. The
   * next call has another process.
   */
  const haltedAt = async (point: string, harm: () => void, operation: Operation, payload: object) => {
    await call("set-variable", { name: "PYRO_FAULT_HALT", value: point })
    const one = current()
    let isDone: boolean | undefined
    void one.call(operation, payload).then(() => (isDone = true), () => (isDone = false))
    let isHalted = false
    await until(`the end of ${operation}`, () => {
      if (isDone !== undefined) return true
      if (stateOf(one.child.pid!) !== "T") return false
      // A step may pass the same point again.
      if (!isHalted) harm()
      isHalted = true
      one.child.kill("SIGCONT")
      return false
    })
    assert.isTrue(isHalted, `${point} was not reached`)
    await close()
    return isDone === true
  }

  /** Halts the process at a fault point of what it does by itself. `meanwhile` and the end of `halted` come before the process goes on. */
  const haltsAt = async (
    point: string,
    meanwhile: () => void,
    halted: () => Promise<void> = () => Promise.resolve()
  ) => {
    await call("set-variable", { name: "PYRO_FAULT_HALT", value: point })
    const { child } = current()
    await until(`the process is at ${point}`, () => stateOf(child.pid!) === "T")
    meanwhile()
    await halted()
    const once = call("set-variable", { name: "PYRO_FAULT_HALT", value: "" })
    child.kill("SIGCONT")
    await once
  }

  /** Expects that the process dies at a fault point of what it does by itself, once `cause` has happened. */
  const diesAt = async (point: string, cause?: () => void) => {
    await call("set-variable", { name: "PYRO_FAULT", value: point })
    const one = current()
    running = undefined
    cause?.()
    assert.strictEqual(await one.ended, "SIGKILL")
  }

  /** Expects that the next process dies at a fault point of its start. */
  const diesAtStart = async (point: string) => {
    await close()
    const one = startProcess(words, { ...env, PYRO_FAULT: point })
    assert.strictEqual(await one.ended, "SIGKILL")
  }

  /** Sets a variable of every process that starts from now on, or none. */
  const setForNext = (name: string, value?: string) => {
    if (value === undefined) delete env[name]
    else env[name] = value
  }

  return {
    folder: options.folder,
    state,
    setForNext,
    call,
    close,
    diesAt,
    diesAtStart,
    haltedAt,
    haltsAt,
    kill,
    killedAt
  }
}
export type WorkspacesClient = Awaited<ReturnType<typeof workspacesClient>>
