import { Effect, Schema } from "effect"
import { ServiceStartPayload } from "../../src/contract/operations/workspace-service.ts"
import type { Daemon } from "../daemon.ts"
import { residentMib } from "../host-process.ts"
import { type Plan, side, timed } from "../measure.ts"

/** Listens, and then notes the time. */
const server = "import socket, time\n" +
  "server = socket.create_server(('127.0.0.1', 8000))\n" +
  "open('/run/listens', 'w').write(str(time.time_ns()))\n" +
  "while True: server.accept()[0].close()"

/** The time of the guest now, and the noted one. */
const times = ["sh", "-c", "date +%s%N; cat /run/listens 2>/dev/null || true"] as const

const start = ({ call }: Daemon, payload: object) => {
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

const many = 50
/** Work that the daemon defers is over by then, and V8 has given memory back. */
const settlesMs = 15_000
const settles = () => new Promise((resolve) => setTimeout(resolve, settlesMs))

export const serviceMemory: Plan = {
  name: "service-memory",
  unit: "MiB",
  about: `growth of the daemon's resident memory by ${many} services of one workspace`,
  budget: { kind: "absolute", atMost: 32 },
  rounds: () => 1,
  warmups: 0,
  ours: async ({ daemon }) =>
    side(async () => {
      const workspace = await daemon.create()
      await start(daemon, { workspace, name: "first", command: ["sleep", "600"] })
      await settles()
      const before = residentMib(await daemon.pid())
      for (let n = 0; n < many; n++) {
        await start(daemon, { workspace, name: `s${n}`, command: ["sh", "-c", "echo up; exec sleep 600"] })
      }
      await settles()
      const grown = residentMib(await daemon.pid()) - before
      const { services } = await daemon.call((pyro) =>
        Effect.map(pyro.workspace.service.list({ workspace }), (all) => all)
      )
      await daemon.remove(workspace)
      const running = services.filter(({ state }) => state === "running").length
      if (running !== many + 1) throw new Error(`${running} services of ${many + 1} run`)
      return grown
    })
}
