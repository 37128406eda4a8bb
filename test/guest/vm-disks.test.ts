import { assert, layer } from "@effect/vitest"
import { Effect, Schedule, Stream } from "effect"
import * as fs from "node:fs"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import type { Vm } from "../../src/lib/vm/model/Vm.ts"
import { driverOf } from "../../src/workspace/life/guest/driver.ts"
import { acquireTestWorkspace, basics, diskMib, finish, guestServices, script } from "../support/guest.ts"
import { filesOf, recordOf } from "../support/vm/vm-on-host.ts"

/** QEMU closes its old images in the background, and their files go with them. */
const hasOneOverlay = (vm: Vm) =>
  Effect.gen(function*() {
    const { run } = yield* filesOf(vm)
    const overlays = () => fs.readdirSync(run).filter((name) => name.endsWith(".qcow2"))
    yield* Effect.sync(overlays).pipe(
      Effect.repeat({ until: ({ length }) => length === 1, schedule: Schedule.spaced("10 millis") }),
      Effect.timeout("60 seconds")
    )
    assert.deepStrictEqual(overlays().map((name) => `run/${name}`), [...(yield* recordOf(vm)).disks!.disks.overlays])
  })

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("disks of a running VM", (it) => {
  it.effect("disks are switched under a VM that has none mounted", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const { image: seed } = yield* (yield* SeedImages).fromPath({ path: import.meta.dirname, virtualMib: diskMib })
      const workspace = yield* acquireTestWorkspace({ seed })
      const { vm } = workspace.guest
      yield* vm.pause
      yield* vm.disks.switchTo({ seed: placeholder })
      yield* vm.resume
      if ((yield* driverOf({})) === "qemu") yield* hasOneOverlay(vm)
      const { exit, stdout } = yield* Effect.flatMap(
        workspace.claim(
          script("ls; echo kept > f; sync; echo 3 > /proc/sys/vm/drop_caches; cat f; sha256sum /usr/bin/bash | wc -l")
        ),
        finish
      )
      assert.deepStrictEqual({ exit: exit.code, stdout }, { exit: 0, stdout: "kept\n1\n" })
    }))

  it.effect("a device is read only on request, and from any place", () =>
    Effect.gen(function*() {
      const { guest: { channel } } = yield* acquireTestWorkspace()
      const environment = { root: "", path: "/dev/vda" } as const
      const refused = yield* Effect.flip(Stream.runDrain(channel.read(environment)))
      assert.deepStrictEqual([refused._tag, "errno" in refused && refused.errno], ["AgentCallFailed", "EINVAL"])
      // The superblock of EROFS begins with its magic number.
      const superblock = yield* Stream.runCollect(
        channel.read({ ...environment, offset: 1_024, limit: 4, device: true })
      )
      assert.strictEqual(Buffer.concat([...superblock]).toString("hex"), "e2e1f5e0")
    }))
})
