import { Deferred, Effect } from "effect"
import * as path from "node:path"
import { DEFAULT_STOP_SECONDS } from "../../../contract/rows/service-fields.ts"
import type { ExecPayload } from "../../../contract/rows/workspace-exec.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso } from "../../../system/waits/time.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import type { Services } from "./services.ts"
import { type ServiceOptions, withoutWait } from "./state.ts"

/** Runs whose logs a service keeps. */
const KEPT_RUNS = 20

/** The command of a run. */
const payloadOf = (
  { command, cwd, env, script, secretEnv, secretMount, user }: ServiceOptions,
  execId: string,
  workspace: string
): ExecPayload & { readonly execId: string } => ({
  workspace,
  execId,
  command,
  ...(script === undefined ? {} : { script }),
  env,
  cwd,
  user,
  ...(secretEnv === undefined ? {} : { secretEnv }),
  ...(secretMount === undefined ? {} : { secretMount }),
  detach: true,
  tty: false,
  rows: 24,
  cols: 80,
  graceSeconds: DEFAULT_STOP_SECONDS,
  maxBytes: 0
})

/** Makes the next run of a service known on disk, and then starts it. A new daemon starts a run that the guest does not know. */
export const launch = (services: Services, vm: ResidentVm, name: string) =>
  Effect.gen(function*() {
    const { change, commands } = services
    const execId = newRequestId()
    const startedAt = yield* nowIso
    yield* change(name, (service) => {
      const { readyMs: _, runs, ...rest } = withoutWait(service)
      const dropped = Math.max(0, runs.length + 1 - KEPT_RUNS)
      const gone = runs.slice(0, dropped).reduce((sum, { outputBytes = 0 }) => sum + outputBytes, 0)
      return {
        ...rest,
        due: true,
        startedAt,
        outputBefore: rest.outputBefore + gone,
        restarts: rest.restarts + (service.dueBecause === undefined ? 0 : 1),
        runs: [...runs.slice(dropped), { execId }]
      }
    })
    faultPoint("service:recorded")
    // Before the program: a port in use is refused while nothing runs.
    const { options, wasReady } = services.get(name)!
    const { byModel = false, publish = [] } = options
    yield* Effect.forEach(
      publish,
      (port) =>
        Effect.catchTag(
          services.ports.publish({ ...port, service: name, byModel }),
          "PublishingNotAllowed",
          // The policy has changed since the start: the service goes on without the port.
          (failure) => wasReady === true ? Effect.void : Effect.fail(failure)
        ),
      { discard: true }
    )
    const { memoryMib } = vm.guest.vm.spec
    const payload = payloadOf(options, execId, path.basename(services.folder))
    yield* commands.start({ channel: vm.channel, scope: vm.scope, memoryMib }, payload, {}, { _tag: "service", name })
    faultPoint("service:journaled")
    const command = commands.running.get(execId)
    if (command !== undefined) yield* Deferred.await(command.started)
    yield* change(name, ({ due: _, ...rest }) => rest)
    faultPoint("service:started")
  })
