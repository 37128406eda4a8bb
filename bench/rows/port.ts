import * as net from "node:net"
import type { Bench } from "../bench.ts"
import { bulkOfConnection, bulkToConnection, echo } from "../floors/channel.ts"
import { type Plan, type Side, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const mib = 64
const bytes = mib * 1024 * 1024
const guestPort = 4000
const echoes = 100

/** Sends back each byte of a connection that begins with `E`, sends 64 MiB after `D`, and takes 64 MiB after `U`. Its memory is in use before. */
const server = `import socket, threading
piece = memoryview(bytearray(b"x") * (1 << 20))
def serve(one):
  one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  kind = one.recv(1)
  if kind == b"D":
    for _ in range(${mib}): one.sendall(piece)
  elif kind == b"U":
    left = ${bytes}
    while left: left -= one.recv_into(piece, min(left, 1 << 20))
    one.sendall(b"U")
  else:
    while got := one.recv(1): one.sendall(got)
  one.close()
listener = socket.create_server(("127.0.0.1", ${guestPort}), backlog=64)
print("ready", flush=True)
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()`

/** Median of a byte's way there and back on the guest's loopback, in ms. */
const loopbackEchoMs = `import socket, statistics, time
one = socket.create_connection(("127.0.0.1", ${guestPort}))
one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
one.sendall(b"E")
def echo():
  start = time.perf_counter()
  one.sendall(b"x")
  one.recv(1)
  return (time.perf_counter() - start) * 1000
print(statistics.median(echo() for _ in range(${echoes})))`

const dial = (port: number) =>
  new Promise<net.Socket>((resolve, reject) => {
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket))
    socket.once("error", reject)
  })

/** Connects until the server of the guest answers. */
const dialServer = async (port: number, kind: string): Promise<net.Socket> => {
  for (let tries = 0;; tries++) {
    const socket = await dial(port)
    socket.on("error", () => {})
    socket.write(kind)
    if (kind !== "E") return socket
    const answers = await new Promise<boolean>((resolve) => {
      socket.once("data", () => resolve(true)).once("close", () => resolve(false))
      socket.write("x")
    })
    if (answers) return socket
    if (tries === 1_000) throw new Error("the server of the guest does not answer")
  }
}

/** A workspace with a published server. */
const published = async ({ daemon }: Bench) => {
  const workspace = await daemon.create()
  await daemon.output(
    workspace,
    "sh",
    "-c",
    "setsid python3 -c \"$1\" >/tmp/said 2>&1 & until grep -q ready /tmp/said; do sleep 0.1; done",
    "sh",
    server
  )
  const { hostPort } = await daemon.call((pyro) => pyro.workspace.port.publish({ workspace, port: String(guestPort) }))
  return { workspace, port: hostPort!, close: () => daemon.remove(workspace) }
}

export const portLatency: Plan = {
  name: "port-latency",
  unit: "ms",
  about:
    "a byte from a client of a published port to a Python server of the guest and back; floor: an echo over the bare channel, and a byte " +
    "from a Python client on the guest's loopback to the same server and back",
  budget: { kind: "ratio", atMost: 3 },
  rounds: (runs) => runs,
  warmups: 5,
  floor: async (bench) => {
    const { vm } = await bench.floor.restore("/bin/true")
    const { close, workspace } = await published(bench)
    return side(
      async () =>
        await inARow(() => timed(() => vm.channel.call(echo)), echoes) +
        Number(await bench.daemon.output(workspace, "python3", "-c", loopbackEchoMs)),
      async () => {
        await close()
        await vm.destroy()
      }
    )
  },
  ours: async (bench) => {
    const { close, port } = await published(bench)
    const socket = await dialServer(port, "E")
    const once = () =>
      timed(() =>
        new Promise<void>((resolve) => {
          socket.once("data", () => resolve())
          socket.write("x")
        })
      )
    return side(() => inARow(once, echoes), async () => {
      socket.destroy()
      await close()
    })
  }
}

/** MiB/s of one transfer, until the last byte or the answer to it. */
const transfers = (kind: "D" | "U") => async (bench: Bench): Promise<Side> => {
  const { close, port } = await published(bench)
  const piece = Buffer.alloc(1_048_576)
  const once = async () => {
    const socket = await dialServer(port, kind)
    const answered = new Promise<void>((resolve) => {
      let left = kind === "D" ? bytes : 1
      socket.on("data", (chunk: Buffer) => {
        left -= chunk.length
        if (left <= 0) resolve()
      })
    })
    for (let sent = 0; kind === "U" && sent < mib; sent++) {
      if (!socket.write(piece)) await new Promise((resolve) => socket.once("drain", resolve))
    }
    await answered
    socket.destroy()
  }
  return side(async () => mib * 1000 / await timed(once), close)
}

export const portDownload: Plan = {
  name: "port-download",
  unit: "MiB/s",
  about: `${mib} MiB from a server of the guest to a client of its published port; floor: as for \`upload\``,
  budget: { kind: "ratio", atLeast: 0.5 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    return side(async () => mib * 1000 / await timed(() => vm.channel.pour(bulkOfConnection(mib), bytes)), vm.destroy)
  },
  ours: transfers("D")
}

export const portUpload: Plan = {
  name: "port-upload",
  unit: "MiB/s",
  about: `${mib} MiB from a client of a published port to a server of the guest; floor: as for \`download\``,
  budget: { kind: "ratio", atLeast: 0.5 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    return side(async () => mib * 1000 / await timed(() => vm.channel.fill(bulkToConnection(mib), bytes)), vm.destroy)
  },
  ours: transfers("U")
}
