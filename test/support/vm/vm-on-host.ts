import { Effect, Option } from "effect"
import { readRecord, vmPaths } from "../../../src/lib/vm/model/record.ts"
import type { Vm } from "../../../src/lib/vm/model/Vm.ts"
import { Paths } from "../../../src/system/files/Paths.ts"

/** Files of a VM on the host. */
export const filesOf = ({ id }: Vm) => Effect.map(Paths, (paths) => vmPaths(paths, id))

/** Record of a VM as it is on disk now. */
export const recordOf = (vm: Vm) =>
  Effect.flatMap(filesOf(vm), (paths) => Effect.map(readRecord(paths), Option.getOrThrow))
