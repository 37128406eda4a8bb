import { settingNow } from "../system/config.ts"

/**
 * Multiplies every deadline that guards a guest's start: 1 by default. `PYRO_PATIENCE=10` is for hosts that are themselves emulated
 * or that are busy many times over, where a guest that is merely slow would be taken for one that hangs.
 */
export const patience = settingNow("PYRO_PATIENCE")
