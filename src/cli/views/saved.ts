import { Clock, Effect } from "effect"
import type { SavedInfo } from "../../contract/rows/saved.ts"
import { ago, note, print, size } from "../output/print.ts"
import { painted, printTable } from "../output/table.ts"
import type { Views } from "./view.ts"

const holds = ({ holdsSecrets, kind }: SavedInfo) =>
  (kind === "memory" ? "memory and disk" : "disk") + (holdsSecrets ? ", secrets" : "")

const memory = (one: SavedInfo) => one.kind === "memory" ? size(one.memoryBytes) : "-"

export const savedViews = {
  "workspace.snapshot.save": {
    result: ({ saved }) =>
      print(`${saved.name}: ${holds(saved)}; start from it: pyro create --from-snapshot ${saved.name}\n`)
  },
  "saved.list": {
    result: ({ saved }) =>
      saved.length === 0
        ? note("no saved snapshots; save one: pyro snapshot save WORKSPACE NAME\n")
        : Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
          printTable([
            ["NAME", "HOLDS", "SAVED", "FROM", "ENVIRONMENT", "MEMORY", "FILES", "DURABLE"],
            ...saved.map((one) => [
              one.name,
              holds(one),
              ago(one.createdAt, nowMs),
              one.from ?? "-",
              one.environment,
              memory(one),
              size(one.diskBytes),
              one.durable ? "yes" : painted("yellow", "not yet")
            ])
          ], { head: true, flexible: [0, 3, 4] }))
  },
  "saved.inspect": {
    result: (one) =>
      printTable([
        ["name", one.name],
        ["holds", holds(one)],
        ["saved", one.createdAt],
        ["from", one.from ?? "-"],
        ["environment", one.environment],
        ["driver", one.driver],
        ["processors", String(one.vcpuCount)],
        ["guest memory", `${one.memoryMib} MiB`],
        ["disk", `${one.diskMib} MiB`],
        ["memory use", memory(one)],
        ["disk use", size(one.diskBytes)],
        ["commands", String(one.runningCommands)],
        ["durable", one.durable ? "yes" : "not yet"],
        ...one.differences.map((text, at) => [at === 0 ? "differs here" : "", text])
      ])
  },
  "saved.export": {
    result: ({ bytes, kind, output, sha256 }) =>
      print(`${output}: ${kind === "memory" ? "memory and disk" : "disk"}, ${size(bytes)}\nsha256 ${sha256}\n`)
  },
  "saved.import": {
    result: ({ saved }) =>
      print(`${saved.name}: ${holds(saved)}; start from it: pyro create --from-snapshot ${saved.name}\n`)
  },
  "saved.delete": { result: ({ deleted }) => print(deleted.map((name) => `deleted ${name}\n`).join("")) }
} satisfies Views
