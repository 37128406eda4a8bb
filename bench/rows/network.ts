import * as net from "node:net"
import { networkInterfaces } from "node:os"
import type { Bench } from "../bench.ts"
import { bulkOfConnection, bulkToConnection, echo } from "../floors/channel.ts"
import { type Plan, type Side, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const mib = 64
const bytes = mib * 1024 * 1024
const connections = 500

/** An address that a guest reaches through the host: its own loopback is another one. */
export const hostAddress = (): string => {
  const found = Object.values(networkInterfaces()).flat().find((one) => one?.family === "IPv4" && !one.internal)
  if (found === undefined) throw new Error("the rows of the network need an IPv4 address of this host beside loopback")
  return found.address
}

/**
 * A server of the host: sends back the first byte of a connection. After `D` it sends 64 MiB, or without an end after `E`; after `U` it
 * waits for 64 MiB first.
 */
const serve = () =>
  new Promise<{ readonly address: string; readonly port: number; readonly close: () => void }>((resolve, reject) => {
    const open = new Set<net.Socket>()
    const server = net.createServer({ noDelay: true }, (socket) => {
      open.add(socket)
      socket.on("error", () => {}).on("close", () => open.delete(socket))
      const send = (left: number): void => {
        while (left > 0) {
          left -= 1_048_576
          if (!socket.write(Buffer.alloc(1_048_576))) return void socket.once("drain", () => send(left))
        }
        socket.end()
      }
      let received = 0
      socket.once("data", (first: Buffer) => {
        const [kind] = first.toString("latin1", 0, 1)
        if (kind === "D") return send(bytes)
        if (kind === "E") return send(Infinity)
        if (kind !== "U") return socket.write(first.subarray(0, 1))
        const count = (chunk: Buffer) => {
          received += chunk.length
          if (received > bytes) socket.end("U")
        }
        socket.on("data", count)
        return count(first)
      })
    })
    server.once("error", reject)
    const address = hostAddress()
    server.listen({ host: address, port: 0, backlog: 2 * connections }, () =>
      resolve({
        address,
        port: (server.address() as net.AddressInfo).port,
        close: () => {
          server.close()
          for (const socket of open) socket.destroy()
        }
      }))
  })

/** A workspace that may connect to a server of the host, and what a Python program in the workspace prints. */
export const connected = async ({ daemon }: Bench) => {
  const server = await serve()
  const { address, port } = server
  const workspace = await daemon.create({ allow_ips: [`${address}:${port}`] })
  const python = (script: string) =>
    daemon.output(
      workspace,
      "python3",
      "-c",
      `import socket, statistics, time\nserver = ("${address}", ${port})\n${script}`
    )
  const close = async () => {
    await daemon.remove(workspace)
    server.close()
  }
  return { address, port, workspace, python, close } as const
}

/** Median of `connect()` in a row as the guest times them, in ms: SYN to ESTABLISHED, or to the refusal. */
const connectMs = (port: string) =>
  `def attempt():
  one = socket.socket()
  start = time.perf_counter()
  try: one.connect((server[0], ${port}))
  except ConnectionRefusedError: pass
  ms = (time.perf_counter() - start) * 1000
  one.close()
  return ms
print(statistics.median(attempt() for _ in range(50)))`

/** The same to a listener of the guest itself: the share of the guest's kernel and of Python. */
const loopbackConnectMs = `import socket, statistics, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
server = listener.getsockname()
${connectMs("server[1]")}`

const connectsOf = (port: string) => async (bench: Bench): Promise<Side> => {
  const { close, python } = await connected(bench)
  return side(async () => Number(await python(connectMs(port))), close)
}

export const createNetwork: Plan = {
  name: "create-network",
  unit: "ms",
  about: "workspace created with a network policy, pool warm; floor: the same without a network",
  budget: { kind: "ratio", atMost: 1, plus: 3 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: (bench) => creates(bench, {}),
  ours: (bench) => creates(bench, { allow_hosts: ["npm"] })
}

const creates = async ({ daemon }: Bench, options: { readonly allow_hosts?: ReadonlyArray<string> }) =>
  side(async () => {
    await daemon.settled()
    let workspace = ""
    const ms = await timed(async () => (workspace = await daemon.create(options)))
    await daemon.remove(workspace)
    return ms
  })

export const connect: Plan = {
  name: "connect",
  unit: "ms",
  about:
    "a guest's connection to a server of the host, as the guest times it; floor: an echo over the channel, the same connection from the " +
    "host, and a connection on the guest's loopback",
  budget: { kind: "ratio", atMost: 2 },
  rounds: (runs) => runs,
  warmups: 1,
  floor: async ({ daemon, floor }) => {
    const server = await serve()
    const { vm } = await floor.restore("/bin/true")
    const workspace = await daemon.create()
    const dial = () =>
      new Promise<void>((resolve, reject) => {
        const socket = net.connect({ host: server.address, port: server.port, noDelay: true }, () => {
          socket.destroy()
          resolve()
        })
        socket.once("error", reject)
      })
    const echoAndDial = () =>
      timed(async () => {
        await vm.channel.call(echo)
        await dial()
      })
    const close = async () => {
      await vm.destroy()
      await daemon.remove(workspace)
      server.close()
    }
    return side(
      async () =>
        await inARow(echoAndDial, 50) + Number(await daemon.output(workspace, "python3", "-c", loopbackConnectMs)),
      close
    )
  },
  ours: connectsOf("server[1]")
}

export const connectDenied: Plan = {
  name: "connect-denied",
  unit: "ms",
  about:
    "a connection that the policy denies, until the guest's connect() fails; floor: an allowed connection of the same guest",
  budget: { kind: "ratio", atMost: 2 },
  rounds: (runs) => runs,
  warmups: 1,
  floor: connectsOf("server[1]"),
  ours: connectsOf("1")
}

export const connectMany: Plan = {
  name: "connect-500",
  unit: "runs",
  about: `how many of ${connections} connections at once are made and answered`,
  budget: { kind: "ratio", atLeast: 1 },
  rounds: (runs) => Math.ceil(runs / 10),
  warmups: 0,
  floor: async () => side(async () => connections),
  ours: async (bench) => {
    const { close, python } = await connected(bench)
    return side(async () =>
      Number(
        await python(`import asyncio
async def one():
  reader, writer = await asyncio.open_connection(*server)
  writer.write(b"x")
  answer = await reader.readexactly(1)
  writer.close()
  return answer == b"x"
async def all(): return await asyncio.gather(*[one() for _ in range(${connections})], return_exceptions=True)
print(sum(one is True for one in asyncio.run(all())))`)
      ), close)
  }
}

/** MiB/s of a transfer as the guest times it. Its memory is in use before: page faults are no part of a transfer. */
const transfers = (script: string) => async (bench: Bench): Promise<Side> => {
  const { close, python } = await connected(bench)
  return side(async () =>
    Number(
      await python(`one = socket.create_connection(server)
piece = memoryview(bytearray(b"x") * (1 << 20))
start = time.perf_counter()
${script}
print(${mib} / (time.perf_counter() - start))`)
    ), close)
}

export const upload: Plan = {
  name: "upload",
  unit: "MiB/s",
  about:
    `${mib} MiB from a guest to a server of the host; floor: a process of the guest sends them over loopback, and the bare channel carries them`,
  budget: { kind: "ratio", atLeast: 0.6 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    return side(async () => mib * 1000 / await timed(() => vm.channel.pour(bulkOfConnection(mib), bytes)), vm.destroy)
  },
  ours: transfers(`one.sendall(b"U")\nfor _ in range(${mib}): one.sendall(piece)\none.recv(1)`)
}

export const download: Plan = {
  name: "download",
  unit: "MiB/s",
  about:
    `${mib} MiB from a server of the host to a guest; floor: the bare channel carries them, and a process of the guest gets them over loopback`,
  budget: { kind: "ratio", atLeast: 0.6 },
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ floor }) => {
    const { vm } = await floor.restore("/bin/true")
    return side(async () => mib * 1000 / await timed(() => vm.channel.fill(bulkToConnection(mib), bytes)), vm.destroy)
  },
  ours: transfers(`one.sendall(b"D")
left = ${bytes}
while left: left -= one.recv_into(piece)`)
}

/** A command in a workspace in which nothing else happens. */
export const execAlone = async ({ daemon }: Bench): Promise<Side> => {
  const workspace = await daemon.create()
  return side(() => inARow(() => timed(() => daemon.exec(workspace, "/bin/true"))), () => daemon.remove(workspace))
}

export const execBesideDownload: Plan = {
  name: "exec-beside-download",
  unit: "ms",
  about:
    "/bin/true in a workspace while another workspace downloads as fast as it can; floor: the same command without the download",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => 2 * runs,
  warmups: 2,
  floor: execAlone,
  ours: async (bench) => {
    const { daemon } = bench
    const workspace = await daemon.create()
    const { close, python } = await connected(bench)
    return side(async () => {
      const downloading = python(`one = socket.create_connection(server)
one.sendall(b"E")
end = time.perf_counter() + 2
while time.perf_counter() < end: one.recv(1 << 20)`)
      const median = await inARow(() => timed(() => daemon.exec(workspace, "/bin/true")))
      await downloading
      return median
    }, async () => {
      await close()
      await daemon.remove(workspace)
    })
  }
}
