import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { withNetworkAgent } from "./agent.ts"
import { connectedNetwork, echo, js, serve } from "./network.ts"
import { sh } from "./run.ts"

/** A namespace of its own behind a pair of interfaces, as a container has it. */
const container = `set -e
unshare --net sleep 600 & echo $! > $1/container
until [ "$(readlink /proc/$(cat $1/container)/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
pid=$(cat $1/container)
ip link add outer type veth peer name inner
ip link set inner netns $pid
ip addr add 172.17.0.1/16 dev outer
ip -6 addr add fd00:17::1/64 dev outer nodad
ip link set outer up
nsenter --net=/proc/$pid/ns/net sh -ec 'ip link set lo up; ip addr add 172.17.0.2/16 dev inner; ip -6 addr add fd00:17::2/64 dev inner nodad
  ip link set inner up; ip route add default via 172.17.0.1; ip -6 route add default via fd00:17::1'
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding`

withNetworkAgent("containers of the guest", (it) => {
  it.effect("a container connects, looks up, is refused, and keeps its neighbours", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const asked: Array<unknown> = []
      yield* serve(channel, {
        connect: (request) => {
          asked.push([request.name ?? request.address, request.port])
          return request.port === 80 ? echo(request) : request.refuse
        }
      })
      const folder = (yield* sh(channel, "mktemp -d")).stdout.trim()
      const made = yield* sh(channel, `set -- ${folder}; PATH=$PATH:/usr/sbin:/sbin; ${container}`)
      assert.strictEqual(made.stderr, "")
      yield* Effect.addFinalizer(() =>
        Effect.ignore(
          sh(channel, `kill $(cat ${folder}/container); rm -r ${folder}; PATH=$PATH:/usr/sbin ip link del outer`)
        )
      )
      const inside = (script: string) =>
        js(
          channel,
          `const { spawnSync } = require("node:child_process");
           const { stdout, stderr } = spawnSync("nsenter", ["--net=/proc/" + require("fs").readFileSync("${folder}/container", "utf8").trim() + "/ns/net",
             process.execPath, "-e", ${
            JSON.stringify(`const net = require("node:net"), dns = require("node:dns").promises;${script}`)
          }]);
           console.log(String(stdout) + stderr)`
        )
      const talk = (port: number, host: string) =>
        `net.connect(${port}, "${host}", function () { this.end("hello") }).on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))`
      assert.strictEqual(yield* inside(talk(80, "example.com")), "hello")
      assert.strictEqual(yield* inside(talk(80, "2001:db8::1")), "hello")
      assert.strictEqual(yield* inside(talk(81, "1.2.3.4")), "ECONNREFUSED")
      assert.deepStrictEqual(asked, [["example.com", 80], ["2001:db8::1", 80], ["1.2.3.4", 81]])
      // The datagram of a connected socket fails by an ICMP message.
      assert.strictEqual(
        yield* inside(
          `const u = require("node:dgram").createSocket("udp4"); u.on("error", (e) => { console.log(e.code); u.close() });
           u.connect(443, "1.1.1.1", () => u.send("x"))`
        ),
        "ECONNREFUSED"
      )
      // The bridge's own address, and a server of the container, are reached without the host.
      const server = `net.createServer((s) => s.end("near")).listen(9000, "0.0.0.0", `
      assert.strictEqual(
        yield* js(
          channel,
          `const server = ${server}() => {
             net.connect(9000, "172.17.0.1").on("data", (d) => { console.log(String(d)); server.close() }) })`
        ),
        "near"
      )
      assert.strictEqual(
        yield* inside(
          `const server = ${server}() => {
             net.connect(9000, "172.17.0.2").on("data", (d) => { console.log(String(d)); server.close() }) })`
        ),
        "near"
      )
      assert.strictEqual(asked.length, 3)
    }), 60_000)
})
