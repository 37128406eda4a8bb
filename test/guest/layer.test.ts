import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { Calls } from "../../src/lib/guest-channel/model/calls.ts"
import { acquireTestWorkspace, finish, guestServices, script } from "../support/guest.ts"

const mib = 1024 * 1024

const inGuest = (channel: GuestChannel, text: string) =>
  Effect.gen(function*() {
    const { exit, stderr, stdout } = yield* Effect.scoped(Effect.flatMap(channel.spawn(script(text)), finish))
    assert.strictEqual(exit.code, 0, `${text}: ${stderr}`)
    return stdout.trim()
  })

/** A claimed workspace, with a function that runs a script in it to its end. */
const workspace = Effect.gen(function*() {
  const { claim, guest: { channel } } = yield* acquireTestWorkspace()
  yield* Effect.flatMap(claim(script("true")), finish)
  return { channel, sh: (text: string) => inGuest(channel, text) }
})

layer(guestServices, { excludeTestServices: true, timeout: 300_000 })(
  "a disk of two raw devices, in a real kernel",
  (it) => {
    it.effect("what is written goes to the store alone, survives the mapping, and zeros follow the seed", () =>
      Effect.gen(function*() {
        const { channel, sh } = yield* workspace
        // Loop devices stand for the disks of a VMM with raw images.
        yield* sh(`
        set -e
        modprobe loop; modprobe dm_snapshot
        head -c ${2 * mib} /dev/zero | tr '\\0' s > /tmp/seed; truncate -s ${8 * mib} /tmp/store
        losetup -r /dev/loop0 /tmp/seed; losetup /dev/loop1 /tmp/store; md5sum /tmp/seed > /tmp/sum`)
        const map = (bytes: number) => channel.request(Calls.layer({ seed: "/dev/loop0", store: "/dev/loop1", bytes }))
        yield* map(4 * mib)
        assert.strictEqual(yield* sh("blockdev --getsize64 /dev/dm-0"), String(4 * mib))
        const looked = `for of in s w; do dd if=/dev/dm-0 bs=64k status=none | tr -cd $of | wc -c; done | tr '\\n' ' '`
        assert.strictEqual(yield* sh(looked), `${2 * mib} 0`)

        yield* sh(`
        set -e
        for at in 0 511 600 1023; do
          head -c 4096 /dev/zero | tr '\\0' w | dd of=/dev/dm-0 bs=4k seek=$at conv=notrunc,fsync status=none
        done`)
        const written = `${2 * mib - 2 * 4096} ${4 * 4096}`
        assert.strictEqual(yield* sh(looked), written)
        assert.strictEqual(yield* sh("md5sum -c /tmp/sum"), "/tmp/seed: OK")

        const busy = yield* Effect.flip(map(4 * mib))
        assert.deepInclude(busy, { _tag: "AgentCallFailed" })
        yield* map(0)
        assert.strictEqual(yield* sh("ls /sys/block | grep -c ^dm- || true"), "0")
        yield* map(4 * mib)
        assert.strictEqual(yield* sh(looked), written)
        yield* map(0)
        // A disk of the seed's own size needs no zeros behind it.
        yield* map(2 * mib)
        assert.strictEqual(yield* sh("blockdev --getsize64 /dev/dm-0; ls /sys/block | grep -c ^dm-"), `${2 * mib}\n1`)
        yield* map(0)
      }))

    it.effect("a device that is missing, or a store that is none, is refused, and leaves nothing mapped", () =>
      Effect.gen(function*() {
        const { channel, sh } = yield* workspace
        yield* sh(`
        set -e
        modprobe loop; modprobe dm_snapshot
        truncate -s 1M /tmp/seed; head -c ${mib} /dev/urandom > /tmp/store
        losetup /dev/loop0 /tmp/seed; losetup /dev/loop1 /tmp/store`)
        for (
          const [seed, store] of [["/dev/none", "/dev/loop1"], ["/dev/loop0", "/dev/none"], [
            "/dev/loop0",
            "/dev/loop1"
          ]]
        ) {
          const failure = yield* Effect.flip(
            channel.request(Calls.layer({ seed: seed!, store: store!, bytes: 2 * mib }))
          )
          assert.deepInclude(failure, { _tag: "AgentCallFailed" })
        }
        assert.strictEqual(yield* sh("ls /sys/block | grep -c ^dm- || true"), "0")
      }))
  }
)
