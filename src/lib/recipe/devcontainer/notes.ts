import { call, type NextStep, option, words } from "../../../contract/errors/next-step.ts"
import { type Notice, notice } from "../../../contract/rows/notice.ts"
import { named, table } from "../../../contract/text/names.ts"
import type { File, Metadata } from "./file.ts"
import { askedOfHost } from "./variables.ts"

/** Properties that make no sense in a microVM of its own, or that pyro does not grant. */
const UNUSED = [
  "mounts",
  "workspaceMount",
  "runArgs",
  "appPort",
  "privileged",
  "init",
  "capAdd",
  "securityOpt",
  "entrypoint",
  "secrets"
] as const

const says = (value: unknown) =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0) && value !== ""

const MIB = table({ tb: 1_048_576, gb: 1024, mb: 1, kb: 1 / 1024 })

/** MiB of a text such as `8gb`. */
const mibOf = (text: string | undefined) => {
  const [, digits, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([tgmk]b)\s*$/i.exec(text ?? "") ?? []
  return digits === undefined ? undefined : Math.ceil(Number(digits) * (MIB[unit.toLowerCase()] ?? 1))
}

/** The options that give a workspace what the file requires of its host. */
const sizes = (parts: ReadonlyArray<File | Metadata>): ReadonlyArray<NextStep> => {
  const most = (of: (part: NonNullable<File["hostRequirements"]>) => number | undefined) =>
    Math.max(
      0,
      ...parts.flatMap(({ hostRequirements }) => hostRequirements === undefined ? [] : of(hostRequirements) ?? [])
    )
  const [cpus, memory, disk] = [
    most(({ cpus }) => cpus),
    most(({ memory }) => mibOf(memory)),
    most(({ storage }) => mibOf(storage))
  ]
  return [
    ...(cpus > 1 ? [option("Give it processors", "vcpu_count", Math.ceil(cpus))] : []),
    ...(memory > 1024 ? [option("Give it memory", "memory_mib", memory)] : []),
    ...(disk > 16_384 ? [option("Give it a disk", "disk_mib", disk)] : [])
  ]
}

/** The port of the guest, if the port of a file is one of the container itself. */
const ownPort = (port: number | string): ReadonlyArray<number> => {
  const [, digits] = /^(?:localhost:)?(\d{1,5})$/.exec(String(port)) ?? []
  const number = Number(digits ?? 0)
  return number >= 1 && number <= 65_535 ? [number] : []
}

/** The ports of the container itself that its file forwards: those of other containers are not there. */
export const portsOf = (parts: ReadonlyArray<File | Metadata>): ReadonlyArray<number> => [
  ...new Set(parts.flatMap(({ forwardPorts = [] }) => forwardPorts).flatMap(ownPort))
]

const list = (names: Iterable<string>) => [...new Set(names)].join(", ")

/** Ports of the file that are not published yet. */
const leftPorts = (parts: ReadonlyArray<File | Metadata>, forwarded: boolean): ReadonlyArray<string> =>
  parts.flatMap(({ forwardPorts = [] }) => forwardPorts.filter((port) => !forwarded || ownPort(port).length === 0))
    .map(String)

/** Sentences for a person about a file: properties that pyro does not use, and grants that the person may give. */
export const notesOf = (
  file: File,
  labels: ReadonlyArray<Metadata>,
  { forwarded, given, named: workspace, unknown }: {
    /** Whether the ports of the container itself are published. */
    readonly forwarded: boolean
    readonly given: Readonly<Record<string, string>>
    /** Name of the workspace, if it has one. */
    readonly named?: string | undefined
    readonly unknown: ReadonlyArray<string>
  }
): ReadonlyArray<Notice> => {
  const note = (message: string, ...next: ReadonlyArray<NextStep>) =>
    notice("warning", `devcontainer.json: ${message}`, next)
  const parts = [...labels, file]
  const unused = UNUSED.filter((name) => parts.some((part) => says((part as File & Metadata)[name])))
  const variables = askedOfHost(JSON.stringify(file), given)
  const ports = leftPorts(parts, forwarded)
  const wanted = sizes(parts)
  return [
    ...(unused.length === 0 ? [] : [note(`pyro does not use ${list(unused)}`)]),
    ...(unknown.length === 0 ? [] : [note(`unknown properties, which pyro does not use: ${list(unknown)}`)]),
    ...(says(file.initializeCommand)
      ? [
        note(
          "initializeCommand would run on this host, and pyro does not run it",
          words("Run it yourself if you trust it")
        )
      ]
      : []),
    ...(variables.length === 0 ? [] : [
      note(
        `pyro gives no variable of this host (${list(variables)})`,
        option("Give values", "env", named(variables.map((name) => [name, "VALUE"])))
      )
    ]),
    ...(ports.length === 0 ? [] : [
      forwarded
        ? note(`pyro does not publish ${list(ports)}: no port of the container itself`)
        : note(
          `forwards the ports ${list(ports)}`,
          option("Publish them", "forward_ports", true),
          ...(workspace === undefined
            ? []
            : [call("Or publish one", "workspace.port.publish", { workspace }, "port")])
        )
    ]),
    ...(wanted.length === 0 ? [] : [note("requires more than a workspace has by default", ...wanted)])
  ]
}
