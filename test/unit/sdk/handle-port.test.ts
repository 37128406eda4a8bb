import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { PortAlreadyPublished } from "../../../src/contract/errors/errors.ts"
import type { PublishedPort } from "../../../src/contract/rows/workspace-port.ts"
import { handleService, rejection } from "./handle-service.ts"

const workspace = "ws-0000000001"

/** A service with published ports, of which the list shows those that are there before `late` ones. */
const portService = (known: ReadonlyArray<PublishedPort>, late: ReadonlyArray<PublishedPort> = []) => {
  const open = new Map<number, PublishedPort>([...known, ...late].map((port) => [port.guestPort, port]))
  const asked: Array<string> = []
  const { fix } = handleService(undefined, {
    port: {
      list: () => Effect.sync(() => ({ ports: known })),
      publish: ({ port }) =>
        Effect.suspend(() => {
          asked.push(`publish ${port}`)
          const [hostPort = 0, guestPort = 0] = port.split(":").map(Number)
          const there = open.get(guestPort)
          const isOther = hostPort !== 0 && hostPort !== there?.hostPort
          if (there !== undefined && (there.service !== undefined || isOther)) {
            return Effect.fail(new PortAlreadyPublished({ workspace, ...there }))
          }
          return Effect.succeed({ guestPort, hostPort: there?.hostPort ?? (hostPort === 0 ? 40_000 : hostPort) })
        }),
      unpublish: ({ guestPort }) =>
        Effect.sync(() => {
          asked.push(`unpublish ${guestPort}`)
          return { guestPort }
        })
    }
  })
  return { asked, fix }
}

describe("a port of a workspace that a program holds", () => {
  it("is published with its URL, and the end of its use unpublishes it", async () => {
    const { asked, fix } = portService([])
    const port = await (await fix()).port(3000)
    assert.deepInclude(port, { guestPort: 3000, hostPort: 40_000, url: "http://127.0.0.1:40000" })
    assert.deepStrictEqual(asked, ["publish 0:3000"])
    await port[Symbol.asyncDispose]()
    assert.deepStrictEqual(asked, ["publish 0:3000", "unpublish 3000"])
  })

  it.each([["by the command line", {}], ["by a service", { service: "web" }]])(
    "has the URL of what is published %s, and leaves it",
    async (_, of) => {
      const { asked, fix } = portService([{ guestPort: 3000, hostPort: 8080, ...of }])
      const ws = await fix()
      for (const options of [{}, { hostPort: 8080 }]) {
        const port = await ws.port(3000, options)
        assert.strictEqual(port.url, "http://127.0.0.1:8080")
        await port.close()
        await port[Symbol.asyncDispose]()
      }
      assert.deepStrictEqual(asked, [])
    }
  )

  it("on another port of the host than the one that is published is refused", async () => {
    const { asked, fix } = portService([{ guestPort: 3000, hostPort: 8080 }])
    const failure = await rejection((await fix()).port(3000, { hostPort: 9090 }))
    assert.deepInclude(failure, { _tag: "PortAlreadyPublished", hostPort: 8080 })
    assert.deepStrictEqual(asked, ["publish 9090:3000"])
  })

  it("that a service publishes meanwhile is the service's", async () => {
    const { asked, fix } = portService([], [{ guestPort: 3000, hostPort: 8080, service: "web" }])
    const port = await (await fix()).port(3000)
    assert.strictEqual(port.hostPort, 8080)
    await port[Symbol.asyncDispose]()
    assert.deepStrictEqual(asked, ["publish 0:3000"])
  })

  it("of a paused workspace resumes it, and stays", async () => {
    const { asked, fix } = portService([{ guestPort: 3000 }])
    const port = await (await fix()).port(3000)
    assert.strictEqual(port.hostPort, 40_000)
    await port[Symbol.asyncDispose]()
    assert.deepStrictEqual(asked, ["publish 0:3000"])
  })
})
