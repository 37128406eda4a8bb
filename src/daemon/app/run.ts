import { type Cause, Effect, Fiber, Queue, Stream } from "effect"
import { ensureImages } from "../../building/environments.ts"
import { progressTo } from "../../building/model/notices.ts"
import { call, words } from "../../contract/errors/next-step.ts"
import { requireOneCommand } from "../../contract/rows/exec-validation.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { RunPayload } from "../../contract/rows/run.ts"
import { type Owner, SeedImages } from "../../lib/disk/SeedImages.ts"
import { demandOneSeed } from "../../lib/seeding/model/request.ts"
import { prepareSeed } from "../../lib/seeding/prepare.ts"
import { sweepVms } from "../../lib/vm/model/sweep.ts"
import { roomFor } from "../../lib/vm/room.ts"
import { countBytes } from "../../system/telemetry/metrics.ts"
import { monotonicMs } from "../../system/waits/time.ts"
import type { Notify } from "../../workspace/entry/context.ts"
import { acquireWorkspace } from "../../workspace/life/guest/boot.ts"
import { driverOf } from "../../workspace/life/guest/driver.ts"
import { reportSlowStep } from "../../workspace/life/guest/generation.ts"
import { ownerOfImage, runWithImage } from "../../workspace/life/guest/image-defaults.ts"
import { reportPorts, reportSeed } from "../../workspace/life/guest/notices.ts"
import { ownerOf } from "../../workspace/life/guest/workspace-user.ts"
import { runIn } from "../../workspace/operations/run.ts"
import { checkGiven } from "../../workspace/residents/header-secret/bindings.ts"
import { grantOfCaller } from "../../workspace/residents/network/set.ts"
import { isOn } from "../../workspace/residents/policy/policy.ts"

/** A run publishes no port. */
const PUBLISHING = [
  words("A run publishes none: create a workspace"),
  call("Then start its command", "workspace.service.start", { name: "web" }, "workspace", "publish")
]

/** Size of the workspace disk in the guest. The host's file grows as the guest writes. */
export const diskMib = 16 * 1024

/**
 * One command in a fresh VM, in this process. The end, a failure or an interruption of the stream releases the VM. Sweeps the leftovers
 * of crashed runs.
 */
export const run = (payload: RunPayload, input: RunInput = {}) =>
  Stream.unwrap(Effect.gen(function*() {
    const since = yield* monotonicMs
    yield* demandOneSeed(payload)
    yield* requireOneCommand(payload)
    yield* checkGiven(payload)
    const granted = yield* grantOfCaller(payload)
    const network = granted !== undefined && isOn(granted) ? granted : undefined
    const notices = yield* Queue.sliding<Notice, Cause.Done>(64)
    const notify: Notify = (notice) => void Queue.offerUnsafe(notices, notice)
    yield* Effect.forkScoped(Effect.ignoreCause(sweepVms))
    const prepare = Effect.gen(function*() {
      const driver = yield* driverOf(payload)
      const images = yield* ensureImages(
        payload.environment,
        progressTo(notify),
        yield* roomFor({ ...payload, driver })
      )
      const seeds = yield* SeedImages
      const placeholder = yield* seeds.empty(diskMib)
      const owner = ownerOf(payload.workspaceUser) ?? ownerOfImage(images.environment.oci)
      const seed = payload.seedPath === undefined && owner === undefined
        ? placeholder
        : yield* seedFrom(payload, owner, notify)
      const workspace = yield* acquireWorkspace({
        purpose: "run",
        driver,
        images,
        vcpuCount: payload.vcpuCount,
        memoryMib: payload.memoryMib,
        seed,
        placeholder,
        seedImage: seed,
        hostname: "pyro",
        dieWithParent: true,
        leastConfinement: payload.requireConfinement,
        onSlowStep: reportSlowStep(notify)
      })
      const asked = yield* runWithImage(payload, images.environment.oci, input.stdin !== undefined)
      if (asked.isImageCommand === true) reportPorts(images.environment.oci, PUBLISHING, notify)
      return { workspace, asked }
    })
    const prepared = yield* prepare.pipe(
      // The cache was emptied between the build of an image and its use.
      Effect.retry({ times: 1, while: (failure) => failure._tag === "ImageDamaged" }),
      Effect.ensuring(Queue.end(notices)),
      Effect.forkScoped
    )
    const events = Stream.unwrap(
      Effect.map(Fiber.join(prepared), ({ asked, workspace }) => runIn(workspace, asked, input, network, since))
    )
    return Stream.concat(Stream.fromQueue(notices), events)
  }))

/** The seed that `create` makes of the path, or of none, by default. */
const seedFrom = (
  { allowHome, includeIgnored, seedPath }: RunPayload,
  owner: Owner | undefined,
  notify: Notify
) =>
  Effect.gen(function*() {
    const { image, report } = yield* prepareSeed({
      seedPath,
      git: "shallow",
      includeIgnored,
      allowHome,
      virtualMib: diskMib,
      owner
    })
    countBytes("seed", report.bytes)
    reportSeed(report, notify)
    return image
  })
