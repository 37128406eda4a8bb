import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { channel, type FloorChannel } from "./channel.ts"
import { type Machine, qemuArguments } from "./machine.ts"
import { emptyQcow2 } from "./qcow2.ts"
import { type Monitor, monitor } from "./qmp.ts"

export interface FloorVm {
  /** QEMU's working directory. */
  readonly folder: string
  /** Its memory file. */
  readonly memory: string
  readonly pid: number
  readonly monitor: Monitor
  readonly channel: FloorChannel
  /** Kills QEMU, waits for its end and removes its files. */
  readonly destroy: () => Promise<void>
}

/** Frozen memory and device state. */
export interface Frozen {
  readonly memory: string
  readonly state: string
}

export interface VmPlace {
  /** New folder of the VM. */
  readonly folder: string
  readonly memory: string
}

/** Descriptor of the frozen state in QEMU. */
const stateDescriptor = 3

/** Starts QEMU and connects to it. The memory file of an incoming VM must exist. */
export const startVm = async (machine: Machine, place: VmPlace, frozen?: Frozen): Promise<FloorVm> => {
  fs.mkdirSync(place.folder)
  fs.writeFileSync(path.join(place.folder, "overlay.qcow2"), emptyQcow2(machine.diskBytes))
  const sockets = [connection(path.join(place.folder, "q")), connection(path.join(place.folder, "p"))] as const
  const state = frozen === undefined ? undefined : fs.openSync(frozen.state, "r")
  const qemu = spawn(
    "qemu-system-x86_64",
    qemuArguments(machine, place.memory, frozen === undefined ? "boot" : "incoming"),
    { cwd: place.folder, stdio: ["ignore", "ignore", "pipe", ...(state === undefined ? [] : [state])] }
  )
  if (state !== undefined) fs.closeSync(state)
  const death = ending(qemu)
  const destroy = async () => {
    qemu.kill("SIGKILL")
    await death.catch(() => {})
    for (const { server } of sockets) server.close()
    fs.rmSync(place.folder, { recursive: true, force: true })
    fs.rmSync(place.memory, { force: true })
  }
  try {
    const [qmp, port] = await Promise.race([Promise.all(sockets.map(({ connected }) => connected)), death])
    if (qmp === undefined || port === undefined || qemu.pid === undefined) throw new Error("QEMU did not start")
    return {
      folder: place.folder,
      memory: place.memory,
      pid: qemu.pid,
      monitor: monitor(qmp),
      channel: channel(port),
      destroy
    }
  } catch (cause) {
    await destroy()
    throw cause
  }
}

/** Listens on `file` for QEMU's one connection. */
const connection = (file: string) => {
  const server = net.createServer()
  const connected = new Promise<net.Socket>((resolve, reject) => {
    server.once("error", reject)
    server.once("connection", (socket) => {
      socket.on("error", () => {}) // QEMU is killed at the end
      resolve(socket)
    })
  })
  connected.catch(() => {})
  server.listen(file)
  return { server, connected }
}

/** Never resolves; rejects at QEMU's end. */
const ending = (qemu: ChildProcess) => {
  let said = ""
  qemu.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)))
  const ended = new Promise<never>((_, reject) => {
    qemu.once("error", reject)
    qemu.once("close", (code, signal) => reject(new Error(`QEMU ended (${signal ?? code}): ${said.trim()}`)))
  })
  ended.catch(() => {})
  return ended
}

const migrationCapabilities = {
  capabilities: [{ capability: "x-ignore-shared", state: true }, { capability: "events", state: true }]
}

const migrated = (vm: FloorVm) =>
  new Promise<void>((resolve, reject) => {
    void vm.monitor.event((name, { status }) => {
      if (name === "MIGRATION" && status === "completed") resolve()
      if (name === "MIGRATION" && status === "failed") reject(new Error("the migration failed"))
      return false
    })
  })

/** Writes the stopped VM's device state to `file`. Its memory stays in its own file. */
export const freeze = async (vm: FloorVm, folder: string, file: string): Promise<void> => {
  const socket = path.join(folder, "m")
  const output = fs.createWriteStream(file)
  const server = net.createServer((connection) => void connection.pipe(output))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const written = new Promise<void>((resolve) => output.once("finish", resolve))
  const done = migrated(vm)
  await vm.monitor.execute(["migrate-set-capabilities", migrationCapabilities], ["migrate", { uri: `unix:${socket}` }])
  await done
  await vm.monitor.execute(["quit"])
  await written
  server.close()
}

/** Loads the frozen state into a VM that was started for it, and resumes the VM. */
export const thaw = async (vm: FloorVm): Promise<void> => {
  const done = migrated(vm)
  await vm.monitor.execute(
    ["qmp_capabilities"],
    ["migrate-set-capabilities", migrationCapabilities],
    ["migrate-incoming", { uri: `fd:${stateDescriptor}` }]
  )
  await done
  void vm.monitor.execute(["cont"])
}
