import { assert, describe, it } from "vitest"
import type { RestoreRequest } from "../../../../src/vm/guest.ts"
import { changed, type Demands, type PoolConfig, remembered } from "../../../../src/vm/pool/policy.ts"

const config: PoolConfig = { membersPerKind: 2, memoryMib: 1024, idleMs: 1000, quietMs: 10, retryMs: 100 }
const image = (name: string) => ({ digest: name, path: `/${name}`, virtualBytes: 512 })

/** A request for a workspace of a seed, or without one. */
const request = (seed?: string, memoryMib = 256) =>
  ({
    images: { environment: { digest: "e" }, kernel: { digest: "k" } },
    vcpuCount: 1,
    memoryMib,
    placeholder: image("empty"),
    seed: image(seed ?? "empty"),
    seedImage: seed === undefined ? undefined : image(seed),
    backing: [],
    layers: []
  }) as unknown as RestoreRequest

const told = (demands: Demands) =>
  [...demands.values()].map(({ askedAtMs, members, mounted }) => `${members} ${mounted?.digest} ${askedAtMs}`)

describe("what a pool remembers of requests", () => {
  it("a request demands one pool member with its seed mounted and one for any other seed", () => {
    assert.deepStrictEqual(told(remembered(new Map(), request("a"), config, 5)), ["1 a 5", "1 undefined 5"])
  })

  it("the pool demands a mounted member for the last seed only", () => {
    const once = remembered(new Map(), request("a"), config, 5)
    assert.deepStrictEqual(told(remembered(once, request("b"), config, 7)), [
      "1 a -Infinity",
      "1 undefined 7",
      "1 b 7"
    ])
  })

  it("a pool with one member per kind demands no mounted seed", () => {
    const one = { ...config, membersPerKind: 1 }
    assert.deepStrictEqual(told(remembered(new Map(), request("a"), one, 5)), ["1 undefined 5"])
  })

  it("the pool delays new members after a request, longer if the guest mounts a written disk, and a dropped demand is forgotten", () => {
    const demands = remembered(new Map(), request("a"), config, 5)
    assert.deepStrictEqual([...demands.values()].map(({ notBeforeMs }) => notBeforeMs), [15, 15])
    const written = remembered(new Map(), { ...request(), layers: ["/0.qcow2"] }, config, 5)
    assert.deepStrictEqual([...written.values()].map(({ notBeforeMs }) => notBeforeMs), [35])
    const [kind] = demands.keys()
    assert.deepStrictEqual(told(changed(demands, kind!, () => undefined)), ["1 undefined 5"])
  })
})
