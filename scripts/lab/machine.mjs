import { spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, statSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { lastLines, mustRun } from "../setup/child.mjs"
import { inRoot } from "../setup/project.mjs"
import { afterIdleSeconds } from "./busy-host.mjs"
import { whileItMoves } from "./patience.mjs"

/** From QEMU's start to its socket, which it opens before it boots anything. */
const socketSeconds = 240

/** So long after the deadline of a command, the machine is given up. */
const graceSeconds = 30

/**
 * CPU of the machine: AMD's, with virtualisation and nested paging, which QEMU's translator emulates. Without features that are
 * slow to translate (see src/lib/vm/driver/qemu/machine.ts).
 */
const processor = "max,+svm,+npt,-avx,-avx2,-fma,-f16c,-erms,-fsrm,-la57"

/**
 * Two processors from QEMU 8.1 on. An older translator may continue with a translation of code that another processor has changed.
 * Linux changes its scheduler's code with the first and the last KVM machine, and then panics.
 */
const processorCount = async () => {
  const said = await mustRun("qemu-system-x86_64", ["qemu-system-x86_64", "--version"])
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(said) ?? []
  return Number(major) * 1000 + Number(minor) >= 8001 ? "2" : "1"
}

/**
 * Boots the machine of `image` with `projectDisk` as its user's home, lends it to `use` and kills it. Nothing that it writes is
 * kept. `use` gets `perform({ user, script, seconds, onOutput })`, whose `seconds` are those of an idle host, which resolves to `{ status, timedOut, ms, stdout, stderr }`,
 * and `cpuMs()`, the processor time of the machine so far.
 */
export const inMachine = async ({ folder, image, projectDisk }, use) => {
  const overlays = []
  for (const [name, base] of [["root", join(image, "root.ext4")], ["project", projectDisk]]) {
    overlays.push(join(folder, `${name}.qcow2`))
    await mustRun("qemu-img", ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, overlays.at(-1)])
  }
  const consoleLog = join(folder, "console")
  const messages = openSync(join(folder, "qemu"), "a")
  const qemu = spawn("setpriv", [
    "--pdeathsig",
    "KILL",
    "nice",
    "-n",
    "5",
    "qemu-system-x86_64",
    ...await qemuArguments(image, overlays)
  ], {
    // Relative names keep the sockets' paths short.
    cwd: folder,
    stdio: ["ignore", messages, messages]
  })
  closeSync(messages)
  const kill = () => qemu.kill("SIGKILL")
  const ended = new Promise((resolve) => qemu.on("close", resolve).on("error", resolve))
  process.on("exit", kill)
  const failed = ended.then(() => {
    throw new Error(`the machine's QEMU ended:\n${tail(join(folder, "qemu"))}\n${tail(consoleLog)}`)
  })
  failed.catch(() => {})
  try {
    const talk = conversation(folder, consoleLog)
    const cpuMs = () => cpuTimeMs(qemu.pid)
    return await Promise.race([failed, talk.then((machine) => use({ ...machine, cpuMs }))])
  } finally {
    kill()
    process.off("exit", kill)
    await ended
  }
}

/** Time of user and system in hundredths of a second (proc(5), fields 14 and 15). */
const cpuTimeMs = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const qemuArguments = async (image, [root, project]) => {
  const tscKhz = (await mustRun("pyro-tsc", [inRoot("native/build/pyro-tsc")])).trim()
  const processors = await processorCount()
  const disk = (file, serial) => [
    ...["-drive", `file=${file},format=qcow2,if=none,id=${serial},cache=unsafe,discard=unmap`],
    ...["-device", `virtio-blk-pci,drive=${serial},serial=${serial}`]
  ]
  const commandLine = [
    "root=/dev/vda",
    "console=ttyS0",
    "loglevel=4",
    // As in pyro's own guests under translation: exec is several times slower with ASLR, calibration loses against emulated timers.
    ...["mitigations=off", "nokaslr", "norandmaps", `tsc_early_khz=${tscKhz}`, "tsc=reliable"],
    // Active waiting for an inner guest would only cost time.
    "kvm.halt_poll_ns=0",
    // With -no-reboot a broken machine ends, and the lab reports the reason, instead of a hang.
    ...["oops=panic", "panic=-1"]
  ]
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-name", "pyro-lab"],
    ...["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", processor, "-smp", processors, "-m", "6G"],
    ...["-kernel", join(image, "vmlinuz"), "-initrd", join(image, "initrd"), "-append", commandLine.join(" ")],
    ...disk(root, "root"),
    ...disk(project, "project"),
    ...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
    ...["-chardev", "socket,id=lab,path=lab,server=on,wait=off", "-device", "virtserialport,chardev=lab,name=lab"],
    ...[
      "-serial",
      "file:console",
      "-sandbox",
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
    ]
  ]
}

/** Talks to test/lab/guest/runner.mjs, which says hello first. Keeps the lab alive only while QEMU runs. */
const conversation = async (folder, consoleLog) => {
  const directory = openSync(folder, "r")
  // The folder's own path may be longer than a socket's may be.
  const socket = await reach(`/proc/self/fd/${directory}/lab`).finally(() => closeSync(directory))
  const waiting = new Map()
  let lastId = 0
  const greeting = new Promise((resolve) => {
    createInterface({ input: socket }).on("line", (line) => {
      const message = JSON.parse(line)
      if (message.ready) resolve(message)
      else if (message.stream !== undefined) {
        waiting.get(message.id)?.onOutput(message.stream, Buffer.from(message.base64, "base64"))
      } else {
        waiting.get(message.id)?.end(message)
        waiting.delete(message.id)
      }
    })
  })
  socket.on("error", () => {})
  const { node } = await whileItMoves(greeting, {
    progress: () => statSync(consoleLog, { throwIfNoEntry: false })?.size ?? 0,
    giveUp: (reason) => new Error(`the machine did not come up, ${reason}:\n${tail(consoleLog)}`)
  })
  const perform = ({ user, script, seconds, onOutput }) =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      const send = (message) => socket.write(`${JSON.stringify({ id, ...message })}\n`)
      const stopsAnswering = () =>
        reject(new Error(`the machine stopped answering during: ${script}\n${tail(consoleLog)}`))
      let endWait = afterIdleSeconds(seconds, () => {
        send({ stop: true })
        endWait = afterIdleSeconds(graceSeconds, stopsAnswering)
      })
      const outputs = { stdout: [], stderr: [] }
      waiting.set(id, {
        onOutput: onOutput ?? ((stream, bytes) => outputs[stream].push(bytes)),
        end: ({ status, timedOut, ms }) => {
          endWait()
          const text = (stream) => Buffer.concat(outputs[stream]).toString("utf8")
          resolve({ status, timedOut, ms, stdout: text("stdout"), stderr: text("stderr") })
        }
      })
      send({ user, script })
    })
  return { node, perform }
}

const reach = async (path) => {
  const giveUpAt = Date.now() + socketSeconds * 1000
  for (;;) {
    const socket = await new Promise((resolve) => {
      const attempt = connect(path)
      attempt.once("connect", () => resolve(attempt))
      attempt.once("error", () => resolve(undefined))
    })
    if (socket !== undefined) return socket
    if (Date.now() > giveUpAt) throw new Error("the machine's QEMU did not open its socket")
    await sleep(50, undefined, { ref: false })
  }
}

/** Output from the kernel's report of the fault on, else the end of the output. */
const tail = (file) => {
  if (!existsSync(file)) return ""
  const lines = readFileSync(file, "utf8").trimEnd().split("\n")
  const broken = lines.findIndex((line) => /Oops: |BUG: |Kernel panic/.test(line))
  return lastLines((broken < 0 ? lines.slice(-20) : lines.slice(broken, broken + 20)).join("\n"))
}
