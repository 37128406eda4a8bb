import { Effect, Stream } from "effect"
import { VmFailed } from "../../../contract/errors/errors.ts"
import type { DoctorLine } from "../../../contract/rows/host.ts"
import type { GuestProcess, SpawnRequest } from "../../../lib/guest-channel/model/process.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { guestEnvironment } from "../../../workspace/residents/program/command.ts"
import { fine, wrong } from "./line.ts"

/** A script for the guest's shell. */
export const script = (text: string): SpawnRequest => ({
  argv: ["/bin/sh", "-c", text],
  env: guestEnvironment({ env: {}, tty: false }),
  cwd: "/workspace"
})

/** The whole stdout of a process, after its end. */
export const stdoutOf = (process: GuestProcess) =>
  process.output.pipe(
    Stream.filter(({ from }) => from === "stdout"),
    Stream.map(({ bytes }) => bytes),
    Stream.runCollect,
    Effect.map((chunks) => Buffer.concat(chunks).toString("utf8")),
    Effect.tap(() => process.exit)
  )

const report = "please report it; do not trust this host's VMs to be unlike each other until it is fixed"

/** A claim about VMs. If it does not hold, VMs of this host cannot be trusted. */
export const verdict = (name: string, ok: boolean, found: string): DoctorLine =>
  ok ? fine(name, found) : wrong(name, found, report)

/** Prints the identity of a guest, one trait a line. */
export const selfPortrait =
  "head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo; cat /etc/machine-id /proc/sys/kernel/random/boot_id; hostname"

const traits = ["random bytes", "machine id", "boot id", "host name"]

/** Claims that guests differ in each trait. */
export const differ = (portraits: ReadonlyArray<string>, of = ""): ReadonlyArray<DoctorLine> => {
  const lines = portraits.map((text) => text.split("\n"))
  return traits.map((trait, index) => {
    const found = lines.map((portrait) => portrait[index] ?? "")
    return verdict(
      `different ${trait}${of}`,
      new Set(found).size === found.length && !found.includes(""),
      new Set(found).size === found.length ? found.map((one) => one.slice(0, 36)).join(" and ") : `twice ${found[0]}`
    )
  })
}

const maxClockOffsetMs = 50

export const clockVerdict = (name: string, offsetMs: number): DoctorLine =>
  verdict(name, Math.abs(offsetMs) <= maxClockOffsetMs, `${offsetMs.toFixed(1)} ms off the host's`)

/** A proof takes a few seconds, and some twenty on a busy host under TCG. */
const timeoutMs = 120_000 * deadlineScale

/** Fails with the name of a proof that does not end: a self-test that hangs would prove nothing. */
export const inTime = <A, E, R>(what: string, proof: Effect.Effect<A, E, R>): Effect.Effect<A, E | VmFailed, R> =>
  Effect.timeoutOrElse(proof, {
    duration: timeoutMs,
    orElse: () =>
      Effect.fail(
        new VmFailed({ step: "selftest", detail: `${what}: not through within ${timeoutMs / 1000} s`, consoleTail: "" })
      )
  })
