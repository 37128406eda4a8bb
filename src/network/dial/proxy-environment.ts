import { settingNow } from "../../system/settings/config.ts"
import type { Proxies } from "./protocol.ts"

/** The person's proxies. As in curl, the lower-case form of a variable comes first. */
export const proxiesNow = (): Proxies => ({
  http: settingNow("http_proxy") ?? settingNow("HTTP_PROXY"),
  https: settingNow("https_proxy") ?? settingNow("HTTPS_PROXY"),
  all: settingNow("all_proxy") ?? settingNow("ALL_PROXY"),
  no: settingNow("no_proxy") ?? settingNow("NO_PROXY")
})

/** No connection of this host goes through a proxy. */
export const isWithoutProxy = ({ all = "", http = "", https = "" }: Proxies): boolean => `${all}${http}${https}` === ""
