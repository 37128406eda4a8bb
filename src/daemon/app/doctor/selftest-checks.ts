import { Effect } from "effect"
import type { DoctorLine } from "../../../contract/rows/host.ts"
import { typedMessage } from "../../../contract/rows/next-steps.ts"
import { Calls } from "../../../lib/guest-channel/model/calls.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import { clockOffsetMs, keepClock } from "../../../lib/vm/model/clock.ts"
import { processName, type VmId, vmPaths } from "../../../lib/vm/model/record.ts"
import { exists } from "../../../system/files/entries.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { fileHolds } from "../../../system/processes/host.ts"
import { processesWithArgument } from "../../../system/processes/identity.ts"
import { processHolds } from "../../../system/processes/process-memory.ts"
import type { FreshWorkspace, SpawnFailed, StartError } from "../../../workspace/life/guest/boot.ts"
import { fine, improvable, inOrder, wrong } from "./line.ts"
import { clockVerdict, differ, inTime, script, selfPortrait, stdoutOf, verdict } from "./proof.ts"

/** Files of the environment, and one of the guest's own, read through the page cache. */
const checksums =
  "cd /; sha256sum usr/bin/bash usr/bin/dash usr/lib/x86_64-linux-gnu/libc.so.6 etc/os-release workspace/big 2>&1"

const pauseSeconds = 5

/** Where a page of one VM was found; undefined where the kernel does not let this user look. */
const pageVerdict = (own: boolean | undefined, foreign: boolean | undefined): DoctorLine => {
  const name = "a page of one is not in the other"
  if (own === undefined || foreign === undefined) {
    return improvable(
      name,
      "not looked at: this user may not read the memory of the VMs' processes",
      "run the self-test as root, or allow it: sudo sysctl kernel.yama.ptrace_scope=1"
    )
  }
  const found = foreign ? "the other's memory holds it" : "only its own memory holds it"
  return verdict(name, own && !foreign, own ? found : "its own memory does not hold it")
}

/** The claims about two VMs of one template. Each is proved when it is pulled. */
export const checks = (one: FreshWorkspace, other: FreshWorkspace) => {
  const shell = (workspace: FreshWorkspace, text: string) =>
    Effect.scoped(Effect.flatMap(workspace.guest.channel.spawn(script(text)), stdoutOf))

  const identities = Effect.gen(function*() {
    const portraits = yield* Effect.forEach(
      [one, other],
      (workspace) => Effect.scoped(Effect.flatMap(workspace.claim(script(selfPortrait)), stdoutOf))
    )
    return differ(portraits)
  })

  const clockLine = (name: string) =>
    Effect.map(clockOffsetMs(one.guest.channel), (offset) => clockVerdict(name, offset))

  const clocks = Effect.gen(function*() {
    const before = yield* clockLine("wall clock")
    yield* one.guest.vm.pause
    yield* Effect.sleep(pauseSeconds * 1000)
    yield* one.guest.vm.resume
    yield* keepClock(one.guest.channel)
    return [before, yield* clockLine(`wall clock after a pause of ${pauseSeconds} s`)]
  })

  const isolation = Effect.gen(function*() {
    const marker = crypto.randomUUID().replaceAll("-", "")
    // The guest joins the halves: its memory has the whole, and the command has not.
    yield* shell(
      one,
      `printf %s%s ${marker.slice(0, 16)} ${marker.slice(16)} | tee /dev/shm/page > /workspace/file; sync`
    )
    const seen = yield* shell(other, "cat /dev/shm/page /workspace/file 2>/dev/null")
    const needle = Buffer.from(marker)
    const paths = yield* Paths
    const holds = ({ guest: { vm } }: FreshWorkspace) =>
      vm.spec.driver === "firecracker"
        // The memory file is the template's: what the guest writes is in the process alone.
        ? processHolds(vm.process.pid, needle)
        : fileHolds(vmPaths(paths, vm.id).memory, needle)
    return [
      verdict(
        "a file of one is not in the other",
        seen === "",
        seen === "" ? "it is not there" : "the other can read it"
      ),
      pageVerdict(holds(one), holds(other))
    ]
  })

  const files = Effect.gen(function*() {
    yield* shell(one, "head -c 8000000 /dev/urandom > /workspace/big; sync")
    const before = yield* shell(one, checksums)
    yield* one.guest.channel.call.sync({ dropCaches: 1 })
    const after = yield* shell(one, checksums)
    return [
      verdict(
        "files after dropping caches",
        before === after && before.split("\n").length >= 5 && !before.includes("No such file"),
        before === after ? "the same checksums" : "the checksums changed"
      )
    ]
  })

  return inOrder<StartError | SpawnFailed | AgentCallFailed, Paths>(
    inTime("who two VMs are", identities),
    inTime("their clocks", clocks),
    inTime("what one has and the other must not", isolation),
    inTime("their files", files)
  )
}

const name = "a VM that cannot be reseeded is not handed out"

/** Makes the guest's reseeding fail, and proves that nothing runs in it then. */
export const failClosed = (workspace: FreshWorkspace) =>
  Effect.gen(function*() {
    yield* workspace.guest.channel.call.failNext({ op: Calls.reseed.op })
    return yield* Effect.scoped(Effect.flatMap(workspace.claim(script("echo ran")), stdoutOf)).pipe(
      Effect.match({
        onSuccess: (): DoctorLine =>
          wrong(name, "it ran a command all the same", "please report it; do not use this version"),
        onFailure: (failure): DoctorLine =>
          failure._tag === "VmFailed" && failure.step === "claim"
            ? fine(name, "the claim failed and the command did not run")
            : wrong(name, `it failed, but otherwise than it should: ${typedMessage(failure)}`, "pyro doctor")
      })
    )
  })

/** Looks for processes, memory files and folders that the self-test's VMs left on the host. */
export const leftOnHost = (ids: ReadonlyArray<string>) =>
  Effect.map(Paths, (paths): DoctorLine => {
    const files = ids.flatMap((id) => {
      const { directory, memory } = vmPaths(paths, id as VmId)
      return [directory, memory].filter((file) => exists(file))
    })
    const left = [...processesWithArgument(...ids.map(processName)).map(({ pid }) => `process ${pid}`), ...files]
    return left.length === 0
      ? fine("nothing is left on the host", `${ids.length} VMs, no process, memory file or folder of theirs`)
      : wrong("nothing is left on the host", left.join(", "), "pyro gc")
  })
