import { strictText } from "../../contract/text/utf8.ts"
import { mayHaveProjectFile, projectDirectories } from "../../sdk/project-directories.ts"
import { understood } from "./command-line.ts"
import { makeConversation } from "./conversation.ts"
import type { RecordedIndex, RecordedSelection } from "./recorded.ts"

/** A connection whose first messages were answered before the server was loaded. */
export interface EarlyConnection {
  /** Stdin with all bytes from the first one on. It is paused. */
  readonly stdin: typeof process.stdin
  /** Ids of the answered requests, in order. */
  readonly answered: ReadonlyArray<string | number>
  /** Removes the early signal listeners. The caller has installed its own. */
  readonly removeSignalListeners: () => void
}

/** JSON of `RecordedIndex`, from the build. */
declare const RECORDED: string

/** Bytes and answers after which the server takes over in any case. A first `tools/list` comes long before. */
const MAX_BYTES = 262_144
const MAX_ANSWERS = 16

/** Status of a process that SIGTERM ended. */
const TERMINATED = 143

const NEWLINE = 0x0a

/** Reads a range of a file beside the program. */
type ReadBeside = (file: string, offset: number, sizeBytes: number) => string

/**
 * Answers the first requests of an MCP client on stdin before the server is loaded: hosts wait a second for them. Undefined if the words
 * after `pyro mcp serve` are not certainly right. Otherwise resolves with the connection for the server, or with undefined if the client
 * has left.
 */
export const handshake = (
  words: ReadonlyArray<string>,
  readBeside: ReadBeside
): Promise<EarlyConnection | undefined> | undefined => {
  const index = JSON.parse(RECORDED) as RecordedIndex
  const asked = understood(words, index.flags)
  if (asked === undefined) return undefined
  const directories = projectDirectories(asked.options, process.env)
  if ("flag" in directories) return undefined
  // The answers depend on the project's file, which the server reads.
  if (directories.base !== undefined && mayHaveProjectFile(directories.base)) return undefined
  const [offset, sizeBytes] = index.selections[asked.selection]
  const answers = readBeside(index.answersFile, offset, sizeBytes)
  const reply = makeConversation(index, JSON.parse(answers) as RecordedSelection, asked, directories)

  const { stdin, stdout } = process
  const ignore = () => {}
  const terminate = () => process.exit(TERMINATED)
  // A host's Ctrl-C reaches its servers too; a person at a terminal means this one.
  if (stdin.isTTY !== true) process.on("SIGINT", ignore)
  process.on("SIGTERM", terminate)
  const removeSignalListeners = () => {
    process.off("SIGINT", ignore)
    process.off("SIGTERM", terminate)
  }

  return new Promise((resolve) => {
    const received: Array<Buffer> = []
    let receivedBytes = 0
    let line: Array<Buffer> = []
    const answered: Array<string | number> = []
    let isDone = false

    /** False if the server continues. */
    const take = (text: string): boolean => {
      const answer = reply(text)
      if (answer._tag === "Left") return false
      if (answer._tag === "Nothing") return true
      if (answer._tag === "Awaited") return isDone = true
      answered.push(answer.id)
      stdout.write(answer.line)
      isDone ||= answer.method === "tools/list"
      return answered.length < MAX_ANSWERS
    }
    const takeLines = (chunk: Buffer): boolean => {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        const text = strictText(Buffer.concat([...line, chunk.subarray(from, at)]))
        line = []
        from = at + 1
        if (text === undefined || !take(text)) return false
      }
      line.push(chunk.subarray(from))
      return receivedBytes < MAX_BYTES
    }
    const data = (chunk: Buffer) => {
      received.push(chunk)
      receivedBytes += chunk.length
      const continues = takeLines(chunk)
      if (continues && !isDone) return
      stop()
      stdin.pause()
      stdin.unshift(Buffer.concat(received))
      resolve({ stdin, answered, removeSignalListeners })
    }
    /** Every whole line was answered. */
    const end = () => {
      stop()
      resolve(undefined)
    }
    const stop = () => {
      stdin.off("data", data)
      for (const event of ["end", "close", "error"]) stdin.off(event, end)
      stdout.off("error", end)
    }
    stdin.on("data", data)
    for (const event of ["end", "close", "error"]) stdin.on(event, end)
    stdout.on("error", end)
  })
}
