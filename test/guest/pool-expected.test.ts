import { afterAll, assert, layer } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Pool } from "../../src/lib/vm/Pool.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { guestServices, makeTestDisk } from "../support/guest.ts"
import { type DaemonInfo, installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { claim, ran, requestFor, taken, temporary } from "../support/vm/pool-guests.ts"

const services = Pool.layer({ membersPerKind: 2, quietMs: 0, aheadMs: 0 }).pipe(Layer.provideMerge(guestServices))

/** A disk that a guest has written, frozen: gives another disk on its layer, under a name of its own, each time. */
const written = (text: string) =>
  Effect.gen(function*() {
    const folder = yield* temporary
    const { freeze, top } = yield* makeTestDisk(path.join(folder, "disk"))
    const request = yield* requestFor({ top })
    yield* Effect.scoped(Effect.gen(function*() {
      const guest = yield* (yield* Vmm).restore(request)
      yield* claim(guest, `${text}; sync`)
    }))
    const { copyTo } = yield* freeze
    let copies = 0
    return Effect.suspend(() => Effect.flatMap(copyTo(path.join(folder, `copy-${copies++}`)), requestFor))
  })

/** Leaves a trace on the disk if it runs. */
const infected =
  "mv /usr/bin/bash /usr/bin/bash.own; printf '#!/bin/sh\\ntouch /workspace/ran\\n' > /usr/bin/bash; chmod 755 /usr/bin/bash"

layer(services, { excludeTestServices: true, timeout: "10 minutes" })("a guest for a disk that is expected", (it) => {
  it.effect("has the disk mounted, and has run nothing of it", () =>
    Effect.gen(function*() {
      const next = yield* written(`echo mine > f; ${infected}`)
      const pool = yield* Pool
      // The disk of an expectation has no top: any new one fits.
      const { top: _, ...expected } = yield* next
      yield* pool.expect("one", Option.some(expected))
      yield* pool.settled
      assert.strictEqual((yield* pool.status).members, 1)
      const request = yield* next
      const top = request.top!
      const look =
        "sort /proc/mounts; cat f; ls -A; cat /proc/fs/ext4/*/options | wc -l; dmesg | grep -ci 'ext4.*error' || true"
      const fresh = yield* claim(yield* (yield* Vmm).restore(yield* next), look)
      yield* Effect.scoped(Effect.gen(function*() {
        const guest = yield* taken(pool, request)
        assert.isTrue(guest.isMounted)
        assert.strictEqual(yield* claim(guest, look), fresh)
        assert.strictEqual(yield* ran(guest, "echo more > g; sync; cat f g"), "mine\nmore\n")
      }))
      // What the guest wrote is in the requested top.
      const again = yield* (yield* Vmm).restore({ ...request, top })
      assert.strictEqual(yield* claim(again, "ls -A; cat g"), "f\ng\nmore\n")
    }))

  it.effect("serves only a request for exactly that disk, and ends with the expectation", () =>
    Effect.gen(function*() {
      const [next, other] = [yield* written("echo one > f"), yield* written("echo two > f")]
      const pool = yield* Pool
      yield* pool.empty
      yield* pool.expect("one", Option.some(yield* next))
      yield* pool.settled
      assert.strictEqual((yield* pool.status).members, 1)
      // Another disk, other sizes, a disk that has more: none of them gets it, and nothing else waits.
      assert.strictEqual((yield* Effect.scoped(pool.take(yield* other)))._tag, "None")
      assert.strictEqual((yield* Effect.scoped(pool.take({ ...(yield* next), memoryMib: 257 })))._tag, "None")
      const request = yield* next
      fs.truncateSync(request.top!, fs.statSync(request.top!).size + 65_536)
      assert.strictEqual((yield* Effect.scoped(pool.take(request)))._tag, "None")
      yield* pool.settled
      // Expected again, it stays; another disk takes its place.
      const before = (yield* pool.status).members
      yield* pool.expect("one", Option.some(yield* next))
      yield* pool.settled
      assert.strictEqual((yield* pool.status).members, before)
      yield* pool.expect("one", Option.some(yield* other))
      yield* pool.settled
      yield* Effect.scoped(Effect.gen(function*() {
        assert.isFalse((yield* taken(pool, yield* next)).isMounted)
        const guest = yield* taken(pool, yield* other)
        assert.isTrue(guest.isMounted)
        assert.strictEqual(yield* claim(guest, "cat f"), "two\n")
      }))
      yield* pool.empty
      yield* pool.expect("one", Option.some(yield* next))
      yield* pool.settled
      yield* pool.expect("one", Option.none())
      yield* pool.settled
      assert.deepStrictEqual(yield* pool.status, { members: 0, memoryMib: 0 })
    }))
})

const pyro = installation("pyro-expected-", {
  env: { PYRO_POOL_MEMBERS: "2", PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" }
})
afterAll(() => pyro.close())

layer(Layer.empty, { excludeTestServices: true, timeout: "10 minutes" })("the next rewind of a workspace", (it) => {
  const { create, json, sh, state } = pyro
  /** None of a VM that has ended since the daemon named it. */
  const filesOf = (vm: string) => {
    const folder = path.join(state, "vms", vm, "in")
    return fs.existsSync(folder) ? fs.readdirSync(folder) : []
  }
  /** VMs of the pool that have frozen layers of a disk. */
  const ready = async () =>
    (await json<DaemonInfo>(["daemon", "status"])).vms.filter(({ id, purpose }) =>
      purpose === "pool" && filesOf(id).some((name) => name.endsWith(".qcow2"))
    ).map(({ id }) => id)
  const oneReady = async () => {
    await until("a guest for the next rewind", async () => (await ready()).length === 1)
    return (await ready())[0]!
  }

  it.effect("goes to a guest that waits for it, once the workspace went back before", () =>
    Effect.promise(async () => {
      const { id } = await create(["--name", "w"])
      const vm = () =>
        (JSON.parse(fs.readFileSync(path.join(state, "workspaces", id, "record.json"), "utf8")) as {
          readonly vm: string
        }).vm
      await sh("w", "echo 1 > f")
      await sh("w", "echo 2 > f")
      await json(["rewind", "w"])
      assert.strictEqual(await sh("w", "cat f"), "1")
      for (const number of [3, 4]) {
        await sh("w", `echo ${number} > f`)
        const waits = await oneReady()
        await json(["rewind", "w"])
        assert.strictEqual(vm(), waits)
        assert.strictEqual(await sh("w", "cat f"), "1")
      }
      await oneReady()
      await json(["stop", "w"])
      await until("the end of the guest", async () => (await ready()).length === 0)
      await json(["start", "w"])
      assert.strictEqual(await sh("w", "cat f"), "1")
    }))

  it.effect("a file that is written between a rewind and the next command is in the point before that command", () =>
    Effect.promise(async () => {
      await sh("w", "echo 5 > f")
      await json(["rewind", "w"])
      await json(["file", "write", "w", "g", "--text", "written"])
      await sh("w", "rm f g")
      await json(["rewind", "w"])
      assert.strictEqual(await sh("w", "cat f g"), "1\nwritten")
    }))
})
