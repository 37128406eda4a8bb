import { networkInterfaces } from "node:os"
import { deniedRangeOf } from "./address-ranges.ts"
import { type Address, readAddress } from "./address.ts"

/** Addresses of this host now, without loopback addresses, whose range is denied as a whole. */
export const ownAddresses = (): ReadonlyArray<Address> =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address: text }) => {
      const address = readAddress(text.replace(/%.*$/, ""))
      return address === undefined || deniedRangeOf(address)?.kind === "a loopback address" ? [] : [address]
    })
  )

/** The same for several judgements of one moment: the first that needs the addresses looks at them. */
export const ownAddressesOnce = (): () => ReadonlyArray<Address> => {
  let found: ReadonlyArray<Address> | undefined
  return () => found ??= ownAddresses()
}
