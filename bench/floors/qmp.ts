import type { Socket } from "node:net"

type Waiter = { readonly resolve: (value: unknown) => void; readonly reject: (cause: Error) => void }

/** The part of QEMU's monitor that a floor needs: commands are answered in order, and callers wait for events by name. */
export interface Monitor {
  /** Sends all commands in one write; resolves with the last answer. */
  readonly execute: (...commands: ReadonlyArray<readonly [name: string, args?: object]>) => Promise<unknown>
  readonly event: (accept: (name: string, data: Record<string, unknown>) => boolean) => Promise<void>
}

export const monitor = (socket: Socket): Monitor => {
  const waiting: Array<Waiter> = []
  const listening: Array<{ readonly accept: Parameters<Monitor["event"]>[0]; readonly resolve: () => void }> = []
  let rest = ""
  const take = (line: string) => {
    const message = JSON.parse(line) as Record<string, unknown>
    if ("event" in message) {
      for (const { accept, resolve } of listening) {
        if (accept(String(message["event"]), (message["data"] ?? {}) as Record<string, unknown>)) resolve()
      }
    } else if ("error" in message) {
      waiting.shift()?.reject(new Error(`QMP: ${JSON.stringify(message["error"])}`))
    } else if ("return" in message) {
      waiting.shift()?.resolve(message["return"])
    }
  }
  socket.setEncoding("utf8")
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) take(line)
  })
  socket.on("close", () => {
    for (const waiter of waiting.splice(0)) waiter.reject(new Error("QEMU has gone"))
  })
  return {
    execute: (...commands) => {
      const answers = commands.map(() => new Promise((resolve, reject) => void waiting.push({ resolve, reject })))
      socket.write(commands.map(([name, args]) => JSON.stringify({ execute: name, arguments: args }) + "\n").join(""))
      return Promise.all(answers).then((all) => all.at(-1))
    },
    event: (accept) => new Promise((resolve) => void listening.push({ accept, resolve }))
  }
}
