import { settingNow } from "../system/settings/config.ts"
import type { Trust } from "./intercept/trust.ts"

/** Files of certificate authorities that the person's environment names. */
export const trustNow = (): Trust => ({
  file: settingNow("SSL_CERT_FILE"),
  extraFile: settingNow("NODE_EXTRA_CA_CERTS")
})
