import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import type { RestoreRequest } from "../../../../../src/lib/vm/model/guest.ts"
import {
  changed,
  type Demands,
  expectedFor,
  expecting,
  nextStep,
  type PoolConfig,
  remembered
} from "../../../../../src/lib/vm/pool/policy.ts"
import { temporaryFolder } from "../../../../support/pyro-cli.ts"

const config: PoolConfig = { membersPerKind: 2, memoryMib: 1024, idleMs: 1000, quietMs: 10, aheadMs: 50, retryMs: 100 }
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

describe("a disk that is expected", () => {
  const { folder, remove } = temporaryFolder("pyro-demands-")
  afterAll(remove)
  const file = (name: string) => {
    const made = path.join(folder, name)
    fs.writeFileSync(made, name)
    return made
  }
  const seed = { path: file("seed"), virtualBytes: 512 }
  const one = { ...request(), seed, layers: [file("one")] }
  const two = { ...request(), seed, layers: [...one.layers, file("two")] }
  /** The same files under other names, as a workspace's disk has them. */
  const linked = (disk: typeof one) => ({
    ...disk,
    layers: disk.layers.map((layer) => {
      const link = path.join(folder, `link-${fs.readdirSync(folder).length}`)
      fs.linkSync(layer, link)
      return link
    })
  })

  it("is found by its files, and not by a part of them or in a guest of another size", () => {
    const demands = expecting(new Map(), "w", two, config, 5)
    assert.deepStrictEqual([...demands.values()].map(({ members, notBeforeMs }) => [members, notBeforeMs]), [[1, 55]])
    assert.isDefined(expectedFor(demands, linked(two)))
    assert.isUndefined(expectedFor(demands, linked(one)))
    assert.isUndefined(expectedFor(demands, { ...linked(two), layers: [...linked(two).layers].reverse() }))
    assert.isUndefined(expectedFor(demands, { ...linked(two), memoryMib: 257 }))
    assert.isUndefined(expectedFor(demands, request()))
  })

  it("takes the place of the one before, and of one guest that has no disk", () => {
    const asked = remembered(new Map(), one, config, 1)
    assert.deepStrictEqual(told(asked), ["2 undefined 1"])
    const first = expecting(asked, "w", one, config, 5)
    assert.deepStrictEqual(told(first), ["1 undefined 1", "1 undefined 5"])
    assert.deepStrictEqual(told(expecting(first, "w", linked(one), config, 6)), ["1 undefined 1", "1 undefined 6"])
    const second = expecting(first, "w", two, config, 7)
    assert.deepStrictEqual(told(second), ["1 undefined 1", "1 undefined -Infinity", "1 undefined 7"])
    assert.deepStrictEqual(told(expecting(second, "other", one, config, 8)).at(-1), "1 undefined 8")
    const [, stale] = second.keys()
    assert.deepStrictEqual(nextStep({ demands: second, members: [stale!] }, config, 8), { _tag: "end", kind: stale! })
    // Other requests for written disks leave its guest's place alone.
    assert.deepStrictEqual(told(remembered(second, { ...one, layers: [file("three")] }, config, 9))[0], "1 undefined 9")
    assert.deepStrictEqual(told(expecting(second, "w", undefined, config, 9)).slice(1), [
      "1 undefined -Infinity",
      "1 undefined -Infinity"
    ])
  })

  it("is expected no more once it was asked for, and a pool with one member per kind expects nothing", () => {
    const demands = remembered(expecting(new Map(), "w", two, config, 5), linked(two), config, 9)
    assert.deepStrictEqual(told(demands), ["1 undefined -Infinity", "2 undefined 9"])
    assert.isUndefined(expectedFor(demands, two))
    assert.strictEqual(expecting(new Map(), "w", two, { ...config, membersPerKind: 1 }, 5).size, 0)
  })
})
