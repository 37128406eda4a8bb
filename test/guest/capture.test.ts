import { assert, layer } from "@effect/vitest"
import { Effect, Option, Result, Schedule, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { WorkspaceDisk } from "../../src/lib/disk/workspace-disk.ts"
import { Calls } from "../../src/lib/guest-channel/model/calls.ts"
import { newGuestIdentity } from "../../src/lib/vm/model/guest-steps.ts"
import { type Frozen, frozenIn } from "../../src/lib/vm/model/machine.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import type { FreshWorkspace } from "../../src/workspace/life/guest/boot.ts"
import { driverOf } from "../../src/workspace/life/guest/driver.ts"
import { renew } from "../../src/workspace/life/snapshot/restore.ts"
import { acquireTestWorkspace, basics, finish, guestServices, makeTestDisk, script } from "../support/guest.ts"
import { filesOf } from "../support/vm/vm-on-host.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-capture-"))),
  (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
)

/** Names beneath `run` that a capture needs, and that a killed one leaves. */
const LEFT = { qemu: "m", firecracker: "captured.mem" } as const

/** A VM that continues from the captured memory of another one. Its programs are stopped. */
const copyOf = (parent: FreshWorkspace, frozen: Frozen, disk: WorkspaceDisk) =>
  Effect.gen(function*() {
    const { images, placeholder } = yield* basics
    const vmm = yield* Vmm
    const reserved = yield* vmm.reserve({
      purpose: "run",
      spec: parent.guest.vm.spec,
      images,
      seed: placeholder,
      dieWithParent: true
    })
    yield* vmm.admit([reserved])
    yield* reserved.fill(frozen.memoryPath)
    return yield* reserved.restore({ statePath: frozen.statePath, disk })
  })

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("capture of a running VM", (it) => {
  it.effect("a captured VM goes on, and two VMs restored from the capture have separate memory and disks", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const disk = yield* makeTestDisk(path.join(folder, "disk"))
      const parent = yield* acquireTestWorkspace({ top: disk.top })
      // A process that is alive at the capture, with something only its memory knows.
      const counting = yield* parent.claim(script(
        "secret=$(cat /proc/sys/kernel/random/uuid); echo $secret > /dev/shm/secret; echo before > /workspace/file; sync; " +
          "while [ ! -e /workspace/go ]; do sleep 0.05; done; echo $secret"
      ))
      yield* parent.guest.channel.spawn(script("until [ -s /workspace/file ]; do sleep 0.05; done")).pipe(
        Effect.flatMap(finish),
        Effect.scoped
      )
      const frozen = frozenIn(folder)
      // What a capture that was killed has left.
      fs.writeFileSync(path.join((yield* filesOf(parent.guest.vm)).run, LEFT[yield* driverOf({})]), "")
      const { copyTo, top } = yield* disk.freeze
      const { pauseMs } = yield* parent.guest.vm.capture(parent.guest.channel, {
        top,
        frozen,
        memoryUid: process.getuid?.() ?? 0
      })
      assert.isAbove(pauseMs, 0)

      const shell = (channel: typeof parent.guest.channel, text: string) =>
        Effect.scoped(Effect.flatMap(channel.spawn(script(text)), finish)).pipe(
          Effect.map(({ stdout }) => stdout.trim())
        )
      const child = (name: string) =>
        Effect.gen(function*() {
          const guest = yield* copyOf(parent, frozen, yield* copyTo(path.join(folder, name)))
          const { renewal, startPrograms } = guest.vm.steps
          yield* guest.channel.chain([...renewal(newGuestIdentity(name), undefined), ...startPrograms])
          return guest
        })
      const [one, other] = yield* Effect.all([child("one"), child("other")])

      // Each sees the moment of the capture, with caches dropped: every layer of the chain is there.
      for (const guest of [one, other]) {
        yield* guest.channel.call.sync({ dropCaches: 1 })
        assert.strictEqual(yield* shell(guest.channel, "cat file"), "before")
      }
      // What one does the others do not see.
      yield* shell(parent.guest.channel, "echo parent > file; echo parent > /dev/shm/page; sync")
      yield* shell(one.channel, "echo one > file; echo one > /dev/shm/page; sync")
      assert.strictEqual(yield* shell(other.channel, "cat file; cat /dev/shm/page 2>/dev/null"), "before")
      assert.strictEqual(yield* shell(one.channel, "cat file /dev/shm/page"), "one\none")
      assert.strictEqual(yield* shell(parent.guest.channel, "cat file /dev/shm/page"), "parent\nparent")
      // Siblings do not share their randomness.
      const random = "head -c 16 /dev/urandom | od -An -tx1"
      assert.notStrictEqual(yield* shell(one.channel, random), yield* shell(other.channel, random))
      // The process of the capture runs in all three, and still knows its secret.
      const secret = yield* shell(parent.guest.channel, "cat /dev/shm/secret")
      yield* shell(parent.guest.channel, "touch go")
      assert.strictEqual((yield* finish(counting)).stdout.trim(), secret)
      for (const guest of [one, other]) {
        const adopted = yield* guest.channel.adopt(counting.id)
        assert.strictEqual(adopted._tag, "Some")
        yield* shell(guest.channel, "touch go")
        if (adopted._tag === "Some") assert.strictEqual((yield* finish(adopted.value)).stdout.trim(), secret)
      }
    }))

  it.effect("no program runs in a copy that cannot be renewed", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const frozen = frozenIn(folder)
      const disk = yield* makeTestDisk(path.join(folder, "disk"))
      const parent = yield* acquireTestWorkspace({ top: disk.top })
      const { channel } = parent.guest
      yield* parent.claim(
        script(
          "n=0; while true; do n=$((n+1)); echo $n > /dev/shm/n.new; mv /dev/shm/n.new /dev/shm/n; sleep 0.01; done"
        )
      )
      const count = (guest: typeof channel) =>
        guest.read({ root: "/dev/shm", path: "n" }).pipe(
          Stream.runCollect,
          Effect.map((chunks) => Number(Buffer.concat(chunks).toString()))
        )
      yield* Effect.retry(count(channel), { times: 3_000, schedule: Schedule.spaced("20 millis") })
      yield* channel.call.failNext({ op: Calls.reseed.op })
      const { copyTo, top } = yield* disk.freeze
      yield* parent.guest.vm.capture(parent.guest.channel, {
        top,
        frozen,
        memoryUid: process.getuid?.() ?? 0
      })
      const copy = yield* copyOf(parent, frozen, yield* copyTo(path.join(folder, "copy")))
      const at = yield* count(copy.channel)
      const failure = yield* Effect.flip(renew(copy, "copy"))
      assert.deepStrictEqual([failure._tag, "step" in failure && failure.step], ["VmFailed", "renew"])
      // The original goes on meanwhile, and the copy does not.
      const before = yield* count(channel)
      yield* Effect.repeat(count(channel), { until: (now) => now > before + 5, schedule: Schedule.spaced("10 millis") })
      assert.strictEqual(yield* count(copy.channel), at)
      // The fault is used up.
      yield* renew(copy, "copy")
      yield* Effect.repeat(count(copy.channel), { until: (now) => now > at, schedule: Schedule.spaced("10 millis") })
    }))

  it.effect("a VM goes on after a capture that is interrupted at any moment", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const disk = yield* makeTestDisk(path.join(folder, "disk"))
      const { claim, guest: { channel, vm } } = yield* acquireTestWorkspace({ top: disk.top })
      yield* finish(yield* claim(script("true")))
      let isWhole = false
      for (let ms = 1; !isWhole; ms += 1 + ms / 50) {
        const frozen = frozenIn(fs.mkdtempSync(path.join(folder, "at-")))
        const captured = yield* Effect.scoped(
          vm.capture(channel, { frozen, memoryUid: process.getuid?.() ?? 0, stays: true }).pipe(
            Effect.timeoutOrElse({ duration: `${ms} millis`, orElse: () => Effect.fail("interrupted" as const) }),
            Effect.tap(({ goOn }) => goOn)
          )
        ).pipe(Effect.result)
        if (Result.isFailure(captured)) assert.strictEqual(captured.failure, "interrupted")
        isWhole = Result.isSuccess(captured)
        const echo = Effect.scoped(Effect.flatMap(channel.spawn(script("echo here")), finish)).pipe(
          Effect.timeoutOption("3 seconds")
        )
        const ran = Option.map(yield* echo, ({ stdout }) => stdout)
        assert.deepStrictEqual(ran, Option.some("here\n"), `interrupted after ${ms} ms`)
      }
    }))
})
