import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { deadlineScale } from "../../src/system/settings/deadline-scale.ts"
import { lapsed } from "./until.ts"

/** The built command; `PYRO_TEST_ENTRY` names another build of it. */
export const pyroPath = process.env["PYRO_TEST_ENTRY"] ??
  path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../dist/pyro.js")

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface PyroOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: Uint8Array | string
  /** Leaves its stdin open, for the test to write to. */
  readonly openStdin?: boolean
  /** Called once the process runs, for signals and the like. */
  readonly onStart?: (child: ChildProcess) => void
  readonly cwd?: string
  /** Words of a program that starts the command in other namespaces. */
  readonly enter?: ReadonlyArray<string>
  /** Words that start the command in place of the program and the built command. */
  readonly start?: ReadonlyArray<string>
}

/** Starts the built command with a state directory of the caller's. */
export const startPyro = (args: ReadonlyArray<string>, options: PyroOptions = {}) => {
  const [program = "", ...words] = [...options.enter ?? [], ...options.start ?? [process.execPath, pyroPath], ...args]
  const child = spawn(program, words, {
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined && options.openStdin !== true ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd })
  })
  const stdout: Array<Buffer> = []
  let stderr = ""
  child.stdout!.on("data", (chunk: Buffer) => stdout.push(chunk))
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => stderr += chunk)
  if (options.input !== undefined) {
    child.stdin!.on("error", () => {})
    child.stdin!.end(options.input)
  }
  options.onStart?.(child)
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }))
  })
  return { child, finished, stderrSoFar: () => stderr, stdoutSoFar: () => Buffer.concat(stdout) }
}

/** Runs the built command to its end. */
export const pyro = (args: ReadonlyArray<string>, options: PyroOptions = {}) => startPyro(args, options).finished

/**
 * Removes the memory folders, empty by now, of the state directories at most two levels below a folder.
 *
 * A memory folder that did not change since the state directory began is of an earlier directory with the same inode
 * number, whose test was killed.
 */
const removeMemoryFolders = (folder: string, levels = 2) => {
  const { birthtimeMs, dev, ino } = fs.statSync(folder)
  const memory = `/dev/shm/pyro-${process.getuid?.()}-${dev.toString(36)}-${ino.toString(36)}`
  const changedMs = fs.statSync(memory, { throwIfNoEntry: false })?.ctimeMs
  if (changedMs !== undefined && changedMs >= birthtimeMs) fs.rmdirSync(memory)
  if (levels === 0) return
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeMemoryFolders(path.join(folder, entry.name), levels - 1)
  }
}

/** A folder that is removed by `remove`, with the memory folders of the installations in it. */
export const temporaryFolder = (prefix: string) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), prefix))
  const remove = () => {
    removeMemoryFolders(folder)
    fs.rmSync(folder, { recursive: true, force: true })
  }
  return { folder, remove }
}

/** Waits until a condition holds; fails with what was waited for. A function says so as it is at the failure. */
export const until = async (
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000
) => {
  const limitMs = timeoutMs * deadlineScale
  const end = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > end) {
      throw new Error(`waited ${limitMs} ms in vain: ${typeof what === "string" ? what : what()}`)
    }
    await lapsed(10)
  }
}
