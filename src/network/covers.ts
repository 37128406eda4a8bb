import { deniedRangeOf } from "./addressing/address-ranges.ts"
import { contains } from "./addressing/address.ts"
import type { HostRule, IpRule } from "./rule.ts"
import { THIS_HOST } from "./this-host.ts"

type Ported = Pick<HostRule, "port">

const coversPort = (wide: Ported, narrow: Ported) => wide.port === undefined || wide.port === narrow.port

/** Whether one rule names every name and port that another one names. */
export const includesNames = (wide: HostRule, narrow: HostRule): boolean => {
  if (!coversPort(wide, narrow)) return false
  switch (wide.match) {
    case "every":
      return true
    case "exact":
      return narrow.match === "exact" && narrow.name === wide.name
    case "beneath":
      return narrow.match !== "every" &&
        (narrow.name.endsWith(`.${wide.name}`) || (narrow.match === "beneath" && narrow.name === wide.name))
  }
}

/** Whether one rule allows everything that another one allows. */
export const allowsNames = (wide: HostRule, narrow: HostRule): boolean =>
  // A service of the host is above every pattern, and is named with its port.
  narrow.name === THIS_HOST
    ? wide.match === "exact" && wide.name === THIS_HOST && wide.port === narrow.port
    : includesNames(wide, narrow)

/** Whether one rule allows every address that another one allows. A wide rule opens no range of another kind, such as a LAN. */
export const allowsAddresses = (wide: IpRule, narrow: IpRule): boolean =>
  coversPort(wide, narrow) && wide.range.bits <= narrow.range.bits && contains(wide.range, narrow.range) &&
  (wide.range.bits === narrow.range.bits || wide.range.bits >= (deniedRangeOf(narrow.range)?.bits ?? 0))
