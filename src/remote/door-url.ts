import { DOOR_PATH } from "../contract/wire/token.ts"

/** Hosts of this computer alone, for which a line needs no TLS. */
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/

/** Whether an address is that of a door, and not of an SSH server. */
export const isDoorUrl = (url: string) => /^wss?:\/\//i.test(url)

/** Reads the address of a door: `wss://HOST[:PORT]`. A text: why it is none. */
export const doorUrl = (address: string): URL | string => {
  const url = /[\s\p{Cc}]/u.test(address) || !URL.canParse(address) ? undefined : new URL(address)
  const isBare = url !== undefined && ["", "/"].includes(url.pathname) && url.search === "" && url.hash === ""
  if (!isBare || !["wss:", "ws:"].includes(url.protocol)) return "an address is wss://HOST[:PORT], and nothing more"
  if (url.username !== "" || url.password !== "") {
    return "a token is never part of an address; give it with --token-file"
  }
  if (url.protocol === "ws:" && !LOOPBACK.test(url.hostname)) {
    return "ws:// is without TLS, and for this computer's loopback alone; use wss://"
  }
  return new URL(DOOR_PATH, url)
}
