import { assert, layer } from "@effect/vitest"
import { Effect, Schedule, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { SeedImages } from "../../src/disk/SeedImages.ts"
import { Calls } from "../../src/guest-channel/calls.ts"
import { newGuestIdentity } from "../../src/vm/guest-steps.ts"
import { frozenIn } from "../../src/vm/machine.ts"
import { Vmm } from "../../src/vm/Vmm.ts"
import { renew } from "../../src/workspace/life/snapshot/restore.ts"
import { acquireTestWorkspace, basics, diskMib, finish, guestServices, script } from "../support/guest.ts"
import { filesOf, recordOf } from "../support/vm-on-host.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-capture-"))),
  (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
)

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("capture of a running VM", (it) => {
  it.effect("a captured VM goes on, and two VMs restored from the capture have separate memory and disks", () =>
    Effect.gen(function*() {
      const { images, placeholder } = yield* basics
      const folder = yield* temporary
      const parent = yield* acquireTestWorkspace()
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
      fs.writeFileSync(path.join((yield* filesOf(parent.guest.vm)).run, "m"), "")
      const { layers, pauseMs } = yield* parent.guest.vm.capture(parent.guest.channel, {
        frozen,
        memoryUid: process.getuid?.() ?? 0
      })
      assert.isAbove(pauseMs, 0)

      const shell = (channel: typeof parent.guest.channel, text: string) =>
        Effect.scoped(Effect.flatMap(channel.spawn(script(text)), finish)).pipe(
          Effect.map(({ stdout }) => stdout.trim())
        )
      const vmm = yield* Vmm
      const child = Effect.gen(function*() {
        const reserved = yield* vmm.reserve({
          purpose: "run",
          spec: parent.guest.vm.spec,
          images,
          seed: placeholder,
          dieWithParent: true
        })
        yield* vmm.admit([reserved])
        yield* reserved.fill(frozen.memoryPath)
        const guest = yield* reserved.restore({
          statePath: frozen.statePath,
          disk: { seed: placeholder, layers }
        })
        const { renewal, startPrograms } = guest.vm.steps
        yield* guest.channel.chain([...renewal(newGuestIdentity("child"), undefined), ...startPrograms])
        return guest
      })
      const [one, other] = yield* Effect.all([child, child])

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
      const { images, placeholder } = yield* basics
      const frozen = frozenIn(yield* temporary)
      const parent = yield* acquireTestWorkspace()
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
      const { layers } = yield* parent.guest.vm.capture(parent.guest.channel, {
        frozen,
        memoryUid: process.getuid?.() ?? 0
      })
      const vmm = yield* Vmm
      const reserved = yield* vmm.reserve({
        purpose: "run",
        spec: parent.guest.vm.spec,
        images,
        seed: placeholder,
        dieWithParent: true
      })
      yield* reserved.fill(frozen.memoryPath)
      const copy = yield* reserved.restore({
        statePath: frozen.statePath,
        disk: { seed: placeholder, layers }
      })
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

  it.effect("disks are switched under a VM that has none mounted", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const { image: seed } = yield* (yield* SeedImages).fromPath({ path: import.meta.dirname, virtualMib: diskMib })
      const workspace = yield* acquireTestWorkspace({ seed })
      const { vm } = workspace.guest
      yield* vm.pause
      yield* vm.disks.switchTo({ seed: placeholder })
      yield* vm.resume
      const { run } = yield* filesOf(vm)
      const overlays = () => fs.readdirSync(run).filter((name) => name.endsWith(".qcow2"))
      yield* Effect.sync(overlays).pipe(
        Effect.repeat({ until: ({ length }) => length === 1, schedule: Schedule.spaced("10 millis") }),
        Effect.timeout("60 seconds")
      )
      assert.deepStrictEqual(overlays().map((name) => `run/${name}`), [...(yield* recordOf(vm)).disks!.disks.overlays])
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
