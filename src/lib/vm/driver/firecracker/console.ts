import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import { consoleText } from "../console-text.ts"

/** Bytes of the console that are kept: its end. */
const keptBytes = 65_536

/**
 * Keeps the end of a VM's console, from the pipe that Firecracker writes to (native/console/console.c). A pipe without a reader keeps its
 * first 64 KiB. Gives an effect with the text so far.
 */
export const readConsole = (file: string): Effect.Effect<Effect.Effect<string>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let kept = Buffer.alloc(0)
      const socket = openPipe(file)
      socket?.on("error", () => {}) // what was read stays
      socket?.on("data", (bytes: Buffer) => (kept = Buffer.concat([kept, bytes]).subarray(-keptBytes)))
      socket?.unref()
      return { socket, text: Effect.sync(() => consoleText(kept.toString("utf8"))) }
    }),
    ({ socket }) => Effect.sync(() => socket?.destroy())
  ).pipe(Effect.map(({ text }) => text))

/** A VM without a console has no last output. */
const openPipe = (file: string): net.Socket | undefined => {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants
  try {
    const fd = fs.openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    if (fs.fstatSync(fd).isFIFO()) return new net.Socket({ fd, readable: true, writable: false })
    fs.closeSync(fd)
  } catch {
    // it is gone with its VM
  }
  return undefined
}
