import { Effect, Option, Stream } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { payloadOf } from "../../src/contract/rows/payload-of.ts"
import { Pyro } from "../../src/contract/rows/Pyro.ts"
import { Workspace } from "../../src/sdk/handle.ts"
import { buildOf } from "../../src/sdk/installed.ts"
import { layerContext } from "../../src/sdk/remote.ts"
import { startSshd } from "../../test/support/ssh/sshd.ts"
import type { Bench } from "../bench.ts"
import { type Daemon, openDaemon } from "../daemon.ts"
import { type Plan, side, timed } from "../measure.ts"
import { inARow } from "./in-a-row.ts"

const command = "/bin/true"
const mib = 64
const bytes = mib * 1024 * 1024
const file = "/tmp/large"
const piece = Buffer.alloc(65_536, "0123456789abcdef")

/** The benchmarks' daemon through ssh over the loopback, and `ssh` alone. */
const overSsh = async ({ pyro, room }: Bench) => {
  const folder = fs.mkdtempSync(path.join(room.disk, "ssh-"))
  const sshd = await startSshd(folder)
  const before = process.env["PATH"]
  process.env["PATH"] = `${sshd.bin}:${before}`
  const variables = ["PYRO_STATE_DIR", "PYRO_MEMORY_DIR", "PYRO_CACHE_DIR"]
    .flatMap((name) => process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`])
  const context = { name: "bench", url: "ssh://bench", command: ["env", ...variables, ...pyro].join(" ") }
  const version = buildOf(fs.readFileSync(pyro.at(-1) ?? "", "utf8"))
  const remote = openDaemon(pyro, {}, layerContext(context, { version, mayAsk: false }))
  return {
    folder,
    ssh: path.join(sshd.bin, "ssh"),
    remote,
    close: async () => {
      await remote.disconnect()
      process.env["PATH"] = before
      await sshd.stop()
    }
  }
}

export const execSsh: Plan = {
  name: "exec-ssh",
  unit: "ms",
  about:
    "/bin/true in a workspace through the daemon, in an open connection over ssh on the loopback; floor: over the local socket",
  budget: { kind: "ratio", atMost: 1.6 },
  rounds: (runs) => runs,
  warmups: 20,
  floor: async ({ daemon }) => {
    const workspace = await daemon.create()
    const run = daemon.prepared(workspace, command)
    return side(() => inARow(() => timed(run), 50), () => daemon.remove(workspace))
  },
  ours: async (bench) => {
    const workspace = await bench.daemon.create()
    const { close, remote } = await overSsh(bench)
    const run = remote.prepared(workspace, command)
    return side(() => inARow(() => timed(run), 50), async () => {
      await close()
      await bench.daemon.remove(workspace)
    })
  }
}

const filesOf = async (daemon: Daemon, workspace: string) => {
  const found = await daemon.call((pyro) => Effect.provideService(Workspace.get(workspace), Pyro, pyro))
  return Option.getOrThrow(found).files
}

const write = async (daemon: Daemon, workspace: string) => {
  const files = await filesOf(daemon, workspace)
  const pieces = Stream.fromIterable(Array.from({ length: bytes / piece.length }, () => piece))
  await daemon.call(() => files.write(file, pieces))
}

const read = async (daemon: Daemon, workspace: string) => {
  const files = await filesOf(daemon, workspace)
  let got = 0
  await daemon.call(() =>
    Stream.runForEach(files.stream(file), (one) =>
      Effect.sync(() => {
        got += one.length
      }))
  )
  if (got !== bytes) throw new Error(`${got} bytes of ${bytes} arrived`)
}

const perSecond = async (work: () => Promise<unknown>) => mib * 1000 / await timed(work)

/** ssh's own copy. */
const copied = async (ssh: string, script: string, input?: Buffer) => {
  const child = spawn(ssh, ["bench", script], { stdio: ["pipe", "pipe", "inherit"] })
  let got = 0
  child.stdout.on("data", (chunk: Buffer) => {
    got += chunk.length
  })
  child.stdin.end(input)
  await once(child, "close")
  return got
}

const throughput = {
  unit: "MiB/s",
  budget: { kind: "ratio", atLeast: 0.6 },
  rounds: (runs: number) => Math.ceil(runs / 2),
  warmups: 1
} as const

const transfer = (work: (daemon: Daemon, workspace: string) => Promise<void>) => async (bench: Bench) => {
  const workspace = await bench.daemon.create()
  await write(bench.daemon, workspace)
  const { close, remote } = await overSsh(bench)
  return side(() => perSecond(() => work(remote, workspace)), async () => {
    await close()
    await bench.daemon.remove(workspace)
  })
}

export const downloadSsh: Plan = {
  ...throughput,
  name: "file-read-ssh",
  about:
    `${mib} MiB of a guest's file by the handle's stream, over ssh on the loopback; floor: \`ssh cat\` of a file of the host`,
  floor: async (bench) => {
    const { close, folder, ssh } = await overSsh(bench)
    const name = path.join(folder, "large")
    fs.writeFileSync(name, Buffer.alloc(bytes, piece))
    return side(() => perSecond(() => copied(ssh, `cat ${name}`)), close)
  },
  ours: transfer(read)
}

export const uploadSsh: Plan = {
  ...throughput,
  name: "file-write-ssh",
  about:
    `${mib} MiB to a guest's file by the handle's stream, over ssh on the loopback; floor: \`ssh cat\` to a file of the host`,
  floor: async (bench) => {
    const { close, folder, ssh } = await overSsh(bench)
    const all = Buffer.alloc(bytes, piece)
    return side(() => perSecond(() => copied(ssh, `cat > ${path.join(folder, "copy")}`, all)), close)
  },
  ours: transfer(write)
}

/** Processes of ssh that have the room's configuration in their words. */
const clientsOf = (folder: string) =>
  execFileSync("pgrep", ["-f", `-F ${path.join(folder, "ssh_config")} .*serve --stdio`], { encoding: "utf8" })
    .trim().split("\n").map(Number)

const LINES = "for i in $(seq 400); do echo; sleep 0.002; done"

export const resumeSsh: Plan = {
  name: "resume-ssh",
  unit: "ms",
  about:
    "from the kill of ssh, in the middle of a command that prints a line each 2 ms, to the next line that the client gets",
  budget: { kind: "absolute", atMost: 300 },
  rounds: (runs) => runs,
  warmups: 2,
  ours: async (bench) => {
    const workspace = await bench.daemon.create()
    const { close, folder, remote } = await overSsh(bench)
    const sample = async () => {
      let cutAt: number | undefined
      let lines = 0
      let resumedMs = Number.NaN
      await remote.call((pyro) =>
        Stream.runForEach(
          pyro.workspace.exec(payloadOf("workspace.exec", { workspace, command: ["/bin/sh", "-c", LINES] })),
          (event) =>
            Effect.sync(() => {
              if (event._tag !== "Output") return
              if (cutAt !== undefined && Number.isNaN(resumedMs)) resumedMs = performance.now() - cutAt
              if (++lines !== 20) return
              cutAt = performance.now()
              for (const pid of clientsOf(folder)) process.kill(pid, "SIGKILL")
            })
        )
      )
      return resumedMs
    }
    return side(sample, async () => {
      await close()
      await bench.daemon.remove(workspace)
    })
  }
}
