import { between, optional } from "../text/fields.ts"
import { DEFAULT_MEMORY_MIB, Driver } from "./workspace-field.ts"

/** The microVM that a caller starts from the new environment: without room for it now, the build would be useless. */
export const nextVmFields = () => ({
  nextMemoryMib: optional(
    between({
      from: 128,
      to: 1_048_576,
      unit: "MiB",
      description:
        "Memory in MiB of the microVM that you start from the environment next. Refuses the work at once if the host has no room for that microVM now. Default: the host is not asked"
    })
  ),
  nextDriver: optional(
    Driver().annotate({
      description: "Program that runs the next microVM, for `next_memory_mib`. Default: PYRO_DRIVER"
    })
  )
})

/** The fields for a workspace or run that comes next. */
export const nextVm = (
  { driver, memoryMib = DEFAULT_MEMORY_MIB }: {
    readonly driver?: Driver | "auto" | undefined
    readonly memoryMib?: number | undefined
  }
) => ({
  nextMemoryMib: memoryMib,
  ...(driver === undefined ? {} : { nextDriver: driver === "auto" ? "qemu" as const : driver })
})
