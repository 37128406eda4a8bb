import * as fs from "node:fs"
import * as net from "node:net"
import { decodePayload, FrameDecoder, type FrameSink, HelloSearch, HostMessage } from "../guest-channel/guest-wire.ts"

export interface RecordedFrame {
  readonly from: "host" | "agent"
  readonly stream: number
  readonly kind: number
  readonly payload: Buffer
}

/** All frames of one connection, both directions in the order in which they passed. */
export type Session = ReadonlyArray<RecordedFrame>

/** Cuts both directions of a connection into frames. */
const recorder = (session: Array<RecordedFrame>) => {
  let search: HelloSearch | undefined
  let found = false
  const sink = (from: RecordedFrame["from"]): FrameSink => (stream, kind, payload) => {
    if (from === "host" && kind === HostMessage.Hello.kind && stream === 0) {
      search = new HelloSearch(decodePayload(HostMessage.Hello.fields, payload).nonce)
    }
    session.push({ from, stream, kind, payload: Buffer.from(payload) })
  }
  const host = new FrameDecoder(sink("host"))
  const agent = new FrameDecoder(sink("agent"))
  return {
    host: (chunk: Buffer) => host.push(chunk),
    // What comes before the hello belongs to an older connection.
    agent: (chunk: Buffer) => {
      const bytes = found ? chunk : search?.push(chunk)
      if (bytes === undefined) return
      found = true
      agent.push(bytes)
    }
  }
}

/** Stands between the daemon and the port of a VM's agent, and writes down all frames of every connection through it. */
export const recordSessions = async (port: string) => {
  const sessions: Array<Array<RecordedFrame>> = []
  const behind = `${port}.vm`
  fs.renameSync(port, behind)
  const server = net.createServer((host) => {
    const session: Array<RecordedFrame> = []
    sessions.push(session)
    const record = recorder(session)
    const agent = net.connect(behind)
    host.on("data", record.host)
    agent.on("data", record.agent)
    for (const [one, other] of [[host, agent], [agent, host]] as const) {
      one.pipe(other)
      one.on("error", () => other.destroy())
      one.on("close", () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(port, resolve))
  const close = () => {
    server.close()
    fs.renameSync(behind, port)
  }
  return { sessions: sessions as ReadonlyArray<Session>, close }
}

/** As JSON, for another process. */
export const writeSessions = (file: string, sessions: ReadonlyArray<Session>) =>
  fs.writeFileSync(
    file,
    JSON.stringify(
      sessions.map((session) =>
        session.map(({ from, kind, payload, stream }) => [from, stream, kind, payload.toString("base64")])
      )
    )
  )

export const readSessions = (file: string): ReadonlyArray<Session> =>
  (JSON.parse(fs.readFileSync(file, "utf8")) as ReadonlyArray<
    ReadonlyArray<readonly [RecordedFrame["from"], number, number, string]>
  >).map((session) =>
    session.map(([from, stream, kind, payload]) => ({ from, stream, kind, payload: Buffer.from(payload, "base64") }))
  )
