import { assert, describe, it } from "@effect/vitest"
import { loadOrder, readModuleIndex } from "../../../../src/lib/environment/kernel/unpack.ts"

/** As depmod writes it: what must be loaded first stands last. */
const index = readModuleIndex({
  dep: [
    "kernel/drivers/virtio/virtio_ring.ko:",
    "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko",
    "kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko " +
    "kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko",
    "kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko",
    "kernel/net/core/failover.ko:",
    "kernel/fs/some-fs/some-fs.ko:",
    ""
  ].join("\n"),
  builtin: "kernel/fs/ext4/ext4.ko\nkernel/lib/crc16.ko\n"
})

describe("the order of modules", () => {
  it("each module loads once, after all modules that it needs", () => {
    const { missing, order } = loadOrder(index, ["virtio", "virtio_net"])
    assert.deepStrictEqual(missing, [])
    assert.deepStrictEqual(order, [
      "kernel/drivers/virtio/virtio_ring.ko",
      "kernel/drivers/virtio/virtio.ko",
      "kernel/net/core/failover.ko",
      "kernel/drivers/net/net_failover.ko",
      "kernel/drivers/net/virtio_net.ko"
    ])
  })

  it("the load order skips built-in modules and reports missing ones", () => {
    const { missing, order } = loadOrder(index, ["ext4", "no_such_module", "some_fs"])
    assert.deepStrictEqual(missing, ["no_such_module"])
    assert.deepStrictEqual(order, ["kernel/fs/some-fs/some-fs.ko"])
  })
})
