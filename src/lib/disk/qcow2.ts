import { Effect } from "effect"
import { ImageDamaged } from "../../contract/errors/errors.ts"
import { openUnfollowed, readRegular } from "../../system/files/content.ts"

const clusterBits = 16
const clusterBytes = 1 << clusterBits
/** One L1 entry covers one L2 table: 8192 clusters, 512 MiB. */
const bytesPerL1Entry = clusterBytes * (clusterBytes / 8)
const versionThreeHeaderBytes = 104
/** Bit 63 of an L1 entry, refcount order 4 and the field offsets below: docs/interop/qcow2.txt of QEMU. */
const refcountOrder = 4

export interface Qcow2Options {
  /** Size of the disk as the guest sees it, a multiple of 512. */
  readonly virtualBytes: number
}

/** Size that the file's header may have. */
interface ExpectedQcow2 {
  readonly virtualBytes: number
  /** The file may be smaller, by whole MiB: a layer that is older than a growth of its disk. @default false */
  readonly mayBeSmaller?: boolean
}

/**
 * A whole, empty qcow2 version 3 file: header, refcount table, one refcount block, L1 table; 256 KiB for up to 4 TiB of disk. The
 * header names no backing file, because callers pass the chain as explicit nodes. So pyro did not write a header that names another
 * file.
 */
export const qcow2Header = ({ virtualBytes }: Qcow2Options): Uint8Array => {
  const known = headers.get(virtualBytes)
  if (known !== undefined) return known
  const made = makeHeader(virtualBytes)
  headers.set(virtualBytes, made)
  return made
}

/** By size of the disk: few sizes exist, and every VM needs one several times. */
const headers = new Map<number, Uint8Array>()

const makeHeader = (virtualBytes: number): Uint8Array => {
  const l1Entries = Math.ceil(virtualBytes / bytesPerL1Entry)
  const l1Clusters = Math.ceil(l1Entries * 8 / clusterBytes)
  const clusters = 3 + l1Clusters
  const bytes = new Uint8Array(clusters * clusterBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x514649fb) // "QFI\xfb"
  view.setUint32(4, 3)
  view.setUint32(20, clusterBits)
  view.setBigUint64(24, BigInt(virtualBytes))
  view.setUint32(36, l1Entries)
  view.setBigUint64(40, BigInt(3 * clusterBytes))
  view.setBigUint64(48, BigInt(clusterBytes))
  view.setUint32(56, 1)
  view.setUint32(96, refcountOrder)
  view.setUint32(100, versionThreeHeaderBytes)
  view.setBigUint64(clusterBytes, BigInt(2 * clusterBytes))
  for (let cluster = 0; cluster < clusters; cluster++) view.setUint16(2 * clusterBytes + 2 * cluster, 1)
  return bytes
}

/**
 * Compares the first cluster of a qcow2 file that QEMU had open with pyro's own. QEMU has no reason to change a byte of this
 * cluster: size, L1 place and refcount table are fixed at creation. A changed cluster could name a backing or data file of the
 * host, which the next tool would open. Fails with ImageDamaged. The caller continues with the same descriptor.
 */
export const openVerifiedQcow2 = (path: string, expected: ExpectedQcow2) =>
  openUnfollowed(path).pipe(
    Effect.mapError(({ detail }) => new ImageDamaged({ path, detail: `it cannot be opened: ${detail}` })),
    Effect.tap((fd) => verifyOpen(fd, path, expected))
  )

/** Offset of the disk's size in a header. */
const VIRTUAL_BYTES_AT = 24

/** The size in a header if the header may have it. If a guest makes a layer smaller, the guest loses its own data. */
const sizeIn = (header: Buffer, { mayBeSmaller = false, virtualBytes }: ExpectedQcow2) => {
  const found = Number(header.readBigUInt64BE(VIRTUAL_BYTES_AT))
  return mayBeSmaller && found > 0 && found < virtualBytes && found % (1024 * 1024) === 0 ? found : virtualBytes
}

const verifyOpen = (fd: number, path: string, expected: ExpectedQcow2) =>
  readRegular(fd, path, clusterBytes).pipe(
    Effect.mapError(({ detail }) => new ImageDamaged({ path, detail: `its header cannot be read: ${detail}` })),
    Effect.flatMap((found) => {
      if (found === undefined) {
        return new ImageDamaged({ path, detail: "its header cannot be read: it is no regular file" })
      }
      if (found.length < clusterBytes) {
        return new ImageDamaged({ path, detail: `its header ends after ${found.length} bytes` })
      }
      const wanted = qcow2Header({ virtualBytes: sizeIn(found, expected) }).subarray(0, clusterBytes)
      if (found.equals(wanted)) {
        return Effect.void
      }
      const at = found.findIndex((byte, index) => byte !== wanted[index])
      return new ImageDamaged({ path, detail: `byte ${at} of its header is not what pyro wrote` })
    })
  )
