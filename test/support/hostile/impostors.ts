import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { processName, type VmId, vmPaths } from "../../../src/lib/vm/model/record.ts"
import { hostBootId, processIdentity } from "../../../src/system/processes/identity.ts"

/** A workspace whose VM is not one: a process of its name, a monitor that nods, and whoever listens at its port. */
export interface Impostor {
  readonly workspace: string
  readonly vm: string
  readonly port: string
}

/** Names of QEMU's sockets in the folder that it may write. */
const sockets = { monitor: "q", port: "p" } as const

interface Originals {
  readonly state: string
  readonly workspace: Readonly<Record<string, unknown>>
  readonly vm: Readonly<Record<string, unknown>>
}

/** What the records of a real workspace and its VM say: the next daemon takes up whatever has such. */
export const readOriginals = (state: string, workspace: string): Originals => {
  const read = (...parts: ReadonlyArray<string>) =>
    JSON.parse(fs.readFileSync(path.join(state, ...parts), "utf8")) as Readonly<Record<string, unknown>>
  const record = read("workspaces", workspace, "record.json")
  return { state, workspace: record, vm: read("vms", record["vm"] as string, "record.json") }
}

const answerTo = (command: string) => command === "query-status" ? { status: "running", running: true } : {}

/** As much of QEMU's monitor as a daemon needs to take a VM up. */
const serveMonitor = (file: string) => {
  const server = net.createServer((socket) => {
    socket.on("error", () => {})
    socket.write(JSON.stringify({ QMP: { version: {}, capabilities: [] } }) + "\n")
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      const lines = text.split("\n")
      text = lines.pop()!
      for (const line of lines) {
        const { execute } = JSON.parse(line) as { readonly execute: string }
        socket.write(JSON.stringify({ return: answerTo(execute) }) + "\n")
      }
    })
  })
  server.listen(file)
  return server
}

const writeJson = (file: string, value: unknown) =>
  fs.writeFileSync(file, JSON.stringify(value) + "\n", { mode: 0o600 })

/** Makes such a workspace; to be done while no daemon runs. `onConnection` speaks as its agent. */
export const makeImpostor = async (
  { state, vm, workspace }: Originals,
  onConnection: (socket: net.Socket) => void
): Promise<Impostor & { readonly end: () => void }> => {
  const id = `ws-${randomBytes(5).toString("hex")}`
  const vmId = `vm-${randomBytes(6).toString("hex")}` as VmId
  const process_: ChildProcess = spawn("sleep", ["86400"], { argv0: processName(vmId), stdio: "ignore" })
  const { images, record, run } = vmPaths({ stateDir: state, cacheDir: state, memoryDir: state }, vmId)
  fs.mkdirSync(run, { recursive: true, mode: 0o700 })
  fs.mkdirSync(images)
  const monitor = serveMonitor(path.join(run, sockets.monitor))
  const port = path.join(run, sockets.port)
  const server = net.createServer(onConnection).listen(port)
  await Promise.all([monitor, server].map((one) => new Promise((resolve) => one.once("listening", resolve))))
  writeJson(record, {
    ...vm,
    id: vmId,
    // Nobody's, and nothing that counts against what the host has.
    owner: { pid: 0, startTicks: 0, bootId: hostBootId() },
    memoryMib: 1,
    qemu: processIdentity(process_.pid!)
  })
  const folder = path.join(state, "workspaces", id)
  fs.mkdirSync(folder, { mode: 0o700 })
  const { name: _, ...rest } = workspace
  writeJson(path.join(folder, "record.json"), { ...rest, id, vm: vmId, phase: "running" })
  const end = () => {
    process_.kill("SIGKILL")
    monitor.close()
    server.close()
  }
  return { workspace: id, vm: vmId, port, end }
}
