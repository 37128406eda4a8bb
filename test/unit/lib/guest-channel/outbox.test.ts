import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Duplex } from "node:stream"
import { Outbox } from "../../../../src/lib/guest-channel/wire/outbox.ts"
import { lapsed } from "../../../support/until.ts"

const make = () => {
  const writes: Array<string> = []
  const socket = new Duplex({
    read: () => {},
    write: (bytes: Buffer, _, done) => {
      writes.push(bytes.toString())
      done()
    }
  })
  return { outbox: new Outbox(socket, assert.fail, () => 0), socket, writes }
}

const ms = (time: number) => lapsed(time)

describe("what nobody waits for", () => {
  it("a low-priority frame goes before the next frame, in one write", async () => {
    const { outbox, writes } = make()
    outbox.sendLater(Buffer.from("a"))
    outbox.sendLater(Buffer.from("b"))
    await ms(5)
    assert.deepStrictEqual(writes, [])
    outbox.send(Buffer.from("c"))
    await ms(0)
    assert.deepStrictEqual(writes, ["abc"])
  })

  it("a low-priority frame goes alone if no other frame comes, each time", async () => {
    const { outbox, writes } = make()
    for (const frame of ["a", "b"]) {
      outbox.sendLater(Buffer.from(frame))
      const since = performance.now()
      while (!writes.includes(frame) && performance.now() - since < 5_000) await ms(5)
    }
    assert.deepStrictEqual(writes, ["a", "b"])
  })

  it("low-priority frames do not pile up", () => {
    const { outbox, writes } = make()
    for (let count = 0; count < 64; count++) outbox.sendLater(Buffer.from("x"))
    assert.deepStrictEqual(writes, ["x".repeat(64)])
  })

  it("a low-priority frame waits while the outbox is held, and goes at its release", async () => {
    const { outbox, writes } = make()
    outbox.pause()
    outbox.sendLater(Buffer.from("a"))
    await ms(80)
    assert.deepStrictEqual(writes, [])
    outbox.resume([Buffer.from("first")])
    assert.deepStrictEqual(writes, ["firsta"])
  })

  it("transfers go one after the other while the guest takes little, and a command's frame waits for one of them", async () => {
    const taken: Array<() => void> = []
    const socket = new Duplex({ read: () => {}, write: (_bytes, _, done) => taken.push(done) })
    const outbox = new Outbox(socket, assert.fail, () => 0)
    const sent: Array<number> = []
    const transfers = Effect.runFork(
      Effect.forEach([1, 2, 3], (number) =>
        Effect.andThen(
          outbox.calm,
          Effect.sync(() => {
            sent.push(number)
            outbox.send(Buffer.alloc(65_536))
          })
        ), { concurrency: "unbounded" })
    )
    for (const expected of [[1], [1, 2], [1, 2, 3]]) {
      while (taken.length === 0) await ms(1)
      assert.deepStrictEqual(sent, expected)
      taken.shift()!()
    }
    await Effect.runPromise(Fiber.join(transfers))
  })

  it("a low-priority frame is not sent after the outbox is closed", async () => {
    const { outbox, writes } = make()
    outbox.sendLater(Buffer.from("a"))
    outbox.close()
    await ms(80)
    assert.deepStrictEqual(writes, [])
  })
})

describe("an outbox between two sockets", () => {
  const full = () => {
    const { outbox, socket } = make()
    outbox.pause()
    outbox.leave()
    socket.destroy()
    outbox.send(Buffer.alloc(2_000_000))
    return { outbox, waiting: Effect.runFork(outbox.room) }
  }
  const isWaiting = async (waiting: Fiber.Fiber<void>) => {
    await ms(20)
    return waiting.pollUnsafe() === undefined
  }

  it("who waits for room waits until the next socket has taken the frames", async () => {
    const { outbox, waiting } = full()
    assert.isTrue(await isWaiting(waiting))
    const { socket, writes } = make()
    outbox.moveTo(socket)
    assert.isTrue(await isWaiting(waiting))
    outbox.resume([])
    await Effect.runPromise(Fiber.join(waiting))
    assert.strictEqual(writes.join("").length, 2_000_000)
  })

  it("no sender waits for room once the channel has ended", async () => {
    const { outbox, waiting } = full()
    assert.isTrue(await isWaiting(waiting))
    outbox.close()
    await Effect.runPromise(Fiber.join(waiting))
  })
})
