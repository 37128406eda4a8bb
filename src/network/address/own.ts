import { networkInterfaces } from "node:os"
import { type Address, readAddress } from "./address.ts"
import { deniedRangeOf } from "./ranges.ts"

/** Addresses of this host now, without loopback addresses, whose range is denied as a whole. */
export const ownAddresses = (): ReadonlyArray<Address> =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address: text }) => {
      const address = readAddress(text.replace(/%.*$/, ""))
      return address === undefined || deniedRangeOf(address)?.kind === "a loopback address" ? [] : [address]
    })
  )
