import { assert, layer } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import { newGuestIdentity } from "../../src/lib/vm/model/guest-steps.ts"
import type { RestoredGuest, RestoreRequest } from "../../src/lib/vm/model/guest.ts"
import { listVmIds } from "../../src/lib/vm/model/record.ts"
import { Pool } from "../../src/lib/vm/Pool.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { isAlive, type ProcessIdentity } from "../../src/system/processes/identity.ts"
import { basics, diskMib, finish, guestServices, script } from "../support/guest.ts"
import { lapse } from "../support/until.ts"
import { claim, ran, requestFor, taken, temporary } from "../support/vm/pool-guests.ts"
import { recordOf } from "../support/vm/vm-on-host.ts"

const membersPerKind = 2
const services = Pool.layer({ membersPerKind, quietMs: 0 }).pipe(Layer.provideMerge(guestServices))

const copyOf = (image: string) =>
  Effect.map(temporary, (folder) => {
    const copy = path.join(folder, "copy")
    execFileSync("cp", ["--sparse=always", image, copy])
    return copy
  })

/** A seed with a file in it that no other has, and the file's digest. */
const seeded = Effect.gen(function*() {
  const folder = yield* temporary
  const content = randomBytes(5_000_000)
  fs.writeFileSync(path.join(folder, "data"), content)
  const { image } = yield* (yield* SeedImages).fromPath({ path: folder, virtualMib: diskMib })
  return { image, digest: createHash("sha256").update(content).digest("hex") }
})

/** Asks once, so that the pool knows what is wanted, and waits until it has it. */
const warm = (request: RestoreRequest) =>
  Effect.gen(function*() {
    const pool = yield* Pool
    yield* pool.empty
    yield* Effect.scoped(pool.take(request))
    yield* pool.settled
    assert.strictEqual((yield* pool.status).members, membersPerKind)
    return pool
  })

layer(services, { excludeTestServices: true, timeout: "10 minutes" })("the warm pool", (it) => {
  it.effect("two pool members have different identities and separate disks", () =>
    Effect.gen(function*() {
      const seeds = yield* Effect.all([seeded, seeded])
      const pool = yield* warm(yield* requestFor({ seed: seeds[0].image }))
      const identities = yield* Effect.forEach(seeds, ({ digest, image }, index) =>
        Effect.gen(function*() {
          const guest = yield* taken(pool, yield* requestFor({ seed: image }))
          assert.strictEqual((yield* recordOf(guest.vm)).purpose, "run")
          const printed = yield* claim(
            guest,
            "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum < data; ls -A; echo mine > new; sync; " +
              "echo 3 > /proc/sys/vm/drop_caches; cat new; sha256sum /usr/bin/bash | wc -l; " +
              "head -c 16 /dev/urandom | od -An -tx1; cat /etc/machine-id /proc/sys/kernel/random/boot_id; dmesg | grep -ci 'ext4.*error' || true"
          )
          const [hash, listed, mine, bash, random, machineId, bootId, errors] = printed.replace("\n ", "\n").split("\n")
          assert.deepStrictEqual(
            [hash, listed, mine, bash, errors],
            [`${digest}  -`, "data", "mine", "1", "0"],
            `${index}`
          )
          return { random, machineId, bootId }
        }))
      for (const field of ["random", "machineId", "bootId"] as const) {
        assert.strictEqual(new Set(identities.map((identity) => identity[field])).size, 2, field)
      }
    }))

  it.effect("a pool member shows no trace of its preparation and equals a restored guest", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const request = yield* requestFor({ seed: placeholder })
      // The same seed as another file is one that nothing is known of.
      const other = { ...request, seed: { ...placeholder, path: yield* copyOf(placeholder.path) } }
      const pool = yield* warm(request)
      const look = "sort /proc/mounts; find /run /tmp /var/tmp /workspace /dev/shm / -xdev -maxdepth 1 | sort; " +
        "find /run /workspace /root /etc -newer /proc/sys/kernel/ostype 2>/dev/null | sort | grep -v '^/run/pyro'; " +
        "cat /run/pyro/hostname /etc/hostname; hostname; grep -c . /proc/swaps; for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done > /tmp/all 2>/dev/null; sort -u /tmp/all; " +
        "find /sys/fs/cgroup -name cgroup.procs | wc -l; cat /proc/fs/ext4/*/options | wc -l; ls /proc/fs/ext4"
      const vmm = yield* Vmm
      const looked = (isMounted: boolean, acquire: Effect.Effect<RestoredGuest, unknown, Scope.Scope>) =>
        Effect.flatMap(acquire, (guest) => {
          assert.strictEqual(guest.isMounted, isMounted)
          // From the second command on there is a process for the next one, in a member as well.
          return Effect.andThen(claim(guest, "true"), ran(guest, look))
        })
      const fresh = yield* looked(false, vmm.restore(other))
      assert.strictEqual(yield* looked(true, vmm.restore(request)), fresh)
      assert.strictEqual(yield* looked(true, taken(pool, request)), fresh)
      yield* warm(other)
      assert.strictEqual(yield* looked(false, taken(pool, other)), fresh)
    }))

  it.effect("a pool member's first command runs in a waiting process that shares nothing with the agent", () =>
    Effect.gen(function*() {
      const { image } = yield* seeded
      const { placeholder } = yield* basics
      const look = "awk '{ print $22 }' /proc/$$/stat; cat /proc/uptime; pwd; stat -c %d:%i / /proc/1/root/"
      for (const seed of [placeholder, image]) {
        const request = yield* requestFor({ seed })
        const pool = yield* warm(request)
        const guest = yield* taken(pool, request)
        yield* lapse(400)
        const [startedTicks, uptime, directory, root, rootOfAgent] = (yield* claim(guest, look)).split("\n")
        assert.isAbove(Number.parseFloat(uptime!) * 1000 - Number(startedTicks) * 10, 300)
        assert.deepStrictEqual([directory, root], ["/workspace", rootOfAgent])
        const other = yield* taken(pool, request)
        const chroot = { ...script(""), argv: ["chroot", "/usr", "/bin/true"] } as const
        const steps = other.vm.steps.claim(newGuestIdentity("test"), { isMounted: other.isMounted })
        const { exit } = yield* Effect.scoped(Effect.flatMap(other.channel.spawnAfter(steps, chroot), finish))
        assert.strictEqual(exit.code, 0)
        assert.strictEqual(yield* ran(other, "pwd; ls -d /usr/bin"), "/workspace\n/usr/bin\n")
      }
    }))

  it.effect("the pool has a member with the last used seed mounted, and with no other", () =>
    Effect.gen(function*() {
      const [first, second] = yield* Effect.all([seeded, seeded])
      const request = yield* requestFor({ seed: first.image })
      const again = { ...request, seedImage: first.image }
      const pool = yield* warm(again)
      const look =
        "sha256sum < data; ls -A; sort /proc/mounts; cat /proc/fs/ext4/*/options | wc -l; ls /proc/fs/ext4; " +
        "find / -xdev -newer /proc/sys/kernel/ostype 2>/dev/null | sort | grep -v '^/run/pyro'; " +
        "echo mine > data; sync; echo 3 > /proc/sys/vm/drop_caches; cat data; dmesg | grep -ci 'ext4.*error' || true"
      const fresh = yield* claim(yield* (yield* Vmm).restore(request), look)
      assert.include(fresh, `${first.digest}  -\ndata\n`)
      const guests = [yield* taken(pool, again), yield* taken(pool, again)]
      assert.deepStrictEqual(guests.map(({ isMounted }) => isMounted), [true, false])
      for (const guest of guests) assert.strictEqual(yield* claim(guest, look), fresh)
      // Another project: one of its own, and none of the first any more.
      yield* Effect.scoped(pool.take({ ...request, seed: second.image, seedImage: second.image }))
      yield* pool.settled
      assert.strictEqual((yield* pool.status).members, membersPerKind)
      assert.isFalse((yield* taken(pool, request)).isMounted)
      const other = yield* taken(pool, { ...request, seed: second.image })
      assert.isTrue(other.isMounted)
      assert.strictEqual(yield* claim(other, "sha256sum < data"), `${second.digest}  -\n`)
    }))

  it.effect("a pool member with another disk mounted serves a request if no other waits", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const { digest, image } = yield* seeded
      const request = yield* requestFor({ seed: placeholder })
      const other = { ...request, seed: image }
      const look =
        "sha256sum < data; ls -A; sort /proc/mounts; cat /proc/fs/ext4/*/options | wc -l; ls /proc/fs/ext4; " +
        "find / -xdev -newer /proc/sys/kernel/ostype 2>/dev/null | sort | grep -v '^/run/pyro'; " +
        "echo mine > data; sync; echo 3 > /proc/sys/vm/drop_caches; cat data; dmesg | grep -ci 'ext4.*error' || true"
      const fresh = yield* claim(yield* (yield* Vmm).restore(other), look)
      assert.include(fresh, `${digest}  -\ndata\n`)
      const pool = yield* warm(request)
      const guest = yield* taken(pool, other)
      assert.isFalse(guest.isMounted)
      assert.strictEqual((yield* recordOf(guest.vm)).purpose, "run")
      assert.strictEqual(yield* claim(guest, look), fresh)
    }))

  it.effect("a dead pool member is replaced and never used", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const request = yield* requestFor({ seed: placeholder })
      const pool = yield* warm(request)
      const { stateDir } = yield* Paths
      for (const id of listVmIds(stateDir)) {
        const record = JSON.parse(fs.readFileSync(path.join(stateDir, "vms", id, "record.json"), "utf8")) as {
          readonly purpose: string
          readonly qemu: ProcessIdentity
        }
        if (record.purpose !== "pool") continue
        process.kill(record.qemu.pid, "SIGKILL")
        // The first process of a pid namespace is killed before the others in it, and QEMU is one of those. Waited for without
        // letting the pool see that they are gone.
        while (isAlive(record.qemu)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      }
      const guest = yield* pool.acquire(request)
      assert.strictEqual(yield* claim(guest, "echo works"), "works\n")
      yield* pool.settled
      assert.strictEqual((yield* pool.status).members, membersPerKind)
      assert.strictEqual(yield* claim(yield* taken(pool, request), "echo works too"), "works too\n")
    }))

  it.effect("the pool has no members for other disk sizes, and an emptied pool leaves nothing", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const request = yield* requestFor({ seed: placeholder })
      const pool = yield* warm(request)
      const other = { ...request, memoryMib: 257 }
      assert.strictEqual((yield* Effect.scoped(pool.take(other)))._tag, "None")
      yield* pool.empty
      yield* pool.settled
      assert.deepStrictEqual(yield* pool.status, { members: 0, memoryMib: 0 })
      // Also where a member was being made.
      yield* Effect.scoped(pool.take(request))
      yield* lapse(300)
      yield* pool.empty
      yield* pool.settled
      assert.deepStrictEqual(yield* pool.status, { members: 0, memoryMib: 0 })
      const { memoryDir, stateDir } = yield* Paths
      assert.deepStrictEqual([listVmIds(stateDir), fs.readdirSync(memoryDir)], [[], []])
    }))

  it.effect("a VM from the pool survives the pool's process and starts its first command faster than a restored one", () =>
    Effect.gen(function*() {
      const { placeholder } = yield* basics
      const request = yield* requestFor({ seed: placeholder, purpose: "workspace" })
      const pool = yield* warm(request)
      const vmm = yield* Vmm
      const timed = (acquire: Effect.Effect<RestoredGuest, unknown, Scope.Scope>) =>
        Effect.scoped(Effect.gen(function*() {
          const since = performance.now()
          yield* claim(yield* acquire, "true")
          return performance.now() - since
        }))
      const times = (acquire: Effect.Effect<RestoredGuest, unknown, Scope.Scope>) =>
        Effect.forEach([1, 2, 3], () => Effect.tap(timed(acquire), () => pool.settled)).pipe(
          Effect.map((all) => [...all].sort((a, b) => a - b))
        )
      const warmed = yield* times(taken(pool, request))
      const cold = yield* times(vmm.restore(request))
      const shown = (all: ReadonlyArray<number>) => all.map((ms) => ms.toFixed(0)).join(" ")
      process.stdout.write(`to the first command's end: pool ${shown(warmed)} ms, restored ${shown(cold)} ms\n`)
      assert.isBelow(warmed[1]!, cold[1]! / 2)

      const { id, qemu } = yield* Effect.scoped(Effect.gen(function*() {
        const guest = yield* taken(pool, request)
        yield* claim(guest, "echo kept > f; sync")
        yield* guest.vm.leave
        return { id: guest.vm.id, qemu: guest.vm.process }
      }))
      yield* pool.empty
      assert.isTrue(isAlive(qemu))
      const guest = yield* vmm.attach(id)
      const printed = yield* Effect.scoped(Effect.flatMap(guest.channel.spawn(script("cat f")), finish))
      assert.strictEqual(printed.stdout, "kept\n")
    }))
})
