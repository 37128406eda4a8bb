import * as path from "node:path"
import type { VmPaths } from "../../record.ts"
import { names } from "./machine.ts"
import { placeImage } from "./store.ts"

/** The file of a VM's memory image. Firecracker maps it privately, so any number of VMs may have the same file. */
export const memoryOf = (paths: VmPaths) => path.join(paths.directory, names.memory)

/** Gives a VM a captured memory, without a copy. */
export const fillMemory = (paths: VmPaths, memoryPath: string) => placeImage(paths, memoryPath, names.memory)
