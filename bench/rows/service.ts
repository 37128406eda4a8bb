import { Schema } from "effect"
import { ServiceStartPayload } from "../../src/contract/rows/workspace-service.ts"
import type { Daemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"

/** Listens, and then notes the time. */
const server = "import socket, time\n" +
  "server = socket.create_server(('127.0.0.1', 8000))\n" +
  "open('/run/listens', 'w').write(str(time.time_ns()))\n" +
  "while True: server.accept()[0].close()"

/** The time of the guest now, and the noted one. */
const times = ["sh", "-c", "date +%s%N; cat /run/listens 2>/dev/null || true"] as const

export const start = ({ call }: Daemon, payload: object) => {
  const decoded = Schema.decodeUnknownSync(ServiceStartPayload())(payload)
  return call(({ workspace }) => workspace.service.start(decoded))
}

export const serviceReady: Plan = {
  name: "service-ready",
  unit: "ms",
  about:
    "from the moment at which a server listens to the first command after `service start --ready-tcp` has returned, both noted by the guest; " +
    "floor: the same command",
  budget: { kind: "ratio", atMost: 1, plus: 50 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(() => timed(() => daemon.output(workspace, ...times)), () => daemon.remove(workspace))
  },
  ours: async ({ daemon }) => {
    const workspace = await daemon.create()
    return side(async () => {
      await start(daemon, { workspace, name: "server", command: ["python3", "-c", server], ready_tcp: 8000 })
      const [now = "", listens = ""] = (await daemon.output(workspace, ...times)).split("\n")
      await daemon.call((pyro) => pyro.workspace.service.stop({ workspace, name: "server" }))
      return Number(BigInt(now) - BigInt(listens)) / 1e6
    }, () => daemon.remove(workspace))
  }
}
