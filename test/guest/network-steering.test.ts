import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, type Scope, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { Calls, NetworkMode } from "../../src/lib/guest-channel/model/calls.ts"
import type { ConnectRequest } from "../../src/lib/guest-channel/model/network.ts"
import { frozenIn } from "../../src/lib/vm/model/machine.ts"
import { Vmm } from "../../src/lib/vm/Vmm.ts"
import { renew } from "../../src/workspace/life/snapshot/restore.ts"
import { acquireTestWorkspace, basics, finish, guestServices, script } from "../support/guest.ts"
import { accept, networkRequests } from "../support/network/guest-requests.ts"

const resolver = Calls.writeSmall({
  path: "/etc/resolv.conf",
  mode: 0o644,
  content: Buffer.from("nameserver 198.18.0.2\n")
})

const networkOn = (channel: GuestChannel) => channel.chain([resolver, Calls.network({ mode: NetworkMode.on })])

/** Answers look-ups of every name but `denied`, and hands connections to `connect`. */
const serve = (
  channel: GuestChannel,
  connect: (request: ConnectRequest) => Effect.Effect<unknown, unknown, Scope.Scope>
) =>
  Stream.runForEach(networkRequests(channel), (request) =>
    request._tag === "Resolve"
      ? request.answer({ _tag: request.name === "denied" ? "NoSuchName" : "Address" })
      : request._tag === "Datagrams"
      ? request.refuse
      : Effect.forkScoped(Effect.scoped(connect(request)))).pipe(Effect.forkScoped)

const echo = (request: ConnectRequest) =>
  Effect.flatMap(accept(request), (socket) => Stream.runForEach(socket.received, (bytes) => socket.write(bytes)))

const shell = (channel: GuestChannel, text: string) =>
  Effect.scoped(Effect.flatMap(channel.spawn(script(text)), finish)).pipe(
    Effect.map(({ stderr, stdout }) => (stdout + stderr).trim())
  )

/** Says one line to a name or address and prints the line that comes back. */
const say = (host: string, port: number, line: string) =>
  `exec bash -c 'exec 3<>/dev/tcp/${host}/${port} && echo ${line} >&3 && head -1 <&3'`

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-network-"))),
  (folder) => Effect.promise(() => fs.promises.rm(folder, { recursive: true, force: true }))
)

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("the network of a microVM", (it) => {
  it.effect("a program connects by name once the network is on, and has no route before and after", () =>
    Effect.gen(function*() {
      const workspace = yield* acquireTestWorkspace()
      yield* workspace.ready
      const { channel } = workspace.guest
      const asked: Array<string> = []
      yield* serve(channel, (request) => {
        asked.push(`${request.name}:${request.port}`)
        return request.port === 443 ? echo(request) : request.refuse
      })
      assert.include(yield* shell(channel, say("1.2.3.4", 443, "x")), "Network is unreachable")
      yield* networkOn(channel)
      assert.strictEqual(yield* shell(channel, say("example.com", 443, "hello")), "hello")
      assert.strictEqual(yield* shell(channel, say("2001:db8::1", 443, "six")), "six")
      assert.include(yield* shell(channel, say("example.com", 80, "x")), "Connection refused")
      assert.include(yield* shell(channel, say("denied", 80, "x")), "Name or service not known")
      assert.deepStrictEqual(asked, ["example.com:443", "undefined:443", "example.com:80"])
      yield* channel.call.network({ mode: NetworkMode.off })
      assert.include(yield* shell(channel, say("1.2.3.4", 443, "x")), "Network is unreachable")
    }))

  it.effect("a copy of a running VM resets the connections of its origin and makes new ones", () =>
    Effect.gen(function*() {
      const { images, placeholder } = yield* basics
      const frozen = frozenIn(yield* temporary)
      const parent = yield* acquireTestWorkspace()
      yield* parent.ready
      const { channel } = parent.guest
      yield* networkOn(channel)
      yield* serve(channel, echo)
      const address = yield* shell(channel, "getent ahostsv4 example.com | head -1 | cut -d' ' -f1")
      // It says a line when it is told to, and prints how its connection has gone on.
      const talking = yield* channel.spawn(script(
        "exec bash -c 'exec 3<>/dev/tcp/example.com/443; touch /dev/shm/open; " +
          "until [ -e /dev/shm/go ]; do sleep 0.05; done; echo late >&3; head -1 <&3'"
      ))
      yield* shell(channel, "until [ -e /dev/shm/open ]; do sleep 0.05; done")
      const { layers } = yield* parent.guest.vm.capture(channel, { frozen, memoryUid: process.getuid?.() ?? 0 })

      const vmm = yield* Vmm
      const spec = parent.guest.vm.spec
      const reserved = yield* vmm.reserve({ purpose: "run", spec, images, seed: placeholder, dieWithParent: true })
      yield* vmm.admit([reserved])
      yield* reserved.fill(frozen.memoryPath)
      const copy = yield* reserved.restore({ statePath: frozen.statePath, disk: { seed: placeholder, layers } })
      yield* renew(copy, "copy")
      yield* serve(copy.channel, echo)
      const inCopy = yield* copy.channel.adopt(talking.id)
      const copied = yield* Effect.forkChild(inCopy._tag === "Some" ? finish(inCopy.value) : Effect.die("gone"))
      for (const one of [copy.channel, channel]) yield* shell(one, "touch /dev/shm/go")
      assert.strictEqual((yield* finish(talking)).stdout, "late\n")
      const { stderr, stdout } = yield* Fiber.join(copied)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /Connection reset by peer|Broken pipe/)
      assert.strictEqual(yield* shell(copy.channel, say("example.org", 443, "copy")), "copy")
      assert.strictEqual(yield* shell(copy.channel, say(address, 443, "same")), "same")
      assert.strictEqual(yield* shell(channel, say("example.com", 443, "origin")), "origin")
    }))
})
