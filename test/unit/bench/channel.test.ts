import { describe, expect, it } from "@effect/vitest"
import type { Socket } from "node:net"
import { Duplex } from "node:stream"
import { bulk, channel, echo, exec, mustSucceed } from "../../../bench/floors/channel.ts"

const answer = (status: number, text: string) => {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(status, 0)
  head.writeUInt32LE(text.length, 4)
  return Buffer.concat([head, Buffer.from(text)])
}

/** A connection whose other end is written by the test. */
const connection = () => {
  const sent: Array<Buffer> = []
  const stream = new Duplex({
    read: () => {},
    write: (bytes: Buffer, _encoding, done) => {
      sent.push(bytes)
      done()
    }
  })
  return {
    socket: stream as unknown as Socket,
    sent,
    receive: (bytes: Buffer) => void stream.push(bytes),
    end: () => stream.destroy()
  }
}

describe("the floor's channel", () => {
  it("the floor's channel writes operation, length and payload of all requests at once", async () => {
    const { receive, sent, socket } = connection()
    const answers = channel(socket).call(echo, exec("/root", "/bin/true"))
    expect(Buffer.concat(sent).toString("latin1")).toBe("e\0\0\0\0x\x10\0\0\0/root\0/bin/true\0")
    expect(sent.length).toBe(1)
    receive(Buffer.concat([answer(0, ""), answer(3, "said")]))
    expect((await answers).map(({ payload, status }) => [status, payload.toString()])).toEqual([[0, ""], [3, "said"]])
  })

  it("the floor's channel reads answers that are cut anywhere", async () => {
    const both = Buffer.concat([answer(0, "one"), answer(1, "two")])
    for (let cut = 0; cut <= both.length; cut++) {
      const { receive, socket } = connection()
      const answers = channel(socket).call(echo, echo)
      receive(both.subarray(0, cut))
      receive(both.subarray(cut))
      expect((await answers).map(({ payload }) => payload.toString())).toEqual(["one", "two"])
    }
  })

  it("the floor's channel counts poured bytes, also those with the answer, and then serves the next request", async () => {
    const { receive, socket } = connection()
    const { call, pour } = channel(socket)
    const poured = pour(bulk(1), 10)
    receive(Buffer.concat([answer(0, ""), Buffer.from("0123")]))
    await Promise.resolve()
    receive(Buffer.from("456789"))
    await poured
    const next = call(echo)
    receive(answer(0, "next"))
    expect((await next)[0]?.payload.toString()).toBe("next")
  })

  it("the floor's channel fails waiting requests when the guest ends", async () => {
    const { end, socket } = connection()
    const waiting = channel(socket).call(echo)
    end()
    await expect(waiting).rejects.toThrow(/guest has gone/)
  })

  it("the floor's channel names the failed request", () => {
    const requests = [echo, exec("/root", "/bin/nothing")]
    const answers = [{ status: 0, payload: Buffer.alloc(0) }, { status: 127, payload: Buffer.from("oh") }]
    expect(() => mustSucceed(requests, answers)).toThrow("x /root /bin/nothing : status 127 oh")
  })
})
