import { assert, describe, it } from "vitest"
import type { DriverName, RestoreRequest } from "../../../../../src/lib/vm/model/guest.ts"
import { kindOf } from "../../../../../src/lib/vm/pool/members.ts"
import { type PoolConfig, remembered } from "../../../../../src/lib/vm/pool/policy.ts"

const image = (name: string) => ({ digest: name, path: `/${name}`, virtualBytes: 512 })

const request = (driver?: DriverName) =>
  ({
    driver,
    images: { environment: { digest: "e" }, kernel: { digest: "k" } },
    vcpuCount: 1,
    memoryMib: 256,
    placeholder: image("empty"),
    seed: image("empty")
  }) as unknown as RestoreRequest

describe("kinds of a pool's members", () => {
  it("members of two drivers are of two kinds, with and without a mounted seed", () => {
    const mounted = image("a") as never
    const kinds = [
      kindOf(request("qemu"), undefined),
      kindOf(request("firecracker"), undefined),
      kindOf(request("qemu"), mounted),
      kindOf(request("firecracker"), mounted)
    ]
    assert.strictEqual(new Set(kinds).size, kinds.length)
  })

  it("a request without a driver is of QEMU's kind", () => {
    assert.strictEqual(kindOf(request(), undefined), kindOf(request("qemu"), undefined))
  })

  it("a request demands members of its own driver only, and those of the other stay in demand", () => {
    const config: PoolConfig = {
      membersPerKind: 1,
      memoryMib: 1024,
      idleMs: 1000,
      quietMs: 10,
      aheadMs: 50,
      retryMs: 100
    }
    const first = remembered(new Map(), request("firecracker"), config, 5)
    assert.deepStrictEqual([...first.values()].map((wanted) => wanted.request.driver), ["firecracker"])
    const both = remembered(first, request(), config, 7)
    assert.deepStrictEqual([...both.values()].map((wanted) => wanted.request.driver), ["firecracker", undefined])
    assert.deepStrictEqual([...both.values()].map(({ askedAtMs }) => askedAtMs), [5, 7])
  })
})
