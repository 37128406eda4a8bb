import { settingNow } from "./config.ts"

/**
 * Factor of every deadline that guards the start of a guest. `PYRO_DEADLINE_SCALE=10` is for hosts that are emulated themselves, or so
 * busy that pyro would take a slow guest for a hanging one.
 */
export const deadlineScale = settingNow("PYRO_DEADLINE_SCALE")
