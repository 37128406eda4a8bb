import { Effect } from "effect"
import type { DoctorLine } from "../../contract/rows/host.ts"
import { Calls } from "../../guest-channel/calls.ts"
import type { FreshWorkspace } from "../../workspace/life/boot.ts"
import { script, stdoutOf } from "./guest-shell.ts"
import { fine, wrong } from "./line.ts"

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
            : wrong(name, `it failed, but otherwise than it should: ${failure.message}`, "pyro doctor")
      })
    )
  })
