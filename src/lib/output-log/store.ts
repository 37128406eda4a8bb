import * as fs from "node:fs"
import * as path from "node:path"
import { CommandLog, type LogEnd } from "./log.ts"
import type { LogLimits, LogRoom } from "./log/segment-files.ts"

/** Limits of the contract: 256 MiB and 1 GiB of one command, 4 GiB of all together. */
export const logLimits: LogLimits = {
  segmentBytes: 16_777_216,
  headSegments: 16,
  segments: 80,
  workspaceBytes: 4_294_967_296
}

/** Room that a file takes beside its content. */
const FILE_BYTES = 4_096

const fileName = /^([0-9a-f]{32})\.(\d{1,9})$/

/**
 * The logs of a workspace's commands, as files `ID.N`. Their total size has a limit: the oldest finished logs are removed first,
 * but not logs with listeners.
 */
export class LogStore implements LogRoom {
  readonly folder: string
  readonly limits: LogLimits
  /** In the order of their commands' start. */
  readonly #logs = new Map<string, CommandLog>()
  /** Space of all logs, in `bytes`. */
  heldBytes = 0

  /** `known`: ids of the journal in order, with the output sizes of finished commands. Other files are removed. */
  constructor(folder: string, limits: LogLimits, known: Iterable<readonly [id: string, end: LogEnd | undefined]>) {
    this.folder = folder
    this.limits = limits
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = new Map<string, Array<number>>()
    for (const name of fs.readdirSync(folder)) {
      const [, id, number] = fileName.exec(name) ?? []
      if (id !== undefined) found.set(id, [...(found.get(id) ?? []), Number(number)])
    }
    for (const [id, end] of known) {
      const numbers = found.get(id) ?? []
      found.delete(id)
      this.#logs.set(id, CommandLog.found(this, id, numbers, end))
    }
    for (const [id, numbers] of found) for (const number of numbers) fs.rmSync(this.file(id, number), { force: true })
  }

  file(id: string, number: number) {
    return path.join(this.folder, `${id}.${number}`)
  }

  create(id: string): CommandLog {
    const log = new CommandLog(this, id)
    this.#logs.set(id, log)
    return log
  }

  /**
   * Takes over another store's log of a running command: files of `folder`, by number. Whole files are shared. The last one is
   * copied, since both stores write on. Throws errors of the host's file system.
   */
  take(id: string, folder: string, numbers: ReadonlyArray<number>) {
    const last = numbers.at(-1)
    for (const number of numbers) {
      const from = path.join(folder, `${id}.${number}`)
      if (number === last) fs.copyFileSync(from, this.file(id, number), fs.constants.COPYFILE_FICLONE)
      else fs.linkSync(from, this.file(id, number))
    }
    this.#logs.set(id, CommandLog.found(this, id, numbers, undefined))
  }

  get(id: string): CommandLog | undefined {
    return this.#logs.get(id)
  }

  /** Takes back a log of a command that never ran. */
  forget(id: string) {
    this.#logs.get(id)?.empty()
    this.#logs.delete(id)
  }

  created() {
    this.heldBytes += FILE_BYTES
  }

  removed(size: number) {
    this.heldBytes -= FILE_BYTES + size
  }

  /** Frees space for one more file. False if no file may be removed. */
  makeRoom(): boolean {
    const wanted = this.limits.workspaceBytes - this.limits.segmentBytes
    if (this.heldBytes <= wanted) return true
    for (const log of this.#logs.values()) {
      if (log.ended && !log.isHeard) log.empty()
      if (this.heldBytes <= wanted) return true
    }
    return false
  }

  clear() {
    for (const log of this.#logs.values()) log.empty()
    this.#logs.clear()
  }
}
