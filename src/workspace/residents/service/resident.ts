import { Deferred, Effect } from "effect"
import type { WorkspaceInfo } from "../../../contract/rows/workspace-info.ts"
import { named } from "../../../contract/text/names.ts"
import type { GuestLost, Resident, ResidentVm } from "../../entry/resident.ts"
import { giveUp, settleLost, settleRecord } from "./ending.ts"
import { makeLive, type Services } from "./services.ts"
import { comesBack, type ServiceRecord, shownState } from "./state.ts"
import { supervise } from "./supervise.ts"

/** Supervises the services that a VM has, after the end of another daemon, or in a copy of a workspace. */
const adopt = (services: Services, vm: ResidentVm) =>
  Effect.forEach(services.all(), ({ due, end, name, runs, wanted }) => {
    // The daemon ended between the end of the service and the end of its ports.
    if (end !== undefined) return Effect.ignoreCause(services.ports.unpublishService(name))
    const last = runs.at(-1)
    const isOpen = last !== undefined && last.outputBytes === undefined &&
      services.commands.journal.get(last.execId) !== undefined
    if (wanted === "stopped" && !isOpen) return settleRecord(services, name, { outcome: "not_started" })
    const live = makeLive(name)
    services.live.set(name, live)
    if (wanted === "stopped") Deferred.doneUnsafe(live.stopping, Effect.void)
    return supervise(services, vm, live, due === true && !isOpen ? "launch" : "watch").pipe(
      Effect.forkIn(vm.scope)
    )
  }, { discard: true })

/** Restarts the services that ended with the workspace's former VM. */
const comeBack = (services: Services, vm: ResidentVm) =>
  Effect.forEach(services.all().filter((one) => comesBack(one) && !services.live.has(one.name)), ({ name }) => {
    const live = makeLive(name)
    services.live.set(name, live)
    return services.change(name, ({ end: _, ...one }) => ({ ...one, due: true })).pipe(
      Effect.andThen(Effect.forkIn(supervise(services, vm, live, "launch"), vm.scope))
    )
  }, { discard: true })

const lose = (services: Services, reason: GuestLost) =>
  Effect.suspend(() => {
    services.vm = undefined
    services.isPaused = false
    const lost = services.all().filter(({ end }) => end === undefined)
    return Effect.forEach(lost, ({ name }) => {
      const live = services.live.get(name)
      return live === undefined
        ? settleLost(services, name, reason)
        : giveUp(services, live, reason)
    }, { discard: true })
  })

const counts = ({ all, isPaused }: Services): Partial<WorkspaceInfo> => {
  const states = all().map((service) => shownState(service, isPaused))
  if (states.length === 0) return {}
  return { services: named(states.map((state) => [state, states.filter((one) => one === state).length])) }
}

/**
 * The services of a workspace as a resident. Their runs are commands, which come first in the list of residents. A service continues in a
 * copy of its memory, and is lost with its VM.
 */
export const serviceResident = (services: Services): Resident<ReadonlyArray<ServiceRecord>> => ({
  begin: (vm) =>
    Effect.suspend(() => {
      services.vm = vm
      services.isPaused = false
      return comeBack(services, vm)
    }),
  adopt: (vm) => adopt(services, vm),
  lose: (reason) => lose(services, reason),
  rest: () =>
    Effect.sync(() => {
      services.vm = undefined
      services.isPaused = true
    }),
  note: () => Effect.sync(services.all),
  inherit: (noted) => services.replaceAll(noted),
  clear: Effect.suspend(() => {
    services.live.clear()
    return services.replaceAll([])
  }),
  describe: Effect.sync(() => counts(services))
})
